"""The errors of cohorts. Messages tell counts, names of cohorts and paths; no value of a header."""

from dicom_assets.errors import InfrastructureError, UserError


class CohortError(UserError):
    """A cohort cannot be made, or is not what is needed."""


class NoCohortError(CohortError):
    """There is no cohort, or no version of it, of a name."""


class CohortNameError(CohortError, ValueError):
    """A text is not the name of a cohort."""


class SplitError(CohortError, ValueError):
    """Shares of a split make no sense, or leave a split without members."""


class ExportError(CohortError):
    """A folder is not free for an export, or files cannot be linked into it."""


class FolderError(InfrastructureError):
    """The folder of an export cannot be written: a full disk, a share that is gone. What is there already stays."""
