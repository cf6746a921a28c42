"""Materializing through Dagster in this process: runs over contiguous ranges of partitions, reported as plain data."""

import io
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from itertools import groupby

from dagster import (
    DagsterEventType,
    DagsterExecutionInterruptedError,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
)

from dicom_assets.orchestration.assets.failures import CAUSE, StepInterruptedError
from dicom_assets.orchestration.assets.file_index import LISTED_WHOLE
from dicom_assets.orchestration.assets.specs import PREFIXES_PER_RUN
from dicom_assets.orchestration.partitions import PREFIX_PARTITIONS, register_prefixes, registered_prefixes
from dicom_assets.orchestration.run_config import update_config
from dicom_assets.orchestration.runs import range_tags, removable_keys
from dicom_assets.orchestration.sensors import UPDATE_JOB
from dicom_assets.orchestration.signals import heard_signals
from dicom_assets.pipeline.deletions import BY_OPTION, BY_RUN_CONFIG
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.pending import Pending
from dicom_assets.storage.errors import why

_INTERRUPTIONS = {StepInterruptedError.__name__, DagsterExecutionInterruptedError.__name__}


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run over neighbouring partitions.

    Attributes
    ----------
    first, last
        Ends of the range of prefixes, both included.
    prefixes
        All of the range.
    files
        How many files there are to do.

    """

    first: str
    last: str
    prefixes: tuple[str, ...]
    files: int


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended.

    Attributes
    ----------
    run_id
        By which the Dagster UI shows it.
    succeeded
        Whether all its steps did.
    failures
        One line for each step that failed.
    unlisted
        A few words for what could not be listed whole.
    interrupted
        Whether somebody told it to end, were it after its last step.

    """

    run_id: str
    succeeded: bool
    failures: tuple[str, ...]
    unlisted: tuple[str, ...]
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Launcher:
    """Executes runs in this process, on one Dagster instance."""

    instance: DagsterInstance

    def plan(self, prefixes: Sequence[str], pending: Sequence[Pending]) -> list[PlannedRun]:
        """Register prefixes as partitions, and return the runs that take those of them that are pending."""
        register_prefixes(self.instance, prefixes)
        return cut_into_runs(registered_prefixes(self.instance), pending, PREFIXES_PER_RUN)

    def forget_all_but(self, prefixes: Collection[str]) -> None:
        """Remove the partitions of other prefixes; what a run or a backfill keeps now, the sensor removes later."""
        registered = registered_prefixes(self.instance)
        for prefix in removable_keys(self.instance, set(registered) - set(prefixes), registered):
            self.instance.delete_dynamic_partition(PREFIX_PARTITIONS, prefix)

    def execute(
        self,
        definitions: Definitions,
        run: PlannedRun,
        mode: UpdateMode,
        *,
        allow_mass_deletion: bool,
    ) -> RunReport:
        """Materialize all tables over the range of a run; failures are in the report."""
        job = definitions.resolve_job_def(UPDATE_JOB)
        with _quiet(), heard_signals() as heard:
            result = job.execute_in_process(
                instance=self.instance,
                run_config={
                    **update_config(mode, allow_mass_deletion=allow_mass_deletion),
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
                tags=range_tags(run.first, run.last),
                raise_on_error=False,
            )
            interrupted = heard() or _was_interrupted(result)
        return RunReport(result.run_id, result.success, tuple(_failures(result)), tuple(_unlisted(result)), interrupted)


def cut_into_runs(registered: Sequence[str], pending: Sequence[Pending], largest: int) -> list[PlannedRun]:
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
    runs: list[PlannedRun] = []
    for _, group in groupby(enumerate(places), lambda pair: pair[1] - pair[0]):
        neighbours = [registered[place] for _, place in group]
        for start in range(0, len(neighbours), largest):
            part = neighbours[start : start + largest]
            files = sum(by_prefix[prefix].files for prefix in part)
            runs.append(PlannedRun(part[0], part[-1], tuple(part), files))
    return runs


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what libraries write to standard error from the progress bar: events and result of a run tell the same.

    NumPy warns with the paths of sources, Dagster writes there when its database fails, before it raises.
    """
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _was_interrupted(result: ExecuteInProcessResult) -> bool:
    """Return whether a step was told to end, or the run between two steps."""
    errors = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    return any(error is not None and error.cls_name in _INTERRUPTIONS for error in errors)


def _failures(result: ExecuteInProcessResult) -> Iterator[str]:
    """Yield one line for each step that failed."""
    for event in result.all_events:
        if event.event_type is DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            cause = error.cause if error and error.cause else error
            said = event.step_failure_data.user_failure_data
            told = said.metadata.get(CAUSE) if said else None
            message = str(told.value) if told else cause.message if cause else "unknown failure"
            line = why(message or "") or (message or "").strip().splitlines()[0]
            yield f"{event.step_key}: {line.replace(BY_RUN_CONFIG, BY_OPTION)}"


def _unlisted(result: ExecuteInProcessResult) -> Iterator[str]:
    """Yield a few words for a run that could not list its prefixes whole."""
    if any(check.check_name == LISTED_WHOLE and not check.passed for check in result.get_asset_check_evaluations()):
        yield f"some prefixes of run {result.run_id}"
