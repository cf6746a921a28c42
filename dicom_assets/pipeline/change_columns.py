"""Adding columns of one's own to a catalog, and removing some, at once: all its rows follow, and no file is read.

``object_catalog`` keeps the headers as ``dicom_headers`` does, so that its rows are made of themselves as well,
whatever other tables they are joined from.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import pyarrow as pa

from dicom_assets.delta.evolution import drop_columns
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.origin import run_id_of, with_run_id
from dicom_assets.delta.stored import stored_table
from dicom_assets.extract.headers import DICOM_HEADERS, HeaderExtractor
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.extract.own_columns import PromotedColumn, columns_of
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.engine import Engine
from dicom_assets.pipeline.own_columns import OwnColumnError, merged, save, saved_columns, state_statistics, without
from dicom_assets.pipeline.refill import RefillStep
from dicom_assets.tables import Table

_PREFIXES_AT_ONCE = 50
_CATALOG = Table(CATALOG_NAME, "", ())
_Columns = tuple[PromotedColumn, ...]


@dataclass(frozen=True, slots=True)
class ColumnsChange:
    """What changing the columns of a catalog did.

    Attributes
    ----------
    columns
        Those of one's own that the catalog has now.
    rows
        How many rows of ``dicom_headers`` were made anew.

    """

    columns: _Columns
    rows: int


def change_columns(
    lake: Lake, engine: Engine, *, add: Iterable[PromotedColumn | str] = (), remove: Iterable[str] = ()
) -> ColumnsChange:
    """Add columns to a catalog and remove some, and fill or empty its rows: no file of the archive is read.

    Killed at any moment and called again, it ends the same; what was added is filled by the next run of the pipeline,
    too.

    Parameters
    ----------
    lake
        The tables.
    engine
        Where data files are rewritten.
    add
        As :class:`~dicom_assets.extract.own_columns.PromotedColumn`, or as text: ``Weight=PatientWeight:number``.
    remove
        Names. Their values are readable in older versions of the tables until these are vacuumed.

    Raises
    ------
    OwnColumnError
        There is no catalog, no column of a name, another column of that name, or one of another type.
    ColumnError, AttributePathError
        A text says no column, or no attribute.

    """
    if not all(lake.location(table).exists() for table in (DICOM_HEADERS, _CATALOG)):
        raise OwnColumnError(f"there is no catalog at {lake.root}/{lake.schema}: make it with `dicom-assets catalog`")
    more, names = columns_of(add), tuple(dict.fromkeys(remove))
    # What does not go together is told before anything is changed.
    _check_known(lake, names)
    left = without(saved_columns(lake), names)
    merged(left, more)
    _check_free(lake, more, {*names, *(one.name for one in left)})
    rows = _remove(lake, names, engine) if names else 0
    wide = merged(saved_columns(lake), more)
    lake.ensure([HeaderExtractor(wide).table, _catalog(lake, wide)])
    columns = save(lake, lambda saved: merged(saved, more))
    return ColumnsChange(columns, rows + _follow(lake, columns, engine))


def _check_known(lake: Lake, names: Iterable[str]) -> None:
    """Raise unless all names are of columns of one's own, those of an interrupted removal included."""
    stored = {field.name for field in lake.location(DICOM_HEADERS).open().schema().fields}
    known = stored - set(DICOM_HEADERS.schema.names)
    for name in names:
        if name not in known:
            raise OwnColumnError(
                f"the catalog has no column {name[:80]!a} of your own; it has {', '.join(sorted(known)) or 'none'}"
            )


def _check_free(lake: Lake, columns: Iterable[PromotedColumn], own: Collection[str]) -> None:
    """Raise unless no other column of the tables has the name of one that is to be added, in whatever case."""
    ours = {name.casefold() for name in own}
    stored = (
        field.name for table in (DICOM_HEADERS, _CATALOG) for field in lake.location(table).open().schema().fields
    )
    taken = {name.casefold(): name for name in (*stored, *DICOM_HEADERS.schema.names)}
    for one in columns:
        if (name := one.name.casefold()) in taken and name not in ours:
            raise OwnColumnError(f"the tables have a column {taken[name]} already: give {one} another name")


def _remove(lake: Lake, names: Collection[str], engine: Engine) -> int:
    """Take columns out of a catalog: out of what it states, then out of its rows, at last out of its tables."""
    columns = save(lake, lambda saved: without(saved, names))
    rows = _follow(lake, columns, engine, dropped=names)
    for table in (DICOM_HEADERS, _CATALOG):
        drop_columns(lake.location(table), names)
    return rows


def _catalog(lake: Lake, columns: _Columns, dropped: Collection[str] = ()) -> Table:
    """Return ``object_catalog`` as it is on storage, with some columns of one's own and without others."""
    stored = stored_table(lake.location(_CATALOG))
    own = [one.column() for one in columns]
    others = {*dropped, *(column.name for column in own)}
    kept = (column for column in stored.columns if column.name not in others)
    return Table(CATALOG_NAME, stored.description, (*kept, *own))


@dataclass(frozen=True)
class _CatalogRows:
    """Makes rows of ``object_catalog`` anew from the headers in them.

    Attributes
    ----------
    table
        With the columns of one's own.
    headers
        Makes their values.

    """

    table: Table
    headers: HeaderExtractor

    def refilled(self, version: str) -> str | None:
        """Return a version in which that of the headers is another; it is one of several parts."""
        parts = version.split(" ")
        new = " ".join(self.headers.refilled(part) or part for part in parts)
        return None if new == version else new

    def refill(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows with the values of the columns."""
        return self.headers.refill(rows)


def _follow(lake: Lake, columns: _Columns, engine: Engine, *, dropped: Collection[str] = ()) -> int:
    """Make the rows that have other columns anew, prefix by prefix; returns how many there were of the headers."""
    headers, catalog = HeaderExtractor(columns), _catalog(lake, columns, dropped)
    state_statistics(lake, catalog)
    metadata, rows = with_run_id({}), 0
    run_id = run_id_of(metadata)
    prefixes = sorted({file.prefix for file in lake.snapshot(_CATALOG).files})
    for start in range(0, len(prefixes), _PREFIXES_AT_ONCE):
        group = prefixes[start : start + _PREFIXES_AT_ONCE]
        refilled = converge(RefillStep(lake, headers, group, run_id), engine, metadata)
        rows += refilled.outcomes[DICOM_HEADERS.name].made
        converge(RefillStep(lake, _CatalogRows(catalog, headers), group, run_id), engine, metadata)
    return rows
