"""The errors of reading a catalog. Every message is one line, which the command line shows as it is."""

from dicom_assets.errors import UserError
from dicom_assets.storage.errors import why


class CatalogError(UserError):
    """A catalog could not be read."""


class NoCatalogError(CatalogError):
    """There is no catalog where one was looked for."""


class QueryError(CatalogError):
    """A query does not parse, names what does not exist, or fails on a value in the tables."""


class LineageError(CatalogError):
    """The catalog holds nothing of a path, a UID or a run."""


class NotInCatalogError(CatalogError):
    """The catalog holds no such file, or not what was asked for of it."""


class ChangedFileError(CatalogError):
    """A file of the archive is gone, or is not the version that the catalog tells of: nothing was read of it."""


class NotAVolumeError(CatalogError):
    """The images of a series make no regular volume."""


class OutputError(CatalogError):
    """A result cannot be written to this place, or in this format."""


def one_line(error: Exception) -> str:
    """Return the message of an error in one line, without the excerpt of the query that DuckDB adds to it.

    The pages of text that an object store returns are reduced to their cause.
    """
    message = str(error).partition("\n\nLINE ")[0]
    return why(message) or " ".join(message.split())
