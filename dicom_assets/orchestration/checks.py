"""Asset checks of every table, generated from its declaration. They report, and block nothing.

For the Dagster concept, see https://docs.dagster.io/guides/test/asset-checks
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    multi_asset_check,
)

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import CatalogModel
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.runs import prefixes_of_run
from dicom_assets.pipeline.integrity import missing_and_surplus, repeated_keys, schema_differences
from dicom_assets.tables import FILE_INDEX, Table

_UNIQUE = "key_is_unique"
_FOLLOWS = "one_row_per_indexed_file"
_SCHEMA = "schema_is_as_declared"

_DESCRIPTIONS = {
    _UNIQUE: "No path stands twice in the prefixes of the run.",
    _FOLLOWS: "Every file of the index has a row, and no row is without its file, in the prefixes of the run.",
    _SCHEMA: "The table on storage has the declared columns, in the declared types.",
}


def build_checks(model: CatalogModel, names: CatalogNames = ALONE) -> list[AssetChecksDefinition]:
    """Return the checks of all tables."""
    return [_checks_of(table, names) for table in model.tables]


def _checks_of(table: Table, names: CatalogNames) -> AssetChecksDefinition:
    """Return the checks of one table: one op, which looks at the prefixes of its run, or at all of them."""
    checked = [_UNIQUE, _SCHEMA] if table is FILE_INDEX else [_UNIQUE, _FOLLOWS, _SCHEMA]
    key = names.key(table.name)
    specs = [AssetCheckSpec(name, asset=key, description=_DESCRIPTIONS[name], blocking=False) for name in checked]

    @multi_asset_check(name=names.op(f"{table.name}_checks"), specs=specs, can_subset=True)
    @names.takes_resources
    def checks(context: AssetCheckExecutionContext, lake: LakeResource) -> Iterator[AssetCheckResult]:
        tables = lake.open()
        # A run that is not of partitions looks at all prefixes.
        prefixes = prefixes_of_run(context.instance, context.run.tags, names.partitions) or None
        for check in sorted(context.selected_asset_check_keys, key=lambda check: check.name):
            yield _RESULTS[check.name](tables, table, prefixes)._replace(asset_key=key)

    return checks


def _unique(lake: Lake, table: Table, prefixes: Sequence[str] | None) -> AssetCheckResult:
    return _result(table, _UNIQUE, {"rows too many": repeated_keys(lake, table, prefixes)})


def _follows(lake: Lake, table: Table, prefixes: Sequence[str] | None) -> AssetCheckResult:
    missing, surplus = missing_and_surplus(lake, table, prefixes)
    # Another run may be between its index and its tables: a warning.
    found = {"files without a row": missing, "rows without a file": surplus}
    return _result(table, _FOLLOWS, found, AssetCheckSeverity.WARN)


def _result(
    table: Table,
    name: str,
    found: Mapping[str, Mapping[str, int]],
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
) -> AssetCheckResult:
    """Return a result with its counts: in all, and where; paths stay out of it."""
    return AssetCheckResult(
        asset_key=table.name,
        check_name=name,
        passed=not any(found.values()),
        severity=severity,
        metadata={
            **{what: sum(counts.values()) for what, counts in found.items()},
            "prefixes": sorted({prefix for counts in found.values() for prefix in counts})[:20],
        },
    )


def _schema(lake: Lake, table: Table, _: Sequence[str] | None) -> AssetCheckResult:
    found = schema_differences(lake, table)
    return AssetCheckResult(asset_key=table.name, check_name=_SCHEMA, passed=not found, metadata={"differences": found})


_RESULTS: Mapping[str, Callable[[Lake, Table, Sequence[str] | None], AssetCheckResult]] = {
    _UNIQUE: _unique,
    _FOLLOWS: _follows,
    _SCHEMA: _schema,
}
