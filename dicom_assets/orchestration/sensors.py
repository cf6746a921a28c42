"""``archive_sensor`` keeps partitions and tables in step with the archive; another sensor lets the catalog follow.

Belongs here: the cursor, and the requests for partitions and runs. Does not: which prefixes changed
(:mod:`dicom_assets.pipeline.changes`), what follows from that (:mod:`dicom_assets.orchestration.tick`), and what is
told of it (:mod:`dicom_assets.orchestration.alarms`).

For the Dagster concept, see https://docs.dagster.io/guides/automate/sensors
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

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
    define_asset_job,
    sensor,
)

from dicom_assets.archive.many_prefixes import too_many
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel
from dicom_assets.orchestration import alarms
from dicom_assets.orchestration.assets.specs import PREFIXES_PER_RUN
from dicom_assets.orchestration.cursor import Cursor, still_told
from dicom_assets.orchestration.dagster_internals import UnresolvedAssetJobDefinition
from dicom_assets.orchestration.due_runs import DueRun
from dicom_assets.orchestration.elsewhere import find_elsewhere
from dicom_assets.orchestration.listening import Listener
from dicom_assets.orchestration.naming import ALONE, NAMED_CATALOG_TAG, CatalogNames
from dicom_assets.orchestration.orphans import end_orphans
from dicom_assets.orchestration.partitions import registered_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.run_config import update_config
from dicom_assets.orchestration.runs import ATTEMPT_TAG, PREFIXES_TAG, REASON_TAG, STATES_TAG, held_prefixes, range_tags
from dicom_assets.orchestration.tick import HOLD_LAPSES, Findings, Look
from dicom_assets.orchestration.troubles import Troubles
from dicom_assets.pipeline.changes import ChangeDetector
from dicom_assets.pipeline.deletions import DeletionGuard
from dicom_assets.pipeline.difference import UpdateMode

UPDATE_JOB = "update_catalog"
NAME = ALONE.archive_sensor
"""Of the sensor of a catalog without a name."""
_LEAST_SHARE = 0.25
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class SensorOptions:
    """How changes of the archive are looked for.

    Attributes
    ----------
    sweep_minutes
        The least time from the beginning of one sweep over all prefixes to that of the next; 0 sweeps without a pause.
        What is told to have changed is looked at in any case.
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

    sweep_minutes: float = 0.0
    tick_seconds: float = 20.0
    interval_seconds: int = 30
    prefixes_per_run: int = PREFIXES_PER_RUN
    mode: UpdateMode = UpdateMode.SYNC
    running: bool = True


def build_update_job(model: CatalogModel = DEFAULT_MODEL, names: CatalogNames = ALONE) -> UnresolvedAssetJobDefinition:
    """Return the job over all tables of a catalog, which the sensor requests and people launch."""
    # The sensor tells that check itself.
    selection = AssetSelection.assets(*names.keys(model.tables)) - AssetSelection.checks(alarms.check_key(names))
    return define_asset_job(names.of(UPDATE_JOB), selection, description="Bring all tables of the catalog up to date.")


