"""What ends a dot command, or the shell."""

from dicom_assets.errors import UserError


class ShellError(UserError):
    """A dot command is not known, or not used as it has to be."""


class LeaveShell(Exception):  # noqa: N818 - not an error
    """The user wants to leave."""
