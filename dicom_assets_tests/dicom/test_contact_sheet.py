import io

import numpy as np
import pytest
from PIL import Image

from dicom_assets.dicom.contact_sheet import SheetEntry, contact_sheet


def picture(level: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((100, 200), level, np.uint8)).save(out, "PNG")
    return out.getvalue()


def opened(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_thumbnails_stand_side_by_side():
    sheet = opened(contact_sheet([SheetEntry(picture(level), "NO") for level in (50, 100, 150)], columns=2, cell=64))
    assert sheet.shape == (128, 128, 3)
    for row, column, level in ((32, 32, 50), (32, 96, 100), (96, 32, 150), (96, 96, 0)):
        assert sheet[row, column, 0] == pytest.approx(level, abs=4)


@pytest.mark.parametrize("said", ["YES", "yes", " YES "])
def test_burned_in_annotation_is_never_shown(said):
    assert contact_sheet([SheetEntry(picture(200), said)]) is None
    sheet = opened(contact_sheet([SheetEntry(picture(200), said), SheetEntry(picture(90), None)], cell=64))
    assert sheet.shape == (64, 64, 3)
    assert sheet.max() < 110


def test_no_more_than_asked_for_are_shown():
    entries = [SheetEntry(picture(100), None)] * 50
    assert opened(contact_sheet(entries, most=5, columns=5, cell=32)).shape == (32, 160, 3)


def test_what_is_no_picture_leaves_its_cell_black():
    sheet = opened(contact_sheet([SheetEntry(b"junk", None), SheetEntry(picture(90), None)], cell=32))
    assert sheet[:, :32].max() < 10
