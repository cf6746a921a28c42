"""The one word that ``object_catalog`` has for a file, and its one sentence."""

import pytest

from dicom_assets.dicom.status import HeaderStatus, ThumbnailStatus
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.metadata import FILE_METADATA, MetadataStatus
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.extract.status import ABSENT, CatalogStatus, PartState, summarize
from dicom_assets.extract.thumbnails import THUMBNAILS

STATUSES = {FILE_METADATA: MetadataStatus, DICOM_HEADERS: HeaderStatus, THUMBNAILS: ThumbnailStatus}
CODES = ["bad_date", "too_long", "bad_date"]


def test_every_state_of_every_table_means_something():
    assert {table.name: set(table.meanings) for table in DEFAULT_MODEL.extracted} == {
        table.name: set(statuses) for table, statuses in STATUSES.items()
    }


def part(table, status, error=None, *, unread=False, codes=()):
    return ABSENT if status is None else PartState(table.meanings[status], error, unread, codes)


@pytest.mark.parametrize(
    ("metadata", "header", "thumbnail", "status", "error"),
    [
        ("ok", "ok", "ok", "ok", None),
        ("ok", "ok", "no_pixel_data", "no_image", None),
        ("ok", "dicomdir", "no_pixel_data", "no_image", None),
        ("ok", "issues", "ok", "issues", "the header has issues: bad_date, too_long"),
        ("ok", "issues", "no_pixel_data", "issues", "the header has issues: bad_date, too_long"),
        ("ok", "ok", "too_large", "issues", "why thumbnail"),
        ("ok", "unsupported", "ok", "issues", "why header"),
        ("ok", "truncated", "error", "damaged", "why header"),
        ("ok", "issues", "error", "damaged", "why thumbnail"),
        ("ok", "not_dicom", "not_dicom", "not_dicom", None),
        ("empty", "empty", "not_dicom", "not_dicom", "why thumbnail"),
        ("ok", "ok", None, "pending", None),
        (None, None, None, "pending", None),
    ],
)
def test_the_worst_of_what_the_tables_say_counts(metadata, header, thumbnail, status, error):
    quiet = {"ok", "issues", "no_pixel_data", "not_dicom", "dicomdir", None}
    why_header = None if header in {*quiet, "empty"} else "why header"
    why_thumbnail = "why thumbnail" if header == "empty" or thumbnail not in quiet else None
    states = [
        part(FILE_METADATA, metadata),
        part(DICOM_HEADERS, header, why_header, codes=CODES if header == "issues" else ()),
        part(THUMBNAILS, thumbnail, why_thumbnail),
    ]
    assert summarize(states) == (status, error)


def test_a_file_that_could_not_be_read_is_unreadable_with_one_sentence():
    why = "cannot be read: Input/output error"
    states = [part(table, "error", why, unread=True) for table in DEFAULT_MODEL.extracted]
    assert summarize(states) == (CatalogStatus.UNREADABLE, "cannot be read: Input/output error")


def test_only_some_codes_are_named():
    header = part(DICOM_HEADERS, "issues", codes=[f"code_{number}" for number in range(9)])
    _, error = summarize([part(FILE_METADATA, "ok"), header, part(THUMBNAILS, "ok")])
    assert error == "the header has issues: code_0, code_1, code_2, code_3, code_4, and others"
