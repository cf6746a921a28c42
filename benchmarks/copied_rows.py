"""Rows of any number of prefixes without files: those of one real prefix, written by the real code under other names.

What the archive of :mod:`benchmarks.study_archive` lists is then settled, so that a look at it compares all rows.
"""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.study_archive import patient_id
from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import CatalogModel
from dicom_assets.extract.rollups import RollupTable
from dicom_assets.pipeline.rollup.due import due_rows, members_of
from dicom_assets.tables import PARTITION

_AT_ONCE = 50
_NAMED = ("path", "relative_path")


def copy_prefix(lake: Lake, model: CatalogModel, prefix: str, numbers: Sequence[int]) -> None:
    """Write the rows of a prefix under the names of others, some prefixes a commit."""
    rows = {table.name: _rows(lake, model, table.name, prefix) for table in model.tables}
    for start in range(0, len(numbers), _AT_ONCE):
        names = [patient_id(number) for number in numbers[start : start + _AT_ONCE]]
        for table in model.tables:
            location = lake.location(table)
            batches = [
                batch for name in names for batch in _renamed(rows, model, table.name, prefix, name).to_batches()
            ]
            adds = write_batches(location.filesystem(), table, batches)
            commit(location, Change(adds, [], dict.fromkeys(names, 0)))


def _rows(lake: Lake, model: CatalogModel, name: str, prefix: str) -> pa.Table:
    table = model.table(name)
    snapshot = lake.snapshot(table, [prefix])
    batches: Iterable[pa.RecordBatch] = (batch for _, batch in snapshot.rows(table.schema.names))
    return pa.Table.from_batches(batches, table.schema).combine_chunks()


def _renamed(rows: dict[str, pa.Table], model: CatalogModel, name: str, old: str, new: str) -> pa.Table:
    """Return the rows of a table under another prefix; those of rollups in the version that is due then."""
    table, found = model.table(name), rows[name]
    found = _with(found, PARTITION, pa.repeat(new, found.num_rows))
    for column in _NAMED:
        if column in found.column_names:
            found = _with(found, column, pc.replace_substring(found[column], old, new))
    if not isinstance(table, RollupTable):
        return found
    members = members_of(_renamed(rows, model, model.catalog.name, old, new), table.key)
    due = due_rows(members, table)
    place = pc.index_in(found[table.key], due[table.key].combine_chunks())
    return _with(found, "extractor_version", due["extractor_version"].take(place.combine_chunks()))


def _with(rows: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    place = rows.schema.get_field_index(name)
    return rows.set_column(place, rows.schema.field(place), values.cast(rows.schema.field(place).type))
