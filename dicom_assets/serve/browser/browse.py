"""Lists and plots of a selection: what their pages are made of."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.responses import HTMLResponse

from dicom_assets.extract.status import CatalogStatus
from dicom_assets.query.documented import documented
from dicom_assets.query.errors import QueryError
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.browser.columns import COLUMNS, order_of
from dicom_assets.serve.browser.conditions import ConditionError, condition_text
from dicom_assets.serve.browser.facet import FACETS
from dicom_assets.serve.browser.facets import Cube, Facets, counted
from dicom_assets.serve.browser.images import Shelf
from dicom_assets.serve.browser.listing import FILE_COLUMNS, Row, Rows, files_at, nameless, reasons_of, rows_of
from dicom_assets.serve.browser.pages import Pages
from dicom_assets.serve.browser.plots import plots_of
from dicom_assets.serve.browser.search import Found, is_search, search
from dicom_assets.serve.browser.selection import MOST_RESULTS, PAGE_ROWS, Level, Selection, SelectionError, View

_COPYABLE = "SELECT path, Modality, PatientID, StudyDate, SeriesDescription, status\nFROM object_catalog\nWHERE {}"


@dataclass(frozen=True, slots=True)
class Wrong:
    """A condition that could not be applied.

    Attributes
    ----------
    where
        As it was written.
    reason
        What is wrong with it.

    """

    where: str
    reason: str


class Browse:
    """Pages of selections.

    Parameters
    ----------
    pages
        Makes HTML.
    shelf
        Where the thumbnails of rows are laid down.

    """

    def __init__(self, pages: Pages, shelf: Shelf) -> None:
        self._pages, self._shelf, self._facets = pages, shelf, Facets()

    def listed(self, catalog: FixedCatalog, selection: Selection, wrong: Wrong | None = None) -> HTMLResponse:
        """Return a page of rows with all that it can be narrowed by, and what was wrong with the condition of it."""
        with _asked(selection):
            shown = self._shown(catalog, selection)
        return self._pages.page("browse", catalog, 400 if wrong else 200, **shown, wrong=wrong)

    def cards(self, catalog: FixedCatalog, selection: Selection) -> HTMLResponse:
        """Return the cards of a page, and nothing around them."""
        if selection.shown_as is not View.GRID:
            raise SelectionError("only series and files have cards")
        with _asked(selection):
            rows = self._rows(catalog, selection, 0)
        return self._pages.page(
            "cards", catalog, selection=selection, rows=rows.rows, pictures=self._pictures(catalog, selection, rows)
        )

    def plots(self, catalog: FixedCatalog, selection: Selection, wrong: Wrong | None = None) -> HTMLResponse:
        """Return the plots of a selection; as :meth:`listed` otherwise."""
        with _asked(selection):
            cube = self._facets.cube(catalog, selection)
            plots = plots_of(catalog, cube, selection)
        values = {**_named(selection), "plots": plots, "files": cube.total(selection), "wrong": wrong}
        return self._pages.page("plots", catalog, 400 if wrong else 200, **values)

    def lay_down(self, catalog: FixedCatalog, rows: Sequence[Row]) -> dict[str, Row]:
        """Read the thumbnails of some files at once; returns their rows by path."""
        wanted = [row for row in rows if row.get("path")]
        prefixes = [row["prefix"] for row in wanted if row.get("prefix")]
        read = files_at(
            catalog, [row["path"] for row in wanted], prefixes if len(prefixes) == len(wanted) else (), FILE_COLUMNS
        )
        self._shelf.put(read)
        return {row["path"]: row for row in read}

    def _shown(self, catalog: FixedCatalog, selection: Selection) -> dict[str, Any]:
        cube, rows = self._counted(catalog, selection)
        files = cube.total(selection)
        order = order_of(selection)
        last = max(1, -(-min(rows.total, MOST_RESULTS) // PAGE_ROWS))
        return {
            **_named(selection),
            "rows": rows.rows,
            "pictures": self._pictures(catalog, selection, rows),
            "total": rows.total,
            "reachable": min(rows.total, MOST_RESULTS),
            "files": files,
            "facets": list(counted(cube, selection)),
            "columns": COLUMNS[selection.level],
            "order": order,
            "last": last,
            "page_rows": PAGE_ROWS,
            "reasons": reasons_of(catalog, selection) if selection.level is Level.PROBLEMS else (),
            "meanings": documented(CatalogStatus),
            "nameless": nameless(catalog, selection) if selection.level is Level.PATIENTS else 0,
            "as_sql": _COPYABLE.format(condition_text(catalog, selection)),
        }

    def _counted(self, catalog: FixedCatalog, selection: Selection) -> tuple[Cube, Rows]:
        """Return the counts and the rows of a page: of a new search from one pass, else each from its own."""
        found: list[Found] = []

        def count() -> Cube:
            found.append(search(catalog, selection))
            return found[0].cube

        cube = self._facets.cube(catalog, selection, count if is_search(selection) else None)
        if not found:
            return cube, self._rows(catalog, selection, cube.total(selection))
        prefixes, paths = ([key[part] for key in found[0].keys] for part in (0, 1))
        rows = files_at(catalog, paths, prefixes)
        self._shelf.put(rows)
        return cube, Rows(rows, cube.total(selection))

    def _rows(self, catalog: FixedCatalog, selection: Selection, files: int) -> Rows:
        rows = rows_of(catalog, selection, files)
        if selection.level is Level.FILES:
            self._shelf.put(rows.rows)
        return rows

    def _pictures(self, catalog: FixedCatalog, selection: Selection, rows: Rows) -> dict[str, Row]:
        """Return the files whose thumbnails stand for the rows of a grid, by path."""
        if selection.shown_as is not View.GRID:
            return {}
        if selection.level is Level.FILES:
            return {row["path"]: row for row in rows.rows}
        return self.lay_down(catalog, [{"path": row["thumbnail_path"]} for row in rows.rows])


def _named(selection: Selection) -> dict[str, Any]:
    """Return what a page says of its selection."""
    chosen = [
        (facet.title, facet.label(value), selection.toggled(facet.name, value))
        for facet in FACETS
        for value in selection.chosen(facet.name)
    ]
    return {"selection": selection, "chosen": chosen}


@contextmanager
def _asked(selection: Selection) -> Iterator[None]:
    """Tell who wrote a condition of the selection why a query with it failed; without one the fault is ours."""
    try:
        yield
    except QueryError as error:
        if not selection.where:
            raise
        raise ConditionError(str(error)) from error
