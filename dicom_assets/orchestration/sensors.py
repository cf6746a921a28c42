"""``archive_sensor`` keeps partitions and tables in step with the archive; another sensor lets the catalog follow.

Belongs here: the cursor, and the requests for partitions and runs. Does not: which prefixes changed
(:mod:`dicom_assets.pipeline.changes`), and which runs are due for them (:mod:`dicom_assets.orchestration.due_runs`).

For the Dagster concept, see https://docs.dagster.io/guides/automate/sensors
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dagster import (
    AddDynamicPartitionsRequest,
    AssetSelection,
    AutomationConditionSensorDefinition,
    DagsterInstance,
    DefaultSensorStatus,
    DeleteDynamicPartitionsRequest,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from dicom_assets.archive.base import Archive, Prefixes
from dicom_assets.errors import DicomAssetsError
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel
from dicom_assets.orchestration.assets.specs import PREFIXES_PER_RUN
from dicom_assets.orchestration.due_runs import DueRun, find_due_runs
from dicom_assets.orchestration.elsewhere import NOTHING_ELSE, Elsewhere, find_elsewhere
from dicom_assets.orchestration.naming import ALONE, NAMED_CATALOG_TAG, CatalogNames
from dicom_assets.orchestration.partitions import registered_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.run_config import update_config
from dicom_assets.orchestration.runs import (
    STATES_TAG,
    backfills_under_way,
    failed_prefixes,
    held_prefixes,
    range_tags,
)
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.changes import ChangeDetector, ChangeStatus, Detection, refuse_mass_deletion
from dicom_assets.pipeline.deletions import DeletionGuard
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.ownership import recognise

_HOLD_LAPSES = timedelta(days=1)
_SHOWN = 5
_LEAST_SHARE = 0.25
_MOST_NEW_KEYS = 20_000
"""Dagster advises to add at most 25,000 partitions in one tick."""


@dataclass(frozen=True, slots=True)
class SensorOptions:
    """How changes of the archive are looked for.

    Attributes
    ----------
    tick_seconds
        How long one tick looks at the archive; the next goes on where it ended. Dagster gives up on ticks of 60 s.
    interval_seconds
        Pause between ticks.
    prefixes_per_run
        How many neighbouring prefixes one run takes.
    mode
        Of the runs that are requested.
    running
        Whether the sensor starts with the deployment.

    """

    tick_seconds: float = 20.0
    interval_seconds: int = 30
    prefixes_per_run: int = PREFIXES_PER_RUN
    mode: UpdateMode = UpdateMode.SYNC
    running: bool = True


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the sweep over all prefixes has come.

    Attributes
    ----------
    after
        The last prefix that was looked at; empty when a sweep begins.

    """

    after: str = ""

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        """Return a cursor from its text; one that cannot be read begins a new sweep."""
        try:
            return cls(str(json.loads(text or "{}").get("after", "")))
        except (ValueError, AttributeError):
            return cls()

    def write(self) -> str:
        """Return the cursor as text."""
        return json.dumps({"after": self.after})


