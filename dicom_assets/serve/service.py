"""How requests are worked on: each by a plain function, on a thread of a bounded pool, with one version of the tables.

``Service.endpoint`` makes of such a function what a route calls. While it runs, :func:`catalog_of` is the catalog of
the request. A vacuum may take away data files of that version: then the function is called again, with the newest.
So a function only reads, and what it returns may be made of the catalog that it had, however late it is sent.

The pool is one of threads and not a limiter of the event loop, which would wake up those that wait in its own loop
only: an application that two loops share, as clients of tests do, would stand still as soon as requests have to wait.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from dicom_assets.errors import InfrastructureError
from dicom_assets.query.errors import CatalogError, ChangedFileError, NotInCatalogError
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.errors import RequestError, answer_to
from dicom_assets.serve.follow import Follower
from dicom_assets.serve.forms import read_form
from dicom_assets.serve.narrow import narrow_columns
from dicom_assets.serve.site import Site

Answer = Callable[[Request], Response]
Endpoint = Callable[[Request], Awaitable[Response]]

_VERSIONS = 5
"""A request is tried on at most so many versions of the tables, each newer than the one before."""
_OF_THE_REQUEST = (RequestError, NotInCatalogError, ChangedFileError)
"""Errors that another version of the tables might mend, and that are true of the present one."""


def catalog_of(request: Request) -> FixedCatalog:
    """Return the catalog that a request is answered from: all tables at one version each."""
    catalog: FixedCatalog = request.state.catalog
    return catalog


def form_of(request: Request) -> Mapping[str, str]:
    """Return the fields of the form that a POST brought, the last of each name; none of a GET."""
    form: Mapping[str, str] = request.state.form
    return form


class Service:
    """What the parts of the server share.

    Parameters
    ----------
    site
        What is served.

    Attributes
    ----------
    site
        As given.
    follower
        Gives out the catalog.

    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.follower = Follower(site.catalog(), narrow_columns(site.limits.kept_bytes))
        self._threads = ThreadPoolExecutor(site.limits.threads, "request")

    def close(self) -> None:
        """Let the threads end, each with what it works on; requests that wait for one get no answer."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def endpoint(self, answer: Answer) -> Endpoint:
        """Return what a route calls: the function on a thread, and an answer whatever it raises."""

        @wraps(answer)
        async def called(request: Request) -> Response:
            request.state.form = await read_form(request, self.site.limits.form_bytes)
            return await asyncio.wrap_future(self._threads.submit(self._answered, answer, request))

        return called

    def _answered(self, answer: Answer, request: Request) -> Response:
        try:
            return self._with_a_catalog(answer, request)
        except Exception as error:  # noqa: BLE001 - what became of a request is an answer, too
            return answer_to(error)

    def _with_a_catalog(self, answer: Answer, request: Request) -> Response:
        """Return the answer from one version: where its files are gone, from the newest there is by then."""
        used = self.follower.current()
        for _ in range(_VERSIONS - 1):
            request.state.catalog = used
            try:
                return answer(request)
            except _OF_THE_REQUEST:
                raise
            except (CatalogError, InfrastructureError, OSError):
                newest = self.follower.newest()
                if newest is used:
                    raise
            used = newest
        request.state.catalog = used
        return answer(request)
