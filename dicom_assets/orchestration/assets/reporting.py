"""What a materialization says of itself: counts, versions and places; nothing of a patient."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from dagster import AssetExecutionContext, MaterializeResult, MetadataValue

from dicom_assets.delta.lake import Lake
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.pipeline.plan import Outcome
from dicom_assets.tables import PARTITION

_STATUS = "status"


def run_metadata(context: AssetExecutionContext) -> dict[str, str]:
    """Return what the commits of a run say of it."""
    return {"dagster/run_id": context.run.run_id}


def report(
    context: AssetExecutionContext, lake: Lake, outcome: Outcome, prefixes: Sequence[str], names: CatalogNames = ALONE
) -> MaterializeResult[None]:
    """Attach what happened to each partition and return the materialization of one table."""
    table, key = outcome.table, names.key(outcome.table.name)
    statuses = _count_statuses(lake, outcome, prefixes) if _STATUS in table.schema.names else {}
    for prefix in prefixes:
        context.add_asset_metadata(
            _partition_metadata(outcome, prefix, statuses.get(prefix, {})), asset_key=key, partition_key=prefix
        )
    added, changed, removed = (sum(part.values()) for part in (outcome.added, outcome.changed, outcome.removed))
    end = f"version {outcome.version}" if outcome.committed else "nothing to commit"
    end += f"; rows made by: {outcome.engine}" if outcome.engine else ""
    context.log.info(f"{table.name}: {added} rows added, {changed} changed, {removed} removed; {end}")
    return MaterializeResult(
        asset_key=key,
        metadata={
            "dagster/uri": lake.location(table).uri,
            "delta_version": outcome.version,
            "committed": outcome.committed,
            **({"engine": outcome.engine} if outcome.engine else {}),
        },
    )


def _partition_metadata(outcome: Outcome, prefix: str, statuses: Mapping[str, int]) -> dict[str, Any]:
    counts = {
        "dagster/row_count": outcome.rows(prefix),
        "added": outcome.added.get(prefix, 0),
        "changed": outcome.changed.get(prefix, 0),
        "removed": outcome.removed.get(prefix, 0),
    }
    return {
        **{name: MetadataValue.int(count) for name, count in counts.items()},
        **{f"status/{name}": MetadataValue.int(count) for name, count in sorted(statuses.items())},
    }


def _count_statuses(lake: Lake, outcome: Outcome, prefixes: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return the number of rows of each status, by prefix."""
    rows = lake.snapshot(outcome.table, prefixes).keys([_STATUS])
    counts: pa.Table = rows.group_by([PARTITION, _STATUS]).aggregate([([], "count_all")])
    found: dict[str, dict[str, int]] = {}
    for row in counts.to_pylist():
        found.setdefault(row[PARTITION], {})[row[_STATUS]] = row["count_all"]
    return found
