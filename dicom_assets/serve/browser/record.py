"""One file: all that the catalog has of it, and what stands beside it in its series."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.extract.attributes import PROMOTED
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.documented import documented
from dicom_assets.query.errors import CatalogError
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.query.header_nodes import Header, header_of
from dicom_assets.query.labels import uid_name
from dicom_assets.query.lineage_model import RowLineage
from dicom_assets.serve.browser.listing import FILE_COLUMNS, Row, files_at
from dicom_assets.serve.errors import NotFoundError

STRIP = 400
"""Files of a series that are shown beside one."""
_NEAR = 24
"""Of them, those whose thumbnails are read at once: the others come when they are scrolled to."""
_MOST_COPIES = 20
_ELSEWHERE = frozenset({"header", "issues", "thumbnail", "error", *(column.name for column in PROMOTED)})
"""Columns that the page shows in places of their own."""
_SHOWN = frozenset({*FILE_COLUMNS, "header", "issues", *(column.name for column in PROMOTED)})
"""Columns that the page asks for, whether or not a catalog has them."""
_IN_STRIP = tuple(name for name in FILE_COLUMNS if not name.startswith("thumbnail") or name == "thumbnail_status")


@dataclass(frozen=True, slots=True)
class Issue:
    """A value that breaks a rule.

    Attributes
    ----------
    element, vr
        Where it is, and of which VR.
    code, meaning
        Which rule, and that in words.
    raw
        The value as it stands.

    """

    element: str
    vr: str
    code: str
    meaning: str
    raw: str


@dataclass(frozen=True, slots=True)
class Strip:
    """Files of one series, around one of them.

    Attributes
    ----------
    rows
        Those that are shown, in the order of the series.
    here
        Place of the file among these, from 0.
    place
        Of the file in the whole series, from 1.
    total
        Files of the series.

    """

    rows: tuple[Row, ...]
    here: int
    place: int
    total: int

    @property
    def near(self) -> tuple[Row, ...]:
        """The rows next to the file, those that are seen first."""
        return self.rows[max(0, self.here - _NEAR) : self.here + _NEAR]


@dataclass(frozen=True, slots=True)
class Record:
    """One file.

    Attributes
    ----------
    row
        Its row of ``object_catalog``.
    header
        Its elements.
    copies
        Rows of other files with its SOP Instance UID.
    strip
        Its series, ``None`` where it is of none or alone there.
    lineage
        Who made its rows, table by table.

    """

    row: Row
    header: Header
    copies: tuple[Row, ...]
    strip: Strip | None
    lineage: tuple[RowLineage, ...]

    @property
    def issues(self) -> Iterator[Issue]:
        """What is wrong with values."""
        meanings = documented(IssueCode)
        for issue in self.row.get("issues") or ():
            code = str(issue["code"] or "")
            element, vr, raw = (str(issue[name] or "") for name in ("path", "vr", "raw"))
            yield Issue(element, vr, code, meanings.get(code, code), raw)

    @property
    def facts(self) -> Iterator[tuple[str, Any]]:
        """What is known of the file beside its header."""
        return ((name, found) for name, found in self.row.items() if name not in _ELSEWHERE and found is not None)

    @property
    def attributes(self) -> Iterator[tuple[str, Any]]:
        """Attributes of the header that have a column."""
        for column in PROMOTED:
            found = self.row.get(column.name)
            if found is None or found == []:
                continue
            yield column.name, _as_in_a_header(found, column.vr)


def record_of(catalog: FixedCatalog, path: str, prefix: str, find: str = "") -> Record:
    """Return a file.

    Parameters
    ----------
    catalog
        Where to look.
    path, prefix
        Of the file; the prefix may be empty.
    find
        Text that elements of the header hold.

    Raises
    ------
    NotFoundError
        The catalog has no such file.

    """
    columns = sorted(catalog.columns(CATALOG_NAME).union(_SHOWN))
    rows = files_at(catalog, [path], [prefix] if prefix else (), columns)
    if not rows:
        raise NotFoundError("the catalog has no such file")
    row = rows[0]
    return Record(
        row=row,
        header=header_of(row.get("header"), find),
        copies=tuple(_copies(catalog, row)),
        strip=_strip(catalog, row),
        lineage=_lineage(catalog, path),
    )


def _as_in_a_header(found: Any, vr: str | None) -> Any:
    r"""Return a value as headers have it: several with ``\`` between them (PS3.5 6.4), a known UID with its name."""
    if isinstance(found, list):
        return "\\".join(f"{one:.10g}" if isinstance(one, float) else str(one) for one in found)
    name = uid_name(found) if vr == "UI" and isinstance(found, str) else found
    return found if name == found else f"{name} ({found})"


def _copies(catalog: FixedCatalog, row: Row) -> list[Row]:
    if not row.get("SOPInstanceUID"):
        return []
    source = catalog.narrow(CATALOG_NAME)
    found = catalog.ask(
        f"SELECT prefix, path FROM {source} WHERE SOPInstanceUID = $1 AND path <> $2{_there(catalog)} "  # noqa: S608
        f"ORDER BY path LIMIT {_MOST_COPIES:d}",
        [row["SOPInstanceUID"], row["path"]],
    )
    return files_at(catalog, found["path"].to_pylist(), found["prefix"].to_pylist(), _IN_STRIP)


def _strip(catalog: FixedCatalog, row: Row) -> Strip | None:
    if not row.get("SeriesInstanceUID"):
        return None
    known, source = catalog.columns(CATALOG_NAME), catalog.narrow(CATALOG_NAME)
    read = catalog.ask(
        f"SELECT {', '.join(name for name in _IN_STRIP if name in known)} FROM {source} "  # noqa: S608 - ours
        f"WHERE SeriesInstanceUID = $1{_there(catalog)} ORDER BY InstanceNumber NULLS LAST, path",
        [row["SeriesInstanceUID"]],
    )
    paths = read["path"].to_pylist()
    if len(paths) < 2 or row["path"] not in paths:
        return None
    place = paths.index(row["path"])
    start = max(0, min(place - STRIP // 2, len(paths) - STRIP))
    absent = dict.fromkeys(_IN_STRIP)
    rows = tuple(absent | row for row in read.slice(start, STRIP).to_pylist())
    return Strip(rows, place - start, place + 1, len(paths))


def _there(catalog: FixedCatalog) -> str:
    return " AND removed_at IS NULL" if "removed_at" in catalog.columns(CATALOG_NAME) else ""


def _lineage(catalog: FixedCatalog, path: str) -> tuple[RowLineage, ...]:
    """Return who made the rows of a file; nothing where the tables cannot tell, which is no reason to show no file."""
    try:
        files = catalog.lineage(path).files
    except (CatalogError, OSError, ValueError):
        return ()
    return files[0].rows if files else ()
