"""One version of a Delta table as a PyArrow dataset: column pruning, and files skipped by partition and statistics.

Why not ``DeltaTable.to_pyarrow_dataset``: it reads every file through Python callbacks on Arrow's threads, which can
hang a query or abort the interpreter at exit, and it prepares the statistics of every column for every file, needed or
not. Here, local tables are read through Arrow's own file system, others by :mod:`dicom_assets.query.remote`, only
statistics that a query may use are prepared, and :mod:`dicom_assets.query.scans` reads no more than it must.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable

from dicom_assets.delta.layout import from_log
from dicom_assets.delta.location import STATISTICS, TableLocation
from dicom_assets.query.errors import CatalogError
from dicom_assets.query.scans import TableDataset

_READABLE_FEATURES = frozenset({"timestampNtz"})
"""Reader features of the Delta protocol that do not change how data files are read."""

_STATISTICS_PRECISION = timedelta(milliseconds=1)
"""Of timestamps in the log: some writers truncate to it, so a maximum may be too low by as much."""


def as_dataset(
    location: TableLocation, delta: DeltaTable, wanted: Callable[[str], bool], before: TableDataset | None = None
) -> TableDataset:
    """Return a loaded table as something that DuckDB scans like a dataset.

    Parameters
    ----------
    location
        Of the table.
    delta
        The table, at the version to read.
    wanted
        Whether a column may occur in a filter: only then are its statistics used to skip files.
    before
        Another version of the table, of the same columns: data files that it has are not prepared again.

    Raises
    ------
    CatalogError
        The table uses a feature that its Parquet files do not show, such as deletion vectors.

    """
    refuse_unreadable(location, delta)
    schema = pa.schema(delta.schema().to_arrow())
    filesystem, parquet = location.filesystem(), ds.ParquetFileFormat()
    known, rows = _known(before, schema), dict[str, int]()
    fragments = []
    for path, count, guarantee in _guarantees(delta, [field for field in schema if wanted(field.name)], known):
        file = from_log(path)
        fragments.append(known.get(file) or parquet.make_fragment(file, filesystem, partition_expression=guarantee))
        if count is not None:
            rows[file] = count
    files = ds.FileSystemDataset(fragments, schema, parquet, filesystem)
    metadata = delta.metadata()
    counted = {*metadata.partition_columns, *metadata.configuration.get(STATISTICS, "").split(",")}
    # Nobody keeps statistics of texts that may be long: headers, and pictures.
    long = [field.name for field in schema if field.name not in counted and _may_be_long(field.type)]
    return TableDataset(files, rows, metadata.partition_columns, long, is_local=location.is_local)


def _may_be_long(type_: pa.DataType) -> bool:
    return any(is_a(type_) for is_a in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary))


def refuse_unreadable(location: TableLocation, delta: DeltaTable) -> None:
    """Raise :class:`CatalogError` where the rows of a table are not those of its Parquet files."""
    unreadable = set(delta.protocol().reader_features or ()) - _READABLE_FEATURES
    if unreadable:
        raise CatalogError(
            f"{location.uri} uses Delta features that cannot be read here: {', '.join(sorted(unreadable))}"
        )


def _known(before: TableDataset | None, schema: pa.Schema) -> Mapping[str, ds.ParquetFileFragment]:
    """Return the data files that are prepared, by path; none where the table has other columns by now."""
    return {} if before is None or before.schema != schema else before.fragments


def _guarantees(
    delta: DeltaTable, fields: list[pa.Field], known: Container[str]
) -> Iterator[tuple[str, int | None, ds.Expression]]:
    """Yield each live data file with the number of its rows and what its log entry guarantees for all of them.

    Of files that are known, nothing is told but their rows.
    """
    actions = pa.table(delta.get_add_actions(flatten=True))
    partitions = delta.metadata().partition_columns
    statistics = [field for field in fields if field.name not in partitions]
    told = actions.select([name for name in actions.column_names if _is_used(name, partitions, statistics)])
    paths, counts = (actions[name].to_pylist() for name in ("path", "num_records"))
    new = pa.array([from_log(path) not in known for path in paths], pa.bool_())
    for path, count, is_new in zip(paths, counts, new.to_pylist(), strict=True):
        if not is_new:
            yield path, count, ds.scalar(True)
    for action in told.filter(new).to_pylist():
        # A true literal is the neutral start: a table may have neither partitions nor statistics.
        guarantee = ds.scalar(True)
        for name in partitions:
            value = action[f"partition.{name}"]
            guarantee &= ds.field(name).is_null() if value is None else ds.field(name) == value
        for field in statistics:
            bounds = _bounds(field, action)
            guarantee = guarantee if bounds is None else guarantee & bounds
        yield action["path"], action.get("num_records"), guarantee


def _is_used(column: str, partitions: list[str], statistics: list[pa.Field]) -> bool:
    kind, _, name = column.partition(".")
    return column in ("path", "num_records") or (
        name in partitions if kind == "partition" else any(field.name == name for field in statistics)
    )


def _bounds(field: pa.Field, action: dict[str, Any]) -> ds.Expression | None:
    """Return what the statistics of one file guarantee for a column, ``None`` when nothing."""
    nulls, column = action.get(f"null_count.{field.name}"), ds.field(field.name)
    if nulls is not None and nulls == action["num_records"]:
        return column.is_null()
    low, high = action.get(f"min.{field.name}"), action.get(f"max.{field.name}")
    if low is None or high is None:
        return None
    if pa.types.is_timestamp(field.type):
        high += _STATISTICS_PRECISION
    inside = column >= pa.scalar(low, field.type)
    if not pa.types.is_floating(field.type):  # NaN is greater than all to DuckDB, and not in the statistics
        inside &= column <= pa.scalar(high, field.type)
    return inside if nulls == 0 else inside | column.is_null()
