"""Reading the members of entities: the narrow columns of ``object_catalog``, from the data files that hold them."""

from collections.abc import Sequence

import pyarrow as pa

from dicom_assets.delta.files import read_rows
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.extract.rollups import RollupTable
from dicom_assets.pipeline.rollup.due import MEMBER, members_of
from dicom_assets.tables import KEY, PARTITION

_THUMBNAIL = ("thumbnail_status", "frame_number")


def columns_of(table: RollupTable, catalog: Sequence[str]) -> list[str]:
    """Return the columns of ``object_catalog`` that rows are made of: never the wide ones, header and thumbnail.

    Parameters
    ----------
    table
        The rollup.
    catalog
        Columns that ``object_catalog`` has.

    """
    named = [
        PARTITION,
        KEY,
        table.key,
        *MEMBER,
        *table.attributes,
        *(n for names in table.sources.values() for n in names),
    ]
    return [name for name in dict.fromkeys((*named, *_THUMBNAIL)) if name in catalog]


def read_members(catalog: Snapshot, table: RollupTable, keys: pa.Array, paths: Sequence[str]) -> pa.Table:
    """Return the members of some entities of one prefix, as :func:`members_of` orders them.

    Parameters
    ----------
    catalog
        Snapshot of ``object_catalog``.
    table
        The rollup.
    keys
        UIDs of the entities.
    paths
        Data files of the prefix that hold members, on storage.

    """
    names = columns_of(table, catalog.table.schema.names)
    schema = pa.schema([catalog.table.schema.field(name) for name in names])
    wanted, filesystem = frozenset(paths), catalog.location.filesystem()
    batches = [
        batch
        for file in catalog.files
        if file.path in wanted
        for batch in read_rows(filesystem, catalog.table, file, names, keys, table.key)
    ]
    return members_of(pa.Table.from_batches(batches, schema), table.key)
