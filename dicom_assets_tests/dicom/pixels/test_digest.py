"""Digests of pixel data and headers: what changes them, and what does not."""

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.pixels.digest import header_digest, pixel_digest
from dicom_assets.dicom.pixels.errors import CutError, NoPixelDataError, PixelError
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.dicom.encoding import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT
from dicom_assets_tests.support.dicom.images import encapsulated, file_bytes, image

JPEG_LS = "1.2.840.10008.1.2.4.80"
RLE = "1.2.840.10008.1.2.5"


def digest_of(content):
    return pixel_digest(read_header(BytesSource(content)))[0]


def digest(dataset):
    return digest_of(file_bytes(dataset))


def header_of(dataset):
    return header_digest(read_header(BytesSource(file_bytes(dataset))))


arrays = st.builds(
    lambda dtype, shape, seed: np.random.default_rng(seed).integers(
        0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True
    ),
    st.sampled_from([np.uint8, np.uint16, np.int16, np.uint32]),
    st.tuples(st.integers(1, 5), st.integers(1, 5)) | st.tuples(st.integers(1, 4), st.integers(1, 4), st.just(3)),
    st.integers(0, 1000),
)


@settings(max_examples=60)
@given(arrays)
def test_how_native_samples_are_wrapped_makes_no_difference(array):
    digests = {digest(image(array, syntax=syntax)) for syntax in (EXPLICIT, IMPLICIT, DEFLATED, BIG_ENDIAN)}
    assert len(digests) == 1


@given(arrays, st.integers(0, 10_000))
def test_one_bit_of_a_sample_makes_one(array, place):
    other = array.copy()
    other.reshape(-1)[place % array.size] ^= 1
    assert digest(image(array)) != digest(image(other))


def test_samples_of_a_byte_in_words_of_a_big_endian_file():
    array = np.arange(15, dtype=np.uint8).reshape(3, 5)
    swapped = image(array, syntax=BIG_ENDIAN)
    data = np.frombuffer(array.tobytes() + b"\0", np.uint16).byteswap().tobytes()
    swapped.add_new("PixelData", "OW", data)
    assert digest(swapped) == digest(image(array))


@pytest.mark.parametrize("padding", [b"\0", b" ", b"\xff", b"\0" * 5])
def test_padding_is_no_pixel(padding):
    array = np.arange(15, dtype=np.uint8).reshape(3, 5)
    padded = image(array)
    padded.add_new("PixelData", "OB", array.tobytes() + padding)
    assert digest(padded) == digest(image(array))


@pytest.mark.parametrize("behind", range(0, 256, 37))
def test_neither_are_the_bits_behind_single_bits(behind):
    dataset = image(np.zeros((3, 3), np.uint8), BitsAllocated=1, BitsStored=1, HighBit=0)
    dataset.add_new("PixelData", "OB", bytes([0b10101010, behind & 0b11111110 | 1]))
    other = image(np.zeros((3, 3), np.uint8), BitsAllocated=1, BitsStored=1, HighBit=0)
    other.add_new("PixelData", "OB", bytes([0b10101010, 1]))
    assert digest(dataset) == digest(other)
    other.add_new("PixelData", "OB", bytes([0b10101010, 0]))
    assert digest(dataset) != digest(other)


@pytest.mark.parametrize(
    "changed",
    [
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"BitsStored": 12, "HighBit": 11},
        {"PixelRepresentation": 1},
        {"Rows": 2, "Columns": 8},
    ],
)
def test_how_samples_are_to_be_understood_makes_one(changed):
    array = np.arange(16, dtype=np.uint16).reshape(4, 4)
    assert digest(image(array, **changed)) != digest(image(array))


def test_other_attributes_make_none():
    array = np.arange(16, dtype=np.uint16).reshape(4, 4)
    assert digest(image(array, PatientID="1", WindowCenter=3)) == digest(image(array, PatientID="2"))


def test_a_palette_is_part_of_the_image():
    def coloured(entry, syntax=EXPLICIT):
        made = image(np.zeros((2, 2), np.uint8), PhotometricInterpretation="PALETTE COLOR", syntax=syntax)
        order = ">" if syntax == BIG_ENDIAN else "<"
        for name in ("Red", "Green", "Blue"):
            setattr(made, f"{name}PaletteColorLookupTableDescriptor", [4, 0, 16])
            entries = np.array([entry, 1, 2, 3], f"{order}u2").tobytes()
            setattr(made, f"{name}PaletteColorLookupTableData", entries)
        return made

    assert digest(coloured(1)) == digest(coloured(1, BIG_ENDIAN)) != digest(coloured(2))


FRAMES = [bytes([0xFF, 0xD8, 0xFF, number]) + bytes(range(20 + number * 2)) for number in range(5)]


@settings(max_examples=40)
@given(st.integers(1, 6), st.booleans(), st.integers(1, 5))
def test_fragments_and_offset_tables_make_no_difference(parts, table, count):
    many = image(np.zeros((count, 4, 4), np.uint8) if count > 1 else np.zeros((4, 4), np.uint8), NumberOfFrames=count)
    frames = FRAMES[:count]
    usual = digest(encapsulated(many, frames, JPEG_LS, table=False))
    assert digest(encapsulated(many, frames, JPEG_LS, table=table, parts=parts)) == usual
    assert digest(encapsulated(many, frames, RLE, table=False)) != usual


