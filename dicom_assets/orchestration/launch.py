"""Materializing through Dagster: pending prefixes, cut into runs over contiguous ranges of partitions."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from itertools import groupby

from dagster import AssetKey, DagsterEventType, DagsterInstance, Definitions
from dagster import ExecuteInProcessResult as Result

from dicom_assets.extract.model import CATALOG_NAME, CatalogModel
from dicom_assets.orchestration.assets.file_index import LISTED_WHOLE
from dicom_assets.orchestration.partitions import PREFIXES
from dicom_assets.orchestration.runs import range_tags
from dicom_assets.pipeline.deletions import BY_OPTION, BY_RUN_CONFIG
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.pending import Pending
from dicom_assets.storage.errors import why
from dicom_assets.tables import FILE_INDEX


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run over neighbouring partitions."""

    first: str
    last: str
    prefixes: tuple[str, ...]
    files: int


def cut_into_runs(registered: Sequence[str], pending: Sequence[Pending], largest: int) -> list[RunRequest]:
    """Return the runs that take all pending prefixes and no others.

    Parameters
    ----------
    registered
        All partition keys in the order of their registration, which ranges follow.
    pending
        What is to be done; all its prefixes are registered.
    largest
        The most prefixes of one run.

    """
    by_prefix = {entry.prefix: entry for entry in pending}
    places = [place for place, prefix in enumerate(registered) if prefix in by_prefix]
    runs: list[RunRequest] = []
    for _, group in groupby(enumerate(places), lambda pair: pair[1] - pair[0]):
        neighbours = [registered[place] for _, place in group]
        for start in range(0, len(neighbours), largest):
            part = neighbours[start : start + largest]
            files = sum(by_prefix[prefix].files for prefix in part)
            runs.append(RunRequest(part[0], part[-1], tuple(part), files))
    return runs


def execute(
    definitions: Definitions,
    model: CatalogModel,
    instance: DagsterInstance,
    request: RunRequest,
    mode: UpdateMode,
    *,
    allow_deletion: bool,
) -> Result:
    """Run all assets of a catalog over a range in this process; failures are in the result."""
    job = definitions.resolve_implicit_global_asset_job_def()
    with _quiet():
        return job.execute_in_process(
            instance=instance,
            run_config=_run_config(mode, allow_deletion=allow_deletion),
            asset_selection=[AssetKey(table.name) for table in model.tables],
            tags=range_tags(request.first, request.last),
            raise_on_error=False,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what libraries write to standard error from the progress bar: events and result of a run tell the same.

    NumPy warns with the paths of sources, Dagster writes there when its database fails, before it raises.
    """
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _run_config(mode: UpdateMode, *, allow_deletion: bool) -> dict[str, object]:
    update = {"config": {"mode": mode.name}}
    index = {"config": {"mode": mode.name, "allow_mass_deletion": allow_deletion}}
    return {
        "ops": {FILE_INDEX.name: index, "extraction": update, CATALOG_NAME: update},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }


def failures(result: Result) -> Iterator[str]:
    """Yield one line for each step that failed."""
    for event in result.all_events:
        if event.event_type is DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            cause = error.cause if error and error.cause else error
            text = event.step_failure_data.user_failure_data
            message = text.description if text else cause.message if cause else "unknown failure"
            line = why(message or "") or (message or "").strip().splitlines()[0]
            yield f"{event.step_key}: {line.replace(BY_RUN_CONFIG, BY_OPTION)}"


def unlisted(result: Result) -> Iterator[str]:
    """Yield a few words for a run that could not list its prefixes whole."""
    if any(check.check_name == LISTED_WHOLE and not check.passed for check in result.get_asset_check_evaluations()):
        yield f"some prefixes of run {result.run_id}"


def registered_prefixes(instance: DagsterInstance) -> list[str]:
    """Return the partition keys in the order of their registration."""
    return list(instance.get_dynamic_partitions(PREFIXES.name or ""))
