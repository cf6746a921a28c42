"""The first page of a version: all columns by which pages narrow are named to the engine once, together.

What the log says of a column, data file by data file, is prepared when a query first mentions the column, and all of it
anew for each further column. With thousands of data files that would take longer than the queries themselves.
"""

from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.browser.conditions import SCOPE_COLUMNS, UIDS, WORDY
from dicom_assets.serve.browser.facet import FACETS
from dicom_assets.serve.browser.listing import FILE_COLUMNS
from dicom_assets.serve.remembered import Remembered

_NAMED = (
    "removed_at",
    *FILE_COLUMNS,
    *SCOPE_COLUMNS.values(),
    *WORDY,
    *UIDS,
    *(facet.column for facet in FACETS),
)


class Preparing:
    """Prepares each version of a catalog once."""

    def __init__(self) -> None:
        self._done: Remembered[bool] = Remembered(1)

    def __call__(self, catalog: FixedCatalog) -> None:
        """Prepare a catalog, unless that was done."""
        self._done.get(catalog.fixed.get(CATALOG_NAME), "done", lambda: _prepare(catalog))


def _prepare(catalog: FixedCatalog) -> bool:
    known = catalog.columns(CATALOG_NAME)
    names = ", ".join(name for name in dict.fromkeys(_NAMED) if name in known)
    if names:
        catalog.ask(f"SELECT {names} FROM {CATALOG_NAME} WHERE false")  # noqa: S608 - names of ours
    return True
