"""Why a walk stopped before the end of the header. None of these leaves :mod:`dicom_assets.dicom.header.read`."""


class HeaderParseError(Exception):
    """A walk that ended early; the message is one sentence without values of the file."""


class TruncatedError(HeaderParseError):
    """The file ends inside the header."""


class LimitError(HeaderParseError):
    """A limit was reached."""


class StructureError(HeaderParseError):
    """What stands where an element is due is none."""