@dataclass(slots=True)
class Tick:
    """One look at the archive, and what is to follow from it.

    Attributes
    ----------
    instance, options
        The instance that is asked about runs, and how changes are looked for.
    archive, state
        What is compared.
    present
        Prefixes of the archive.
    registered
        Partition keys, in the order of their registration.
    names, elsewhere
        What the catalog is called, and what of the code location is not partitioned by its prefixes.

    """

    instance: DagsterInstance
    options: SensorOptions
    archive: Archive
    state: CatalogState
    present: Prefixes
    registered: Sequence[str]
    names: CatalogNames = ALONE
    elsewhere: Elsewhere = NOTHING_ELSE
    new: Sequence[str] = field(init=False)
    detected: list[Detection] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Tell which partitions are missing: of the archive, and of rows whose prefix has vanished."""
        missing = sorted((set(self.present) | self.state.prefixes) - set(self.registered))
        self.new = missing[:_MOST_NEW_KEYS]

    def sweep(self, detector: ChangeDetector, cursor: Cursor, deadline: float) -> Cursor:
        """Look at the prefixes after the cursor; returns how far that went."""
        rest = [prefix for prefix in sorted({*self.registered, *self.new}) if prefix > cursor.after]
        guard = DeletionGuard() if self.options.mode is not UpdateMode.APPEND else None
        self.detected.extend(detector.sweep(self.archive, self.state, rest, guard, deadline))
        if guard is not None:
            self.detected = refuse_mass_deletion(self.detected, self.archive, self.state, self.present, guard)
        if len(self.detected) == len(rest):
            return Cursor()
        return Cursor(self.detected[-1].prefix) if self.detected else cursor

    def run_requests(self) -> Iterator[RunRequest]:
        """Yield the runs that are due for the changes that were found."""
        order = [*self.registered, *self.new]
        now = datetime.now(UTC)
        held = held_prefixes(self.instance, order, now - _HOLD_LAPSES, self.elsewhere)
        changed = [one for one in self.detected if one.status is ChangeStatus.CHANGED and one.prefix not in held]
        if changed:
            failed = failed_prefixes(self.instance, self.names.archive_sensor, order)
            for run in find_due_runs(changed, order, self.options.prefixes_per_run, failed, now):
                yield self._run_request(run)

    def _run_request(self, run: DueRun) -> RunRequest:
        return RunRequest(
            run_key=run.key,
            run_config=update_config(self.options.mode, self.names),
            tags={**range_tags(run.first, run.last), STATES_TAG: " ".join(run.states)},
        )

    def lost_keys(self) -> list[str]:
        """Return the partition keys that nothing stands behind any more: no file, no row, no run."""
        gone = set(self.registered) - set(self.present) - self.state.prefixes
        if not gone or self.present.unlisted or backfills_under_way(self.instance, self.elsewhere):
            return []
        return sorted(gone - held_prefixes(self.instance, self.registered, elsewhere=self.elsewhere))

    def reasons(self) -> list[str]:
        """Return why prefixes, or parts of them, were left alone."""
        found = list(dict.fromkeys([*self.present.unlisted, *(one.reason for one in self.detected if one.reason)]))
        more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        return [*found[:_SHOWN], *more]


def build_archive_sensor(
    options: SensorOptions, model: CatalogModel = DEFAULT_MODEL, names: CatalogNames = ALONE
) -> SensorDefinition:
    """Return the sensor that detects changes of the archive."""
    detector = ChangeDetector()

    @sensor(
        name=names.archive_sensor,
        target=AssetSelection.assets(*names.keys(model.tables)),
        minimum_interval_seconds=options.interval_seconds,
        default_status=DefaultSensorStatus.RUNNING if options.running else DefaultSensorStatus.STOPPED,
        description="Registers new prefixes and requests runs for those whose files changed.",
    )
    @names.takes_resources
    def archive_sensor(
        context: SensorEvaluationContext, archive: ArchiveResource, lake: LakeResource
    ) -> SensorResult | SkipReason:
        deadline = time.monotonic() + options.tick_seconds
        tables = lake.open()
        try:
            files = recognise(tables, archive.open(tables.root))
            files.check()
            present = files.prefixes()
        except (DicomAssetsError, OSError) as error:
            return SkipReason(f"Nothing was changed: {error}")
        state = CatalogState(tables, model)
        registered = registered_prefixes(context.instance, names.partitions)
        if not (present.found or present.unlisted) and (registered or state.prefixes):
            return SkipReason(
                "Nothing was changed: the archive is empty, and it was not before. If that is meant, materialize its "
                "partitions by hand, with allow_mass_deletion in the run config of file_index."
            )
        elsewhere = find_elsewhere(context.repository_def, names.partitions)
        tick = Tick(context.instance, options, files, state, present, registered, names, elsewhere)
        # However long it took to get here: some of the sweep is done in every tick, or it would never end.
        deadline = max(deadline, time.monotonic() + options.tick_seconds * _LEAST_SHARE)
        cursor = tick.sweep(detector, Cursor.read(context.cursor), deadline)
        return _result(context, tick, cursor)

    return archive_sensor


def build_automation_sensor(
    model: CatalogModel = DEFAULT_MODEL, names: CatalogNames = ALONE, *, running: bool
) -> AutomationConditionSensorDefinition:
    """Return the sensor that evaluates the automation conditions of a catalog.

    That of a catalog without a name takes those of all assets, of users' included: Dagster would make a sensor of this
    name, but stopped. A catalog with a name minds its own: an asset may have one such sensor only.
    """
    everything = AssetSelection.all() - AssetSelection.tag(NAMED_CATALOG_TAG, "")
    return AutomationConditionSensorDefinition(
        names.of("automation_sensor") if names.name else "default_automation_condition_sensor",
        target=AssetSelection.assets(*names.keys(model.tables)) if names.name else everything,
        default_status=DefaultSensorStatus.RUNNING if running else DefaultSensorStatus.STOPPED,
        # Runs over ranges of partitions, not backfills: they start at once.
        emit_backfills=False,
    )


def _result(context: SensorEvaluationContext, tick: Tick, cursor: Cursor) -> SensorResult:
    """Return what a tick leads to, and log why prefixes were left alone."""
    requests = list(tick.run_requests())
    lost = tick.lost_keys()
    for reason in tick.reasons():
        context.log.warning(reason)
    changes = [
        AddDynamicPartitionsRequest(tick.names.partitions, tick.new) if tick.new else None,
        DeleteDynamicPartitionsRequest(tick.names.partitions, lost) if lost else None,
    ]
    looked = f"Looked at {len(tick.detected)} prefixes: nothing to do."
    return SensorResult(
        run_requests=requests,
        skip_reason=None if requests else " ".join(tick.reasons()) or looked,
        dynamic_partitions_requests=[change for change in changes if change is not None],
        cursor=cursor.write(),
    )
