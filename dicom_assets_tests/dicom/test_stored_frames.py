"""Stored values and modality values of frames, against pydicom's own, and what is refused."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_modality_lut

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.pixels.errors import (
    CutError,
    NoPixelDataError,
    PixelError,
    TooLargeError,
    UnsupportedPixelsError,
)
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.stored_frames import _received, declared_frames, modality_frames, stored_frames
from dicom_assets.isolation import Answer
from dicom_assets_tests.support.corpus import PYDICOM_FILES

SAME_AS_PYDICOM = (
    "CT_small.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "rtdose.dcm",
    "rtdose_rle.dcm",
    "rtdose_expb.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_small_odd.dcm",
    "liver_1frame.dcm",
    "image_dfl.dcm",
)


def header_of(data: bytes):
    return read_header(BytesSource(data))


def frames_of(data: bytes, numbers=None, read=stored_frames):
    header = header_of(data)
    return np.stack(list(read(header, range(declared_frames(header)) if numbers is None else numbers)))


@pytest.mark.parametrize("name", SAME_AS_PYDICOM)
def test_stored_values_are_those_of_pydicom(name):
    found = frames_of((PYDICOM_FILES / name).read_bytes())
    expected = pydicom.dcmread(PYDICOM_FILES / name).pixel_array
    np.testing.assert_array_equal(found.reshape(expected.shape), expected)


def test_lossless_jpeg_ls_has_the_values_of_what_it_was_made_of():
    np.testing.assert_array_equal(
        frames_of((PYDICOM_FILES / "MR_small_jpeg_ls_lossless.dcm").read_bytes()),
        frames_of((PYDICOM_FILES / "MR_small.dcm").read_bytes()),
    )


@pytest.mark.parametrize("name", ["CT_small.dcm", "rtdose.dcm", "rtdose_rle.dcm", "MR_small.dcm"])
def test_modality_values_are_those_of_pydicom(name):
    dataset = pydicom.dcmread(PYDICOM_FILES / name)
    found = frames_of((PYDICOM_FILES / name).read_bytes(), read=modality_frames)
    expected = apply_modality_lut(dataset.pixel_array, dataset).astype(float)
    if "DoseGridScaling" in dataset:
        expected = expected * float(dataset.DoseGridScaling)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-6)
    assert found.dtype == (np.float64 if dataset.BitsStored > 24 else np.float32)


def test_frames_come_in_the_order_that_is_asked_for():
    data = (PYDICOM_FILES / "rtdose.dcm").read_bytes()
    every = frames_of(data)
    np.testing.assert_array_equal(frames_of(data, [3, 0, 3]), every[[3, 0, 3]])


def test_only_the_bytes_of_the_frames_are_read():
    class Counted(BytesSource):
        read_bytes = 0

        def read(self, offset, length):
            data = super().read(offset, length)
            Counted.read_bytes += len(data)
            return data

    header = read_header(Counted((PYDICOM_FILES / "rtdose.dcm").read_bytes()))
    Counted.read_bytes = 0
    (frame,) = stored_frames(header, [5])
    assert Counted.read_bytes == frame.nbytes


def test_rescale_of_each_frame_is_its_own():
    dataset = pydicom.dcmread(PYDICOM_FILES / "MR_small.dcm")
    dataset.NumberOfFrames = 500
    dataset.PixelData = dataset.PixelData * dataset.NumberOfFrames
    dataset.PerFrameFunctionalGroupsSequence = [group_with_rescale(number) for number in range(dataset.NumberOfFrames)]
    stored = dataset.pixel_array
    data = written(dataset)
    assert "BulkData" in header_of(data).dataset["52009230"], "not all groups are in the header"
    numbers = [0, 1, 17, 499, 3]
    found = frames_of(data, numbers, read=modality_frames)
    np.testing.assert_allclose(found, [stored[number] * (number + 1.0) - number for number in numbers])


def group_with_rescale(number):
    item, group = pydicom.Dataset(), pydicom.Dataset()
    item.RescaleSlope, item.RescaleIntercept, item.RescaleType = number + 1, -number, "US"
    group.PixelValueTransformationSequence = [item]
    group.add_new(0x00091001, "OB", bytes(1000))  # what makes real ones long
    return group


def written(dataset) -> bytes:
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def test_what_is_no_frame_is_refused():
    data = (PYDICOM_FILES / "CT_small.dcm").read_bytes()
    for number in (-1, 1):
        with pytest.raises(PixelError, match="no frame"):
            frames_of(data, [number])
    with pytest.raises(NoPixelDataError):
        frames_of((PYDICOM_FILES / "rtplan.dcm").read_bytes())


def test_a_frame_that_is_not_there_as_a_whole_is_refused():
    native = (PYDICOM_FILES / "CT_small.dcm").read_bytes()
    with pytest.raises(CutError, match="frame 1 is cut short"):
        frames_of(native[:20_000])
    for name in ("MR_small_RLE.dcm", "JPEG2000.dcm", "MR_small_jpeg_ls_lossless.dcm"):
        whole = (PYDICOM_FILES / name).read_bytes()
        place = header_of(whole).pixel.offset
        with pytest.raises(PixelError):
            frames_of(whole[: place + (len(whole) - place) // 2])


def test_colours_are_not_rescaled():
    with pytest.raises(PixelError, match="no quantity"):
        frames_of((PYDICOM_FILES / "SC_rgb_small_odd.dcm").read_bytes(), read=modality_frames)


def test_a_codestream_of_another_size_than_the_header_says_is_refused():
    dataset = pydicom.dcmread(PYDICOM_FILES / "MR_small_jp2klossless.dcm")
    dataset.Rows //= 2
    with pytest.raises(PixelError, match="the header says"):
        frames_of(written(dataset))


def test_a_frame_that_claims_too_much_is_refused_before_memory_is_asked_for():
    dataset = pydicom.dcmread(PYDICOM_FILES / "MR_small_RLE.dcm")
    dataset.Rows = dataset.Columns = 65_535
    with pytest.raises(TooLargeError):
        frames_of(written(dataset))


def test_an_unknown_transfer_syntax_is_refused():
    dataset = pydicom.dcmread(PYDICOM_FILES / "MR_small_RLE.dcm")
    dataset.file_meta.TransferSyntaxUID = "1.2.3.4"
    with pytest.raises(UnsupportedPixelsError, match="no decoder"):
        frames_of(written(dataset))


@pytest.mark.parametrize(("kind", "shape"), [("O", [2]), ("<u2", [3]), ("<u2", "x"), ("S2", [1]), (None, None)])
def test_what_a_decoder_process_sends_is_not_trusted(kind, shape):
    fields = {} if kind is None else {"type": kind, "shape": shape, "bits": 8, "known_rows": None}
    with pytest.raises(PixelError):
        _received(Answer(fields, b"ab"))
