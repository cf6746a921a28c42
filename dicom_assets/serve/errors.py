"""What a request can be refused for, and the answer that says so: one line of text, without a path, a value or a trace.

An error of the package says in its message what to do, and it may name a path of the archive, which is nobody's
business out there. So only messages that are made for clients reach them; of all others, the kind does.
"""

import logging
from typing import ClassVar

from starlette.responses import PlainTextResponse, Response

from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.versions import FileChangedError
from dicom_assets.dicom.pixels.errors import UnsupportedPixelsError
from dicom_assets.errors import DataError, InfrastructureError, UserError
from dicom_assets.query.errors import CatalogError, ChangedFileError, NotInCatalogError

_log = logging.getLogger(__name__)


class RequestError(UserError):
    """A request cannot be answered as it is; the message is shown to the client.

    Attributes
    ----------
    status
        Of the answer (RFC 9110, 15).

    """

    status: ClassVar[int] = 400


class NotFoundError(RequestError):
    """There is nothing of this name."""

    status = 404


class NotAcceptableError(RequestError):
    """There is nothing that the client would take."""

    status = 406


class GoneError(RequestError):
    """There was, and it is not any more what it was."""

    status = 410


class SlowError(RequestError):
    """A request does not come to its end in time."""

    status = 408


class TooMuchError(RequestError):
    """What is asked for is more than one request may cost."""

    status = 413


class UnavailableError(InfrastructureError):
    """Something that this server reads is out of reach; the message is shown to the client."""


def problem(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    """Return an answer that says why there is none."""
    return PlainTextResponse(f"{reason}\n", status, {"Cache-Control": "no-store", **(headers or {})})


def answer_to(error: Exception) -> Response:
    """Return the answer to a request that an error ended; what nobody foresaw is logged, without its message."""
    if isinstance(error, RequestError):
        return problem(error.status, str(error))
    if isinstance(error, ChangedFileError):
        return _of_a_file(error)
    for kind, status, reason in _ANSWERS:
        if isinstance(error, kind):
            if status >= _OURS:
                _log.warning("a request failed with %s", _kind(error))
            return problem(status, reason.format(error), {"Retry-After": "5"} if status >= _OURS else None)
    _log.error("a request failed with %s at %s", _kind(error), _place(error))
    return problem(500, "the server failed at this request")


_OURS = 500
"""From here on it is not the client who has to mend something."""
_ANSWERS: tuple[tuple[type[Exception], int, str], ...] = (
    (NotInCatalogError, 404, "the catalog has no such object"),
    (UnsupportedPixelsError, 406, "this cannot be shown or transcoded: {}"),
    (DataError, 404, "there are no such pixels: {}"),
    (UnavailableError, 503, "{}"),
    (ArchiveError, 503, "the archive cannot be read at present"),
    (InfrastructureError, 503, "the catalog cannot be read at present"),
    (CatalogError, 503, "the catalog cannot be read at present, or is older than this server"),
)
"""By kind of error, the first that fits: the status, and the reason, which quotes messages that hold no path."""


def _of_a_file(error: ChangedFileError) -> Response:
    """Return the answer to who asks for a file that is another one by now, or none."""
    if isinstance(error.__cause__, FileChangedError) or error.__cause__ is None:
        return problem(410, "the file has changed since it was cataloged; it is served again after the next run")
    return problem(404, "the file is not in the archive any more, or the archive is not where it was")


def _kind(error: BaseException) -> str:
    cause = error.__cause__
    return type(error).__name__ + (f" ({type(cause).__name__})" if cause is not None else "")


def _place(error: BaseException) -> str:
    """Return where an error was raised: a module and a line, no value of anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
