"""The pages at the root of the server: which address shows what."""

from collections.abc import Callable, Iterable

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.errors import QueryError
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.query.formats import Format
from dicom_assets.serve.browser import images, sql_page, static
from dicom_assets.serve.browser.browse import Browse, Wrong
from dicom_assets.serve.browser.conditions import ConditionError
from dicom_assets.serve.browser.images import Shelf
from dicom_assets.serve.browser.pages import Pages
from dicom_assets.serve.browser.record import record_of
from dicom_assets.serve.browser.selection import Selection, SelectionError
from dicom_assets.serve.errors import NotFoundError
from dicom_assets.serve.service import Service, catalog_of

_FILES = {"csv": (Format.CSV, "text/csv; charset=utf-8"), "parquet": (Format.PARQUET, "application/vnd.apache.parquet")}

Answering = Callable[[Request, FixedCatalog], Response]
Showing = Callable[[FixedCatalog, Selection, Wrong | None], Response]


def routes(service: Service) -> Iterable[BaseRoute]:
    """Return the routes below ``/``."""
    browser = Browser(service)
    yield Route("/static/{name}", service.endpoint(static.answer))
    yield Route("/image", service.endpoint(browser.image))
    for path, answer in (
        ("/", browser.listed),
        ("/cards", browser.cards),
        ("/plots", browser.plots),
        ("/file", browser.file),
        ("/sql", browser.sql),
        ("/answer.{form}", browser.answer_file),
    ):
        yield Route(path, service.endpoint(browser.page(answer)))


class Browser:
    """The answers, and what is kept between them.

    Parameters
    ----------
    service
        Of the site.

    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._pages, self._shelf = Pages(service.site), Shelf()
        self._browse = Browse(self._pages, self._shelf)

    def page(self, answer: Answering) -> Callable[[Request], Response]:
        """Return an answer in whose place a page says why there is none, where that is of the request's making."""

        def answered(request: Request) -> Response:
            catalog = catalog_of(request)
            try:
                return answer(request, catalog)
            except NotFoundError as error:
                return self._pages.page("refusal", catalog, error.status, title="Nothing found", reason=str(error))
            except SelectionError as error:
                self._retried_where_the_tables_moved_on(catalog, error)
                title = "This cannot be shown"
                return self._pages.page("refusal", catalog, error.status, title=title, reason=str(error))

        return answered

    def image(self, request: Request) -> Response:
        """Answer with a thumbnail."""
        return images.answer(request, catalog_of(request), self._shelf)

    def listed(self, request: Request, catalog: FixedCatalog) -> Response:
        """Answer with a page of rows."""
        return self._with_or_without_condition(self._browse.listed, request, catalog)

    def cards(self, request: Request, catalog: FixedCatalog) -> Response:
        """Answer with the cards of a page alone, for the script."""
        return self._browse.cards(catalog, _selection(request))

    def plots(self, request: Request, catalog: FixedCatalog) -> Response:
        """Answer with the plots of a selection."""
        return self._with_or_without_condition(self._browse.plots, request, catalog)

    def file(self, request: Request, catalog: FixedCatalog) -> Response:
        """Answer with one file."""
        asked = request.query_params
        find = asked.get("find", "")[:200]
        record = record_of(catalog, asked.get("path", ""), asked.get("prefix", ""), find)
        if record.strip is not None:
            self._browse.lay_down(catalog, record.strip.near)
        self._shelf.put([record.row])
        return self._pages.page("record", catalog, record=record, row=record.row, find=find)

    def sql(self, request: Request, catalog: FixedCatalog) -> Response:
        """Answer with a query and what it gave."""
        query = request.query_params.get("query", "").strip()
        answer, refused = None, ""
        if query:
            try:
                answer = sql_page.answer(catalog, query)
            except sql_page.AnswerError as error:
                self._retried_where_the_tables_moved_on(catalog, error)
                refused = str(error)
        return self._pages.page(
            "sql",
            catalog,
            400 if refused else 200,
            query=query,
            answer=answer,
            refused=refused,
            examples=sql_page.EXAMPLES,
            tables=catalog.tables(),
            views=catalog.views(),
            most=sql_page.FILE_ROWS,
        )

    def answer_file(self, request: Request, catalog: FixedCatalog) -> Response:
        """Answer with a file of what a query gave."""
        form = request.path_params["form"]
        if form not in _FILES:
            raise NotFoundError("answers come as answer.csv or answer.parquet")
        kind, media_type = _FILES[form]
        file = sql_page.answer_file(catalog, request.query_params.get("query", ""), kind)
        gone = BackgroundTask(file.unlink, missing_ok=True)
        return FileResponse(
            file,
            media_type=media_type,
            filename=f"answer.{form}",
            headers={"Cache-Control": "no-store"},
            background=gone,
        )

    def _with_or_without_condition(self, show: Showing, request: Request, catalog: FixedCatalog) -> Response:
        """Show a selection; where its condition is wrong, show it without that, and say so: all else stays chosen."""
        selection = _selection(request)
        try:
            return show(catalog, selection, None)
        except ConditionError as error:
            self._retried_where_the_tables_moved_on(catalog, error)
            return show(catalog, selection.asked(""), Wrong(selection.where, str(error)))

    def _retried_where_the_tables_moved_on(self, catalog: FixedCatalog, error: SelectionError) -> None:
        """Raise what a query failed with, where the reason may be a data file of a version that is the present no more.

        The service then asks once more, of the newest version.
        """
        cause = error.__cause__
        if cause is not None and self._service.follower.newest().fixed.get(CATALOG_NAME) is not catalog.fixed.get(
            CATALOG_NAME
        ):
            raise QueryError("the tables have moved on") from cause


def _selection(request: Request) -> Selection:
    return Selection.parse(request.query_params.multi_items())
