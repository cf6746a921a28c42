"""Asset checks of every table: what :mod:`dicom_assets.checks` finds, as Dagster shows it.

One op for each table. It looks at the prefixes of its run, and again at those that the last evaluation found wanting,
so that a check does not turn green because a run of other prefixes came after. A run without partitions looks at all.

For the Dagster concept, see https://docs.dagster.io/guides/test/asset-checks
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    DagsterInstance,
    MetadataValue,
    multi_asset_check,
)

from dicom_assets.checks.check import Check, Outcome, Scope, Severity
from dicom_assets.checks.declared import checks_of
from dicom_assets.checks.look import look
from dicom_assets.checks.options import CheckOptions
from dicom_assets.extract.model import CatalogModel
from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried
from dicom_assets.orchestration.assets.specs import RETRIES
from dicom_assets.orchestration.dagster_internals import AssetCheckExecutionRecordStatus
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.runs import prefixes_of_run

PREFIXES_KEY = "prefixes"
"""Name in the metadata of a result of the prefixes where its cases are."""
_NAMED = 50
"""The most prefixes that a result names."""
_ENDED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
_SEVERITIES = {Severity.WARN: AssetCheckSeverity.WARN, Severity.ERROR: AssetCheckSeverity.ERROR}


def build_checks(
    model: CatalogModel, options: CheckOptions | None = None, names: CatalogNames = ALONE
) -> list[AssetChecksDefinition]:
    """Return the checks of all tables.

    Parameters
    ----------
    model
        What the catalog consists of.
    options
        What is still well.
    names
        What the catalog is called.

    """
    groups = groupby(checks_of(model, options), lambda check: check.table.name)
    return [_of_table(table, list(checks), model, names) for table, checks in groups]


def _of_table(table: str, checks: Sequence[Check], model: CatalogModel, names: CatalogNames) -> AssetChecksDefinition:
    """Return the checks of one table: one op."""
    specs = [
        AssetCheckSpec(check.name, asset=names.key(table), description=check.description, blocking=check.blocking)
        for check in checks
    ]

    @multi_asset_check(name=names.op(f"{table}_checks"), specs=specs, can_subset=True, retry_policy=RETRIES)
    @names.takes_resources
    def checked(context: AssetCheckExecutionContext, lake: LakeResource) -> Iterator[AssetCheckResult]:
        selected = {key.name: key for key in context.selected_asset_check_keys}
        wanted = [check for check in checks if check.name in selected]
        prefixes = tuple(prefixes_of_run(context.instance, context.run.tags, names.partitions)) or None
        with only_infrastructure_is_retried(context.op_execution_context):
            scope = Scope.of(lake.open(), model, prefixes)
            outcomes = list(look(wanted, scope))
            for outcome in outcomes:
                key = selected[outcome.check.name]
                failed_before = () if prefixes is None else _failed_before(context.instance, key)
                others = tuple(prefix for prefix in failed_before if prefix not in (prefixes or ()))
                still = next(look([outcome.check], replace(scope, prefixes=others)), None) if others else None
                yield _result(key.asset_key, outcome, still)

    return checked


def _failed_before(instance: DagsterInstance, key: AssetCheckKey) -> Sequence[str]:
    """Return the prefixes for which the last evaluation of a check failed."""
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=1, status=_ENDED)
    for record in records:
        evaluation = record.evaluation
        if evaluation is not None and not evaluation.passed and PREFIXES_KEY in evaluation.metadata:
            named = evaluation.metadata[PREFIXES_KEY].value
            return [str(prefix) for prefix in named] if isinstance(named, list) else ()
    return ()


def _result(asset: AssetKey, outcome: Outcome, still: Outcome | None) -> AssetCheckResult:
    """Return a result with its figures; paths and values stay out of it.

    Parameters
    ----------
    asset
        The table.
    outcome
        Of the prefixes of the run.
    still
        Of the prefixes that failed before. If only they do now, that is a warning: it is not this run's to stop for.

    """
    lingers = still is not None and not still.passed
    told = still if outcome.passed and lingers and still is not None else outcome
    severity = Severity.WARN if told is still else told.severity
    places = [
        prefix for one in (outcome, still) if one is not None and not one.passed for prefix in one.measured.prefixes
    ]
    metadata = _figures(told)
    if lingers and still is not None:
        metadata["in prefixes of earlier runs"] = MetadataValue.text(still.found_text)
    return AssetCheckResult(
        asset_key=asset,
        check_name=outcome.check.name,
        passed=outcome.passed and not lingers,
        severity=_SEVERITIES[severity],
        description=f"{'Still in prefixes of earlier runs: ' if told is still else ''}{_sentence(told)}",
        metadata={**metadata, PREFIXES_KEY: MetadataValue.json(sorted(set(places or told.measured.prefixes))[:_NAMED])},
    )


def _sentence(outcome: Outcome) -> str:
    return f"found {outcome.found_text}, bound {outcome.bound_text}"


def _figures(outcome: Outcome) -> dict[str, MetadataValue]:
    measured = outcome.measured
    figures: Mapping[str, MetadataValue] = {
        "found": MetadataValue.float(float(measured.found)) if measured.found is not None else MetadataValue.null(),
        "bound": MetadataValue.text(outcome.bound_text),
        "sql": MetadataValue.text(outcome.sql),
    }
    looked = {} if measured.looked_at is None else {"looked at": MetadataValue.int(measured.looked_at)}
    kinds = {name: MetadataValue.int(count) for name, count in measured.kinds.items()}
    differences = {"differences": MetadataValue.json(list(measured.differences))} if measured.differences else {}
    return {**figures, **looked, **kinds, **differences}