def build_archive_sensor(
    options: SensorOptions, model: CatalogModel = DEFAULT_MODEL, names: CatalogNames = ALONE
) -> SensorDefinition:
    """Return the sensor that detects changes of the archive."""
    detector, listener = ChangeDetector(), Listener(names)
    guard = DeletionGuard() if options.mode is not UpdateMode.APPEND else None

    @sensor(
        name=names.archive_sensor,
        job_name=names.of(UPDATE_JOB),
        minimum_interval_seconds=options.interval_seconds,
        default_status=DefaultSensorStatus.RUNNING if options.running else DefaultSensorStatus.STOPPED,
        description="Registers new prefixes and requests runs for those whose files changed.",
    )
    @names.takes_resources
    def archive_sensor(context: SensorEvaluationContext, archive: ArchiveResource, lake: LakeResource) -> SensorResult:
        deadline = time.monotonic() + options.tick_seconds
        for run_id in end_orphans(context.instance):
            context.log.warning(f"The process of run {run_id} is gone: marked as failed.")
        registered = registered_prefixes(context.instance, names.partitions)
        cursor, now = Cursor.read(context.cursor), time.time()
        sweeps = cursor.sweeps(now, options.sweep_minutes)
        try:
            files, present, state = alarms.reach(archive, lake, registered, model, lists=sweeps)
        except alarms.ArchiveNotFollowedError as error:
            # A tick that fails keeps its cursor, and leaves nothing but its error: what is to be told is told here.
            alarms.tell(context.instance, alarms.lost(error, names))
            raise
        elsewhere = find_elsewhere(context.repository_def, names.partitions)
        told = listener.hear(context.instance, files, cursor)
        if told.prefixes:
            held = held_prefixes(context.instance, registered, datetime.now(UTC) - HOLD_LAPSES, elsewhere)
            until = max(deadline - options.tick_seconds / 2, time.monotonic() + options.tick_seconds * _LEAST_SHARE)
            told = listener.look(told, files, state, held, guard, until)
        look = Look(files, state, told.among(present), registered, guard)
        look.hear(told.found)
        # However long it took to get here: some of the sweep is done in every tick, or it would never end.
        deadline = max(deadline, time.monotonic() + options.tick_seconds * _LEAST_SHARE)
        after = look.sweep(detector, cursor.after, deadline) if sweeps else ""
        findings = Findings.of(look, context.instance, names.archive_sensor, options.prefixes_per_run, elsewhere)
        met = (cursor.troubles if cursor.after else Troubles()).plus(findings.troubles)
        _tell(context.instance, met, names, ends=look.ends)
        if told.strange:
            context.log.warning(f"{told.strange} names that were told of are of no file of the archive.")
        began, left = now if look.begins else cursor.began, met if after else Troubles()
        follows = told.found if options.sweep_minutes == 0 else look.detected
        cursor = Cursor(after, left, began, told.last, still_told(told.prefixes, follows))
        return _result(context, findings, options.mode, cursor, names)

    return archive_sensor


def _tell(instance: DagsterInstance, met: Troubles, names: CatalogNames, *, ends: bool) -> None:
    """Tell what a sweep met: all of it at its end, and at once that something is wrong, or that the archive is back."""
    if ends:
        alarms.tell(instance, alarms.in_trouble(met, names))
        return
    told = alarms.told_state(instance, names)
    if told is not None and (told.startswith(alarms.LOST) or (met and not told)):
        alarms.tell(instance, alarms.in_trouble(met, names))


def _run_request(run: DueRun, mode: UpdateMode, names: CatalogNames) -> RunRequest:
    prefixes = run.first if len(run.states) == 1 else f"{run.first} ... {run.last} ({len(run.states)})"
    # The list of runs shows these, but of a job with a name neither its assets nor its range of partitions.
    tags = {PREFIXES_TAG: prefixes, REASON_TAG: run.reason}
    return RunRequest(
        run_key=run.key,
        run_config=update_config(mode, names),
        tags={
            **range_tags(run.first, run.last),
            STATES_TAG: " ".join(run.states),
            **tags,
            **({ATTEMPT_TAG: str(run.attempt + 1)} if run.attempt else {}),
        },
    )


def _result(
    context: SensorEvaluationContext, findings: Findings, mode: UpdateMode, cursor: Cursor, names: CatalogNames
) -> SensorResult:
    """Return what a tick leads to, and say it in one line: the tick shows it, or its log where it requests runs."""
    requests = [_run_request(run, mode, names) for run in findings.due]
    lost = findings.lost_keys(context.instance)
    many = too_many(findings.look.present.found, findings.look.archive.cut) if findings.look.begins else None
    line = " ".join([findings.line(), *_few(findings), *([f"{many}."] if many else [])])
    context.log.info(findings.line())
    if many:
        context.log.warning(f"{many}.")
    for trouble in findings.troubles:
        context.log.warning(f"{trouble.prefix or 'folder'} {trouble.kind}: {trouble.reason}")
    changes = [
        AddDynamicPartitionsRequest(names.partitions, findings.look.new) if findings.look.new else None,
        DeleteDynamicPartitionsRequest(names.partitions, lost) if lost else None,
    ]
    return SensorResult(
        run_requests=requests,
        skip_reason=None if requests else line,
        dynamic_partitions_requests=[change for change in changes if change is not None],
        cursor=cursor.write(),
    )


def _few(findings: Findings) -> Sequence[str]:
    """Return the first reasons why prefixes, or parts of them, are left alone."""
    reasons = list(dict.fromkeys(one.reason for one in findings.troubles if one.reason))
    more = [f"And {len(reasons) - _SHOWN} more."] if len(reasons) > _SHOWN else []
    return [*(f"{reason.rstrip('.')}." for reason in reasons[:_SHOWN]), *more]


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
