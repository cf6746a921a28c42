"""Why parsing stopped before the end of the header. None of these leaves :mod:`dicom_assets.dicom.header.read`."""

from dicom_assets.errors import DataError


class HeaderParseError(DataError):
    """Parsing ended early; the message is one sentence without values of the file."""


class TruncatedError(HeaderParseError):
    """The file ends inside the header."""


class LimitError(HeaderParseError):
    """A limit was reached."""


class StructureError(HeaderParseError):
    """There is no element where one is due."""
