"""Whether tables hold what they promise: each key once, one row for each file of the index, the declared schema.

Keys are read, nothing else: cheap beside the run that wrote them.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.pipeline.difference import count_by_prefix
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION, Table


def repeated_keys(lake: Lake, table: Table, prefixes: Sequence[str] | None) -> dict[str, int]:
    """Return how many rows too many a table holds of keys that it holds more than once, by prefix.

    Parameters
    ----------
    lake, table
        What to look at.
    prefixes
        Where; ``None`` is everywhere.

    """
    rows = lake.snapshot(table, prefixes).keys([])
    counts = rows.group_by([PARTITION, KEY]).aggregate([([], "count_all")])
    extra = counts.filter(pc.greater(counts["count_all"], 1)).group_by(PARTITION).aggregate([("count_all", "sum")])
    distinct = count_by_prefix(counts.filter(pc.greater(counts["count_all"], 1)))
    sums = zip(extra[PARTITION].to_pylist(), extra["count_all_sum"].to_pylist(), strict=True)
    return {prefix: total - distinct[prefix] for prefix, total in sums}


def missing_and_surplus(
    lake: Lake, table: Table, prefixes: Sequence[str] | None
) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many files of the index a table has no row of, and how many of its rows are of no file, by prefix.

    Kept rows of removed files may stand in any table; the catalog has all that the index has.
    """
    index = lake.snapshot(FILE_INDEX, prefixes).keys(["removed_at"])
    rows = lake.snapshot(table, prefixes).keys([]).select([PARTITION, KEY])
    due = index if table.name == CATALOG_NAME else index.filter(pc.is_null(index["removed_at"]))
    missing = due.select([PARTITION, KEY]).join(rows.select([KEY]), KEY, join_type="left anti")
    surplus = rows.join(index.select([KEY]), KEY, join_type="left anti")
    return count_by_prefix(missing), count_by_prefix(surplus)


def schema_differences(lake: Lake, table: Table) -> list[str]:
    """Return the columns that a table lacks, has too many, or has in another type than declared."""
    stored = pa.schema(lake.location(table).open().schema().to_arrow())
    return list(_differences(table.schema, stored))


def _differences(declared: pa.Schema, stored: pa.Schema) -> Iterator[str]:
    for field in declared:
        if field.name not in stored.names:
            yield f"{field.name} is missing"
        elif (found := stored.field(field.name).type) != field.type:
            yield f"{field.name} is {found}, declared {field.type}"
    for name in stored.names:
        if name not in declared.names:
            yield f"{name} is not declared"
