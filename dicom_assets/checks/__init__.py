"""What is promised of the tables, and whether it holds: the checks of every table, derived from the model.

Here belongs what a check is and how it is measured. What a table should hold is computed by ``pipeline``, and what it
does hold is asked by ``query``, so this room stands above both. It writes nothing and knows nothing of Dagster: its
outcomes come to the Dagster UI by :mod:`dicom_assets.orchestration.checks`, to a terminal by ``dicom-assets check``.
"""

from dicom_assets.checks.check import Check, Outcome, Severity, Unit
from dicom_assets.checks.declared import checks_of
from dicom_assets.checks.options import Bounds, CheckOptions, CheckOptionsError
from dicom_assets.checks.report import check_catalog

__all__ = [
    "Bounds",
    "Check",
    "CheckOptions",
    "CheckOptionsError",
    "Outcome",
    "Severity",
    "Unit",
    "check_catalog",
    "checks_of",
]
