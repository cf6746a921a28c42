import pytest

from dicom_assets_tests.dicom.reference_thumbnails import (
    OPTIONS,
    Reference,
    levels_of,
    path_of,
    pipeline_of,
    read_table,
    rendering,
)
from dicom_assets_tests.support.dicom import oracles

_ONE_BIT = "DCMTK shows the 1 of a single bit at half of full brightness"
_ENHANCED = "DCMTK 3.6 does not read the rescale of functional groups, and our buffer is in rescaled values"
_BIG_ENDIAN_PALETTE = "pydicom reads the palette of a big endian file in little endian order"
_LABELS = "segments of a label map get a colour each; others show their numbers as grey levels"

EXCEPTIONS = {
    ("pydicom:test_files/liver_1frame.dcm", "dcmtk"): _ONE_BIT,
    ("pydicom:test_files/liver_expb_1frame.dcm", "dcmtk"): _ONE_BIT,
    ("pydicom-data:liver.dcm", "dcmtk"): _ONE_BIT,
    ("pydicom-data:liver_expb.dcm", "dcmtk"): _ONE_BIT,
    ("corpus:ImagingDataCommons+highdicom/data/test_files/seg_image_ct_binary_overlap.dcm", "dcmtk"): _ONE_BIT,
    ("pydicom-data:OBXXXX1A_expb.dcm", "pydicom"): _BIG_ENDIAN_PALETTE,
    ("pydicom-data:OBXXXX1A_expb_2frame.dcm", "pydicom"): _BIG_ENDIAN_PALETTE,
    ("corpus:ImagingDataCommons+highdicom/data/test_files/seg_image_sm_control_labelmap.dcm", "pydicom"): _LABELS,
    ("corpus:ImagingDataCommons+highdicom/data/test_files/seg_image_sm_control_labelmap.dcm", "dcmtk"): _LABELS,
    (
        "corpus:neurolabusc+dcm_qa_xa30/In/27_asl_2d_tra/0001_1.3.12.2.1107.5.2.43.67093.2022071112144703157113445.dcm",
        "dcmtk",
    ): _ENHANCED,
}
"""Files that an independent renderer shows otherwise, and why."""

UNSEEN = {
    "pydicom:test_files/MR_truncated.dcm": "its last 62 bytes are missing, and the others refuse it",
    "pydicom:test_files/badVR.dcm": "Number of Frames is no number, and the others refuse it",
    "pydicom-data:emri_small_jpeg_2k_lossless_too_short.dcm": "an element in front of the pixels stops the others",
    "corpus:cornerstonejs+dicomParser/testImages/encapsulated/multi-frame/"
    "CT0012.fragmented_no_bot_jpeg_baseline.51.dcm": "12-bit JPEG in fragments without an offset table",
}
"""Files that no independent renderer at hand decodes; the table's levels were checked by eye."""

ROWS = read_table()


def _path(row: Reference):
    path = path_of(row.file)
    if path is None:
        pytest.skip(f"the files of {row.file.partition(':')[0]} are not at hand")
    return path


def _id(row: Reference) -> str:
    return row.file.rpartition("/")[2]


@pytest.mark.parametrize("row", ROWS, ids=_id)
def test_a_real_file_has_the_thumbnail_of_the_table(row):
    path = _path(row)
    thumbnail = rendering(path)
    assert thumbnail.status == row.status, thumbnail.error
    assert _shown(thumbnail.width) == row.width
    assert _shown(thumbnail.height) == row.height
    assert _shown(thumbnail.frame_number) == row.frame
    assert _shown(thumbnail.window_center) == row.window_center
    assert _shown(thumbnail.window_width) == row.window_width
    if thumbnail.data is not None:
        assert pipeline_of(path) == row.pipeline
        pairs = zip(_levels(levels_of(thumbnail)), _levels(row.levels), strict=True)
        # JPEG decoders differ by a level or two between builds.
        assert max(abs(a - b) for a, b in pairs) <= 4
        assert max(thumbnail.width, thumbnail.height) <= OPTIONS.longest_side


PAIRS = [(row, oracle) for row in ROWS for oracle in row.oracles.split()]


@pytest.mark.parametrize(("row", "oracle"), PAIRS, ids=lambda value: value if isinstance(value, str) else _id(value))
def test_an_independent_renderer_shows_the_same(row, oracle, tmp_path):
    assert _agrees(row, oracle, tmp_path)


@pytest.mark.parametrize(("file", "oracle"), EXCEPTIONS)
def test_an_exception_is_still_one(file, oracle, tmp_path):
    assert not _agrees(next(row for row in ROWS if row.file == file), oracle, tmp_path)


def _agrees(row: Reference, oracle: str, folder) -> bool:
    path = _path(row)
    thumbnail = rendering(path)
    theirs = oracles.render(oracle, path, thumbnail, folder)
    if theirs is None:
        pytest.skip(f"{oracle}, as it is installed here, has no decoder for this file")
    return oracles.agree(oracles.picture_of(thumbnail), theirs)


def test_every_thumbnail_of_the_table_was_seen_by_someone_else_or_has_a_reason():
    alone = {row.file for row in ROWS if row.status in {"ok", "partial"} and not row.oracles}
    excepted = {file for file, _ in EXCEPTIONS}
    assert alone - excepted == set(UNSEEN)


def test_nothing_that_others_decode_is_an_error():
    failed = {row.file for row in ROWS if row.status in {"error", "unsupported", "too_large"}}
    # One is no image, the other's codestream lost its size to a delimiter inside of it; nobody decodes either.
    assert failed == {
        "pydicom:test_files/rtplan_truncated.dcm",
        "pydicom:test_files/JPEG2000-embedded-sequence-delimiter.dcm",
    }


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _levels(text: str) -> list[int]:
    return [int(level) for level in text.replace("/", " ").split()]
