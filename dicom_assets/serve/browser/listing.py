"""Pages of rows: patients, studies and series from the rollups, files from ``object_catalog``.

A page of files takes two queries: the first looks at all rows but only at the columns of the condition and the order,
the second reads the rows of the page alone, with their thumbnails.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.browser.columns import order_of
from dicom_assets.serve.browser.conditions import SCOPE_COLUMNS, Bound, condition_of
from dicom_assets.serve.browser.selection import MOST_RESULTS, PAGE_ROWS, Level, Selection
from dicom_assets.serve.errors import RequestError

Row = dict[str, Any]

FILE_COLUMNS = (
    "prefix",
    "path",
    "relative_path",
    "fingerprint",
    "made_at",
    "size",
    "modified_at",
    "status",
    "error",
    "header_status",
    "thumbnail_status",
    "Modality",
    "PatientID",
    "StudyDate",
    "SeriesDescription",
    "InstanceNumber",
    "BurnedInAnnotation",
    "thumbnail_media_type",
    "thumbnail",
)
"""Of a file in a list."""

_ENTITIES = {
    Level.PATIENTS: ("patient", "patients"),
    Level.STUDIES: ("study", "all_studies"),
    Level.SERIES: ("series", "all_series"),
}


class NoRollupsError(RequestError):
    """The catalog was made by a release that had no tables of series and studies."""

    status = 404


@dataclass(frozen=True, slots=True)
class Rows:
    """One page.

    Attributes
    ----------
    rows
        By the names of their columns; those of patients, studies and series have ``matching``, how many files of the
        selection they hold.
    total
        Rows on all pages.

    """

    rows: Sequence[Row]
    total: int


def rows_of(catalog: FixedCatalog, selection: Selection, files: int) -> Rows:
    """Return a page of a selection.

    Parameters
    ----------
    catalog, selection
        Of which files, and which page.
    files
        How many files match in all.

    Raises
    ------
    SelectionError
        The selection has a condition or an order that the catalog has not.
    NoRollupsError
        There are no tables of series and studies.
    QueryError
        A data file is gone, or the query took too long.

    """
    if selection.level in _ENTITIES:
        return _entities(catalog, selection)
    return Rows(_files(catalog, selection), files)


def _entities(catalog: FixedCatalog, selection: Selection) -> Rows:
    name, view = _ENTITIES[selection.level]
    if "studies" not in catalog.fixed or "series" not in catalog.fixed:
        raise NoRollupsError("this catalog has no tables of series and studies yet: look at its files, or update it")
    key, order = SCOPE_COLUMNS[name], order_of(selection)
    if selection.is_everything:
        source, values = f"SELECT *, files AS matching FROM {view}", ()  # noqa: S608 - a name of ours
    else:
        condition, files = condition_of(catalog, selection), catalog.narrow(CATALOG_NAME, selection.where)
        values = condition.values
        source = (
            f"SELECT entity.*, chosen.matching FROM {view} AS entity JOIN (SELECT {key}, count(*) AS matching "  # noqa: S608
            f"FROM {files}\nWHERE {condition.sql}\nGROUP BY {key}) AS chosen USING ({key})"
        )
    read = catalog.ask(
        f"SELECT *, count(*) OVER () AS total FROM ({source}) ORDER BY {order.sql}, {key} "  # noqa: S608 - our names
        f"LIMIT {PAGE_ROWS:d} OFFSET {selection.offset:d}",
        values,
    ).to_pylist()
    return Rows(read, int(read[0]["total"]) if read else 0)


def _files(catalog: FixedCatalog, selection: Selection) -> list[Row]:
    condition = condition_of(catalog, selection)
    source = catalog.narrow(CATALOG_NAME, selection.where)
    keys = catalog.ask(
        f"SELECT prefix, path FROM {source}\nWHERE {condition.sql}\n"  # noqa: S608 - our names, bound values
        f"ORDER BY {order_of(selection).sql}, path LIMIT {PAGE_ROWS:d} OFFSET {min(selection.offset, MOST_RESULTS):d}",
        condition.values,
    )
    return files_at(catalog, keys["path"].to_pylist(), keys["prefix"].to_pylist())


def files_at(
    catalog: FixedCatalog, paths: Sequence[str], prefixes: Sequence[str] = (), columns: Sequence[str] = FILE_COLUMNS
) -> list[Row]:
    """Return the rows of some files, in the order of their paths; files that have none are left out.

    Parameters
    ----------
    catalog
        Where to look.
    paths
        Of the files.
    prefixes
        Those that they stand below, where that is known: it saves looking elsewhere.
    columns
        Of ``object_catalog``; ``None`` where a catalog lacks one.

    """
    if not paths:
        return []
    known = catalog.columns(CATALOG_NAME)
    bound = Bound()
    within = bound.among("prefix", dict.fromkeys(prefixes)) if prefixes else "true"
    names = ", ".join(f'"{name}"' for name in columns if name in known)
    read = catalog.ask(
        f"SELECT {names} FROM {CATALOG_NAME} WHERE {within} AND {bound.among('path', paths)}",  # noqa: S608 - our names
        bound.values,
    )
    absent = dict.fromkeys(columns)
    found: dict[str, Row] = {row["path"]: absent | row for row in read.to_pylist()}
    return [found[path] for path in dict.fromkeys(paths) if path in found]


def nameless(catalog: FixedCatalog, selection: Selection) -> int:
    """Return how many files of a selection state no Patient ID: the list of patients has none for them."""
    condition, source = condition_of(catalog, selection), catalog.narrow(CATALOG_NAME, selection.where)
    found = catalog.ask(
        f"SELECT count(*) AS files FROM {source}\nWHERE {condition.sql}\nAND PatientID IS NULL",  # noqa: S608 - bound
        condition.values,
    )
    return int(found["files"][0].as_py())


def reasons_of(catalog: FixedCatalog, selection: Selection, most: int = 30) -> list[Row]:
    """Return why files are not as they should be: ``status``, ``error`` and how many ``files``, the most first."""
    condition = condition_of(catalog, selection)
    source = catalog.narrow(CATALOG_NAME, selection.where)
    rows: list[Row] = catalog.ask(
        f"SELECT status, error, count(*) AS files FROM {source}\nWHERE {condition.sql}\n"  # noqa: S608 - bound
        f"GROUP BY status, error ORDER BY files DESC, status, error LIMIT {most:d}",
        condition.values,
    ).to_pylist()
    return rows
