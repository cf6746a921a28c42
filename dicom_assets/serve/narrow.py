"""Which columns of ``object_catalog`` the server keeps in memory: what lists, counts and searches look at."""

from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.keeping import Columns
from dicom_assets.serve.browser.columns import COLUMNS
from dicom_assets.serve.browser.conditions import SCOPE_COLUMNS, UIDS, WORDY
from dicom_assets.serve.browser.facet import FACETS
from dicom_assets.serve.browser.listing import FILE_COLUMNS
from dicom_assets.serve.browser.selection import Level

_LONG = frozenset({"thumbnail", "thumbnail_media_type"})
_UNIQUE = frozenset({"path", "relative_path", "fingerprint", "SOPInstanceUID"})
_OTHERS = (
    *("removed_at", "StudyTime", "SeriesNumber", "SOPClassUID", "Rows", "Columns", "BitsAllocated", "NumberOfFrames"),
    *("StudyID", "PatientSex", "PatientBirthDate"),
)

NAMES = tuple(
    dict.fromkeys(
        [
            *(name for name in FILE_COLUMNS if name not in _LONG),
            *(column.name for level in (Level.FILES, Level.PROBLEMS) for column in COLUMNS[level]),
            *(facet.column for facet in FACETS),
            *SCOPE_COLUMNS.values(),
            *WORDY,
            *UIDS,
            *_OTHERS,
        ]
    )
)


def narrow_columns(most_bytes: int) -> dict[str, Columns]:
    """Return what is kept, by table.

    Parameters
    ----------
    most_bytes
        Catalogs of which it takes more are read from their data files.

    """
    return {CATALOG_NAME: Columns(NAMES, _UNIQUE, most_bytes)}
