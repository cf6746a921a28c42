"""Which thumbnails stand for a prefix."""

import io

import pytest
from PIL import Image

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query.preview import from_the_middle, preview
from dicom_assets_tests.query.conftest import append, catalog_row


def _picture(level):
    sink = io.BytesIO()
    Image.new("L", (128, 128), level).save(sink, "JPEG")
    return sink.getvalue()


def _levels(sheet, count):
    """Return the grey level in the middle of the first cells of a sheet."""
    image = Image.open(io.BytesIO(sheet)).convert("L")
    cell = image.width // min(count, 6)
    return [round(image.getpixel((cell * place + cell // 2, 64)) / 10) * 10 for place in range(count)]


@pytest.fixture
def catalog(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])

    def of(rows):
        append(lake, OBJECT_CATALOG, rows)
        return lake.snapshot(OBJECT_CATALOG, ["a"])

    return of


def _series(name, numbers, level):
    """Return the slices of a series in the order of their names, which is not that of their numbers."""
    return [
        catalog_row(
            "a",
            f"{name}{place}.dcm",
            SeriesInstanceUID=name,
            InstanceNumber=number,
            thumbnail=_picture(level + 10 * number),
        )
        for place, number in enumerate(numbers)
    ]


def test_one_of_each_series_from_its_middle_before_a_second(catalog):
    rows = catalog([*_series("one", [5, 3, 1, 2, 4], 0), *_series("two", [2, 1, 3], 150)])
    assert _levels(preview(rows, "a", 2), 2) == [30, 170]
    assert _levels(preview(rows, "a", 4), 4) == [30, 170, 40, 180]


def test_images_without_a_series_stand_for_themselves(catalog):
    single = [
        catalog_row("a", f"{n}.dcm", SeriesInstanceUID=None, InstanceNumber=None, thumbnail=_picture(50 * n))
        for n in (1, 2)
    ]
    assert sorted(_levels(preview(catalog(single), "a", 6), 2)) == [50, 100]


def test_what_may_not_be_shown_is_passed_over_and_the_next_slice_taken(catalog):
    rows = _series("one", [1, 2, 3], 0)
    rows[1]["BurnedInAnnotation"] = "YES"
    assert _levels(preview(catalog(rows), "a", 2), 2) == [10, 30]


def test_a_prefix_without_images_has_no_preview(catalog):
    report = catalog_row("a", "r.dcm", thumbnail=None, thumbnail_status="no_pixel_data", status="no_image")
    assert preview(catalog([report]), "a", 6) is None
    assert preview(catalog([]), "b", 6) is None


@pytest.mark.parametrize(
    ("ordered", "expected"), [("", []), ("a", ["a"]), ("ab", ["a", "b"]), ("abcde", ["c", "d", "b", "e", "a"])]
)
def test_from_the_middle(ordered, expected):
    assert from_the_middle(ordered) == expected
