"""Alerts by a webhook: runs that fail, and checks that fail with the severity *error*.

An example that works as it is, of a sensor that tells people rather than starts runs. Dagster's own run-failure sensors
move on when an alert cannot be sent, and lose it; this one stays where it is, and its tick fails, until the webhook has
taken what there is to tell.
"""

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckSeverity,
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    Definitions,
    EnvVar,
    RunRecord,
    RunsFilter,
    SensorEvaluationContext,
    SensorResult,
    sensor,
)

from dicom_assets.errors import InfrastructureError, UserError
from dicom_assets.orchestration.assets.failures import CAUSE, ERROR

_TIMEOUT = 10
_MOST = 20
"""Alerts of one tick: what is behind them comes with the next."""


class AlertError(InfrastructureError, OSError):
    """The webhook does not take an alert."""


class WebhookError(UserError, ValueError):
    """What is given as the address of the webhook is none."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What is posted, as JSON. It carries no patient data: neither messages nor partitions, unless asked for.

    Attributes
    ----------
    text
        One line, under the name that Slack, Mattermost and Teams show.
    kind
        ``run failed`` or ``check failed``.
    name
        Of the job, or of the asset and its check.
    run_id
        Of the run; empty for a check that a sensor evaluated.
    steps
        Steps that failed, each with the class of its error.
    details
        What the failure or the check says of itself, prefixes included; empty unless asked for.

    """

    text: str
    kind: str
    name: str
    run_id: str = ""
    steps: Mapping[str, str] = field(default_factory=dict)
    details: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """How far alerts have come: nothing up to here is told again.

    Attributes
    ----------
    run
        Time of the last run that was told of, in seconds of the epoch.
    check
        Id of the last evaluation of a check.

    """

    run: float
    check: int

    @classmethod
    def read(cls, text: str | None) -> "Told":
        """Return it from a cursor; without one, alerts begin now: what failed long ago is no news."""
        try:
            value = json.loads(text or "")
            return cls(float(value["run"]), int(value["check"]))
        except (ValueError, TypeError, KeyError):
            return cls(time.time(), 0)


def build_webhook_alert(
    url: EnvVar | str, *, name: str = "webhook_alert", details: bool = False, interval_seconds: int = 30
) -> Definitions:
    """Return a sensor that posts what fails to a webhook; merge it with the definitions of a catalog.

    Parameters
    ----------
    url
        Where to post. Who knows it can post there, so give the name of a variable: ``EnvVar("ALERT_URL")``.
    name
        Of the sensor; a second webhook needs another one.
    details
        Whether alerts say what failures and checks say of themselves. That names prefixes, which are folder names.
    interval_seconds
        Pause between ticks.

    """

    @sensor(
        name=name,
        minimum_interval_seconds=interval_seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description="Posts runs that fail, and checks that fail with the severity error, to a webhook.",
    )
    def webhook_alert(context: SensorEvaluationContext) -> SensorResult:
        told = Told.read(context.cursor)
        if context.cursor is None:
            told = Told(told.run, _newest_evaluation(context))
        sent = 0
        try:
            for alert, reached in _alerts(context, told, details=details):
                if alert is not None:
                    post(_address(url), alert)
                    sent += 1
                told = reached
                if sent == _MOST:
                    break
        except AlertError as error:
            # What was posted must not be posted again, and a tick that fails keeps its old cursor.
            if not sent:
                raise
            context.log.warning(f"{error}; the next tick tries again")
        return SensorResult(skip_reason=f"Sent {sent} alerts.", cursor=json.dumps(asdict(told)))

    return Definitions(sensors=[webhook_alert])


def post(url: str, alert: Alert) -> None:
    """Post an alert; raises :class:`AlertError`, without the address, when it is not taken."""
    body = json.dumps(asdict(alert)).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - see _address
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT):  # noqa: S310
            pass
    except OSError as error:
        reason = getattr(error, "code", None) or getattr(error, "reason", None) or type(error).__name__
        raise AlertError(f"the webhook did not take an alert: {reason}") from None


def _address(url: EnvVar | str) -> str:
    address = url.get_value() if isinstance(url, EnvVar) else url
    if not address or urlsplit(address).scheme not in ("http", "https"):
        where = f"the variable {url.env_var_name}" if isinstance(url, EnvVar) else "the address of the webhook"
        raise WebhookError(f"{where} is to be a URL that begins with https:// or http://")
    return address


def _alerts(context: SensorEvaluationContext, told: Told, *, details: bool) -> Iterator[tuple[Alert | None, Told]]:
    """Yield what is to be told, oldest first, each with how far it comes."""
    for record in _failed_runs(context.instance, told.run):
        told = Told(_ended(record), told.check)
        yield _of_run(context.instance, record, details=details), told
    for number, evaluation, run_id in _evaluations(context, told.check):
        told = Told(told.run, number)
        failed = not evaluation.passed and evaluation.severity is AssetCheckSeverity.ERROR
        yield (_of_check(evaluation, run_id, details=details) if failed else None), told


def _failed_runs(instance: DagsterInstance, after: float) -> list[RunRecord]:
    # Not by the time of creation: a run that began long ago may fail now.
    records = instance.get_run_records(RunsFilter(statuses=[DagsterRunStatus.FAILURE]), limit=10 * _MOST)
    return sorted((record for record in records if _ended(record) > after), key=_ended)


def _ended(record: RunRecord) -> float:
    return record.end_time or record.update_timestamp.timestamp()


def _of_run(instance: DagsterInstance, record: RunRecord, *, details: bool) -> Alert:
    run = record.dagster_run
    steps, causes = {}, []
    for found in instance.get_records_for_run(run.run_id, of_type=DagsterEventType.STEP_FAILURE).records:
        event = found.event_log_entry.dagster_event
        if event is None or event.step_key is None:
            continue
        said = event.step_failure_data.user_failure_data
        metadata = said.metadata if said else {}
        steps[event.step_key] = str(metadata[ERROR].value) if ERROR in metadata else "error"
        causes.append(f"{event.step_key}: {metadata[CAUSE].value}" if CAUSE in metadata else event.step_key)
    where = f" in {', '.join(f'{step} ({error})' for step, error in steps.items())}" if steps else ""
    text = f"Run {run.run_id[:8]} of {run.job_name} failed{where}."
    return Alert(text, "run failed", run.job_name, run.run_id, steps, "\n".join(causes) if details else "")


def _evaluations(context: SensorEvaluationContext, after: int) -> list[tuple[int, AssetCheckEvaluation, str]]:
    """Return the latest evaluation of each check that was evaluated since, oldest first."""
    found = []
    latest = context.instance.event_log_storage.get_latest_asset_check_execution_by_key(_checks(context))
    for record in latest.values():
        event = record.event.dagster_event if record.event else None
        said = event.event_specific_data if event else None
        if record.id > after and isinstance(said, AssetCheckEvaluation):
            found.append((record.id, said, record.run_id))
    return sorted(found, key=lambda one: one[0])


def _newest_evaluation(context: SensorEvaluationContext) -> int:
    return max((number for number, _, _ in _evaluations(context, -1)), default=0)


def _checks(context: SensorEvaluationContext) -> list[AssetCheckKey]:
    """Return all checks of the code location."""
    repository = context.repository_def
    return [] if repository is None else sorted(repository.asset_graph.asset_check_keys, key=str)


def _of_check(evaluation: AssetCheckEvaluation, run_id: str, *, details: bool) -> Alert:
    name = f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}"
    told = evaluation.description or "" if details else ""
    return Alert(f"Check {name} failed.", "check failed", name, run_id, details=told)
