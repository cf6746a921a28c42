"""The columns of one's own that a catalog has: kept with its tables, so that whoever comes next knows them.

They are a property of ``dicom_headers``. A run adds those that it is configured with; what others have added stays,
until it is removed by name. That is stated first, and rows follow: killed in between, the next run goes on.
"""

from collections.abc import Callable, Iterable, Sequence

from deltalake.exceptions import CommitFailedError

from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import STATISTICS
from dicom_assets.delta.newest import newest
from dicom_assets.errors import UserError
from dicom_assets.extract.headers import DICOM_HEADERS, own_columns, with_columns
from dicom_assets.extract.model import CatalogModel
from dicom_assets.extract.own_columns import PromotedColumn, from_json, to_json
from dicom_assets.storage.retries import retry_lost_race
from dicom_assets.tables import Table

COLUMNS = "dicom_assets.columns"
"""Property of ``dicom_headers``: the columns of one's own."""

_ATTEMPTS = 10
Columns = tuple[PromotedColumn, ...]


class OwnColumnError(UserError, ValueError):
    """A column of one's own cannot be added, changed or removed like this."""


def saved_columns(lake: Lake) -> Columns:
    """Return the columns of one's own that a catalog has; none where there is no catalog."""
    location = lake.location(DICOM_HEADERS)
    return _saved(newest(location).metadata().configuration.get(COLUMNS)) if location.exists() else ()


def _saved(text: str | None) -> Columns:
    """Return columns without those that the package has meanwhile."""
    ours = {name.casefold() for name in DICOM_HEADERS.schema.names}
    return tuple(one for one in from_json(text) if one.name.casefold() not in ours)


def stored_model(lake: Lake, model: CatalogModel) -> CatalogModel:
    """Return a model with the columns that a catalog has, and change nothing.

    Raises
    ------
    OwnColumnError
        A column of the model has another type in the catalog.

    """
    if DICOM_HEADERS.name not in (table.name for table in model.extracted):
        return model
    return _with(model, merged(saved_columns(lake), own_columns(model.extractors)))


def settle_columns(lake: Lake, model: CatalogModel) -> CatalogModel:
    """Create the tables of a model that are missing, add its columns to the catalog, and return it with all of them.

    Raises
    ------
    OwnColumnError
        A column of the model has another type in the catalog.
    TableSchemaError
        A column on storage has another type.
    LakeFormatError
        A newer version of this package has written a table.

    """
    wide = stored_model(lake, model)
    lake.ensure(wide.tables)
    given = own_columns(model.extractors)
    if given:
        wide = _with(model, save(lake, lambda saved: merged(saved, given)))
        state_statistics(lake, wide.catalog)
    return wide


def _with(model: CatalogModel, columns: Sequence[PromotedColumn]) -> CatalogModel:
    """Return a model whose headers have exactly some columns."""
    return CatalogModel(with_columns(model.extractors, columns))


def without(columns: Columns, names: Iterable[str]) -> Columns:
    """Return columns but those of some names."""
    gone = frozenset(names)
    return tuple(one for one in columns if one.name not in gone)


def merged(saved: Columns, given: Columns) -> Columns:
    """Return the columns of a catalog and those that are given; of one name, what is given counts.

    Raises
    ------
    OwnColumnError
        They are of different type.

    """
    before, now = ({one.name.casefold(): one for one in columns} for columns in (saved, given))
    for name in before.keys() & now.keys():
        if (before[name].name, before[name].type) != (now[name].name, now[name].type):
            raise OwnColumnError(
                f"the catalog has the column {before[name]}, which cannot become {now[name]}: give it another name, or "
                f"remove it first with `dicom-assets columns --remove {before[name].name}`"
            )
    return tuple((before | now).values())


def save(lake: Lake, change: Callable[[Columns], Columns]) -> Columns:
    """Change the columns that a catalog states, whatever others do meanwhile; returns those that it has then.

    Parameters
    ----------
    lake
        The tables.
    change
        Returns the columns that there are to be, of those that there are.

    """

    def save_once() -> Columns:
        delta = lake.location(DICOM_HEADERS).open()
        properties = delta.metadata().configuration
        saved = _saved(properties.get(COLUMNS))
        columns = change(saved)
        if columns != saved:
            statistics = _statistics(DICOM_HEADERS, columns, properties.get(STATISTICS, ""))
            # On the version that was read: of two changes at once, the second is refused, and looks again.
            delta.alter.set_table_properties(
                {COLUMNS: to_json(columns), STATISTICS: statistics}, raise_if_not_exists=False
            )
        return columns

    return retry_lost_race(save_once, CommitFailedError, _ATTEMPTS)


def _statistics(table: Table, columns: Iterable[PromotedColumn], stated: str) -> str:
    """Return the columns that others who write data files, as a compaction does, are to keep statistics of."""
    own = (one.name for one in columns if not one.many)
    known = [name for name in stated.split(",") if name in table.schema.names]
    return ",".join(dict.fromkeys((*known, *table.statistics_columns, *own)))


def state_statistics(lake: Lake, catalog: Table) -> None:
    """Have ``object_catalog`` keep statistics of the columns that it has, no more and no fewer."""

    def state_once() -> None:
        location = lake.location(catalog)
        stated = ",".join(catalog.statistics_columns)
        known = newest(location).metadata().configuration.get(STATISTICS, "")
        if set(known.split(",")) != set(catalog.statistics_columns):
            location.open().alter.set_table_properties({STATISTICS: stated}, raise_if_not_exists=False)

    retry_lost_race(state_once, CommitFailedError, _ATTEMPTS)