def test_an_extended_offset_table_makes_none():
    many = image(np.zeros((5, 4, 4), np.uint8), NumberOfFrames=5)
    usual = file_bytes(encapsulated(many, FRAMES, JPEG_LS))
    extended = file_bytes(encapsulated(many, FRAMES, JPEG_LS, extended=True))
    assert digest_of(usual) == digest_of(extended)
    assert header_digest(read_header(BytesSource(usual))) == header_digest(read_header(BytesSource(extended)))


def test_wherever_a_file_is_cut_there_is_no_digest():
    native = file_bytes(image(np.arange(64, dtype=np.uint16).reshape(8, 8)))
    coded = file_bytes(encapsulated(image(np.zeros((4, 4), np.uint8)), FRAMES[:1], JPEG_LS))
    for content, most in ((native, 128), (coded, 8 + len(FRAMES[0]) + 8)):
        whole = digest_of(content)
        for cut in range(1, most):
            with pytest.raises(PixelError):
                digest_of(content[:-cut])
        assert digest_of(content) == whole


def test_other_things_between_fragments_are_an_error():
    content = file_bytes(encapsulated(image(np.zeros((4, 4), np.uint8)), FRAMES[:1], JPEG_LS))
    place = content.rindex(b"\xfe\xff\x00\xe0")
    with pytest.raises(PixelError):
        digest_of(content[:place] + b"\x10\0\x10\0" + content[place + 4 :])
    with pytest.raises(PixelError):
        digest_of(content[: place + 4] + b"\xff\xff\xff\xff" + content[place + 8 :])


def test_an_object_without_pixels_has_none():
    with pytest.raises(NoPixelDataError):
        digest_of((PYDICOM_FILES / "rtplan.dcm").read_bytes())


def test_empty_pixel_data_is_cut():
    nothing = image(np.zeros((4, 4), np.uint8))
    nothing.PixelData = b""
    with pytest.raises(CutError):
        digest(nothing)


class Recording:
    """A source that remembers what was read, and how much at once."""

    def __init__(self, data):
        self.data = data
        self.size = len(data)
        self.reads = []

    def read(self, offset, length):
        part = self.data[offset : offset + length]
        self.reads.append((offset, len(part)))
        return part


@pytest.mark.parametrize("coded", [False, True])
def test_large_pixel_data_is_read_once_a_block_at_a_time(coded):
    array = np.zeros((3, 1024, 1024), np.uint16)
    dataset = image(array, NumberOfFrames=3)
    if coded:
        dataset = encapsulated(dataset, [b"\xff\xd8\xff" + bytes(2_000_001)] * 3, JPEG_LS, parts=7)
    content = file_bytes(dataset)
    source = Recording(content)
    header = read_header(source)
    pixels = range(header.pixel.offset, len(content))
    source.reads.clear()
    _, length = pixel_digest(header)
    assert max(size for _, size in source.reads) <= 1 << 20
    assert length > 6_000_000
    seen = sorted(read for read in source.reads if read[0] >= pixels.start and read[1])
    assert all(first + size <= second for (first, size), (second, _) in pairwise(seen))


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "SC_rgb_jpeg_dcmtk.dcm", "rtdose.dcm"])
def test_it_is_of_what_pydicom_finds(name):
    """Two files have one digest exactly when pydicom reads the same bytes of them."""
    content = (PYDICOM_FILES / name).read_bytes()
    dataset = dcmread(io.BytesIO(content))
    copy = dcmread(io.BytesIO(content))
    copy.PatientID = "somebody else"
    out = io.BytesIO()
    copy.save_as(out)
    assert digest_of(out.getvalue()) == digest_of(content)
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        frames = list(generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames", 1))))
        changed = encapsulated(dataset, [frame[:-2] + b"\0\1" for frame in frames], dataset.file_meta.TransferSyntaxUID)
    else:
        changed = dataset
        changed.PixelData = changed.PixelData[:-4] + bytes(byte ^ 1 for byte in changed.PixelData[-4:])
    out = io.BytesIO()
    changed.save_as(out)
    assert digest_of(out.getvalue()) != digest_of(content)


# Of headers


def plain(**attributes):
    return image(np.zeros((2, 2), np.uint8), **attributes)


def test_a_header_is_that_of_the_data_set_alone():
    one, other = plain(PatientID="1"), plain(PatientID="1")
    other.file_meta.ImplementationVersionName = "ANOTHER"
    other.PixelData = b"\1\1\1\1"
    assert header_of(one) == header_of(other) != header_of(plain(PatientID="2"))


def test_values_that_are_not_inlined_count_and_not_where_they_stand():
    def document(content, comment=""):
        made = plain(ImageComments=comment)
        made.add_new(0x00420011, "OB", content)
        return made

    long = bytes(range(256)) * 40
    assert header_of(document(long)) == header_of(document(long))
    assert header_of(document(long)) != header_of(document(long[:-1] + b"x"))
    shifted, item = plain(), Dataset()
    item.add_new(0x00420011, "OB", long)
    shifted.ReferencedImageSequence = [item]
    other, item = plain(), Dataset()
    item.add_new(0x00420011, "OB", long[:-1] + b"x")
    other.ReferencedImageSequence = [item]
    assert header_of(shifted) != header_of(other)


def test_the_place_of_a_long_value_makes_no_difference():
    def with_preamble(size):
        made = plain()
        made.file_meta.PrivateInformationCreatorUID = "1.2.3"
        made.file_meta.PrivateInformation = bytes(size)
        made.add_new(0x00420011, "OB", bytes(range(256)) * 40)
        return made

    assert header_of(with_preamble(2)) == header_of(with_preamble(200))
