"""What can be wrong with a viewer before it is served."""

from dicom_assets.errors import InfrastructureError, UserError


class ViewerError(UserError):
    """The folder, the file or the setting that is to bring a viewer does not."""


class ViewerFetchError(InfrastructureError):
    """The viewer cannot be fetched or kept: the registry is out of reach, or the disk is full."""
