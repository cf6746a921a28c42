"""What can go wrong when a catalog is read. Every message is one line that the command line shows as it is."""

from dicom_assets.errors import UserError
from dicom_assets.storage.errors import why


class CatalogError(UserError):
    """A catalog could not be read."""


class NoCatalogError(CatalogError):
    """There is no catalog where one was looked for."""


class QueryError(CatalogError):
    """A query does not parse, names what is not there, or fails on the values that it meets."""


class OutputError(CatalogError):
    """A result cannot be written where, or as, it was asked for."""


def one_line(error: Exception) -> str:
    """Return the message of an error in one line, without the excerpt of the query that DuckDB adds to it.

    What an object store says fills a page; it comes down to its cause.
    """
    message = str(error).partition("\n\nLINE ")[0]
    return why(message) or " ".join(message.split())
