"""Why a walk stopped before the end of the header. None of these leaves :mod:`dicom_assets.dicom.read`."""


class StopError(Exception):
    """A walk that ended early; the message is one sentence without values of the file."""


class TruncatedError(StopError):
    """The file ends inside the header."""


class LimitError(StopError):
    """A limit was reached."""


class StructureError(StopError):
    """What stands where an element is due is none."""
