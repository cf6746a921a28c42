"""The row of one file, by whatever users call it: a path in any spelling, or a UID."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.database import Catalog
from dicom_assets.query.errors import LineageError
from dicom_assets.query.fetching import fetch
from dicom_assets.query.lineage_asking import Asking
from dicom_assets.query.lineage_names import LEVELS, is_uid
from dicom_assets.query.sql_text import literal
from dicom_assets.tables import KEY

_INSTANCE, *_GROUPS = LEVELS
_NAMES = {"SeriesInstanceUID": "series", "StudyInstanceUID": "study"}
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Found:
    """One file of the catalog.

    Attributes
    ----------
    row
        Its row of ``object_catalog``.
    copies
        Paths of other files with the same SOP Instance UID, where that was asked for.

    """

    row: dict[str, Any]
    copies: tuple[str, ...] = ()


def find(catalog: Catalog, asked: str) -> Found:
    """Return the file that is meant.

    Parameters
    ----------
    catalog
        Where to look.
    asked
        Path or URI, absolute or relative to the working directory or to the root of the archive; or a SOP Instance
        UID.

    Raises
    ------
    LineageError
        The catalog holds no such file, or the UID is that of a series or study.
    NoCatalogError
        There is no catalog.

    """
    asking = Asking(catalog)
    candidates = asking.candidates(asked)
    rows = _rows(catalog, f"{KEY} IN ({', '.join(map(literal, candidates))})") if candidates else []
    if rows:
        return Found(min(rows, key=lambda row: candidates.index(row[KEY])))
    if not is_uid(asked):
        raise LineageError(f"the catalog has no file {asked}{asking.hint(candidates)}")
    paths = _paths(catalog, _INSTANCE, asked)
    if paths:
        (row, *_) = _rows(catalog, f"{KEY} = {literal(paths[0])}")
        return Found(row, tuple(paths[1:]))
    raise LineageError(_of_a_group(catalog, asked))


def _of_a_group(catalog: Catalog, uid: str) -> str:
    """Return what to ask for instead of a series or a study."""
    for level in _GROUPS:
        if paths := _paths(catalog, level, uid):
            files = "1 file" if len(paths) == 1 else f"{len(paths):,} files"
            more = ", ..." if len(paths) > _SHOWN else ""
            return f"{uid} is a {_NAMES[level]} of {files}; name one of them: {', '.join(paths[:_SHOWN])}{more}"
    return f"the catalog has no file, and no study, series or instance {uid}"


def _paths(catalog: Catalog, level: str, uid: str) -> Sequence[str]:
    query = f"SELECT {KEY} FROM {CATALOG_NAME} WHERE {level} = {literal(uid)} ORDER BY {KEY}"  # noqa: S608 - quoted
    return [row[KEY] for row in fetch(catalog, query)]


def _rows(catalog: Catalog, condition: str) -> list[dict[str, Any]]:
    return fetch(catalog, f"SELECT * FROM {CATALOG_NAME} WHERE {condition}")  # noqa: S608 - quoted
