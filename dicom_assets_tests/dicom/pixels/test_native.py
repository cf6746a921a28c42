import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.native import sign_extend, stored_values, unpack_frame, whole_rows


def grey(rows: int, columns: int, bits: int, **more) -> PixelLayout:
    return PixelLayout(rows, columns, **{"bits_allocated": bits, "bits_stored": bits, "high_bit": bits - 1} | more)


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
@pytest.mark.parametrize("little_endian", [True, False])
def test_words_come_in_either_byte_order(bits, little_endian):
    expected = np.arange(12, dtype=f"u{bits // 8}").reshape(3, 4) * (1 << (bits - 8)) + 5
    data = expected.astype(expected.dtype.newbyteorder("<" if little_endian else ">")).tobytes()
    samples = unpack_frame(data, grey(3, 4, bits, little_endian=little_endian))
    assert samples.dtype.isnative
    np.testing.assert_array_equal(samples, expected)


def test_bytes_of_a_big_endian_word_string_are_swapped():
    data = bytes([2, 1, 4, 3, 0, 5])
    samples = unpack_frame(data, grey(1, 5, 8, words=True, little_endian=False))
    np.testing.assert_array_equal(samples, [[1, 2, 3, 4, 5]])


def test_a_frame_of_odd_length_begins_in_the_middle_of_a_swapped_word():
    # Two frames of three bytes: 1 2 3, 4 5 6, as words 0x0201 0x0403 0x0605 with the high byte first.
    data = bytes([2, 1, 4, 3, 6, 5])
    samples = unpack_frame(data[2:], grey(1, 3, 8, words=True, little_endian=False), first_bit=8)
    np.testing.assert_array_equal(samples, [[4, 5, 6]])


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 3), st.randoms(use_true_random=False))
def test_one_bit_frames_need_not_begin_on_a_byte(rows, columns, frame, random):
    bits = np.array([random.randrange(2) for _ in range(rows * columns * 4)], np.uint8)
    data = np.packbits(bits, bitorder="little").tobytes()
    begin = rows * columns * frame
    samples = unpack_frame(data[begin // 8 :], grey(rows, columns, 1), first_bit=begin % 8)
    np.testing.assert_array_equal(samples.ravel(), bits[begin : begin + rows * columns])


def test_twelve_bits_are_packed_low_bits_first():
    samples = unpack_frame(bytes([0x23, 0x61, 0x45]), grey(1, 2, 12))
    np.testing.assert_array_equal(samples, [[0x123, 0x456]])


def test_planes_become_pixels():
    planes = np.arange(24, dtype=np.uint8).reshape(3, 2, 4)
    layout = grey(2, 4, 8, samples=3, photometric="RGB", planar=True)
    np.testing.assert_array_equal(unpack_frame(planes.tobytes(), layout), planes.transpose(1, 2, 0))


def test_subsampled_colour_differences_serve_two_pixels():
    layout = grey(1, 4, 8, samples=3, photometric="YBR_FULL_422")
    samples = unpack_frame(bytes([10, 20, 1, 2, 30, 40, 3, 4]), layout)
    np.testing.assert_array_equal(samples, [[[10, 1, 2], [20, 1, 2], [30, 3, 4], [40, 3, 4]]])


def test_the_missing_end_of_a_frame_is_zero():
    samples = unpack_frame(bytes([1, 2, 3]), grey(2, 2, 8))
    np.testing.assert_array_equal(samples, [[1, 2], [3, 0]])


@pytest.mark.parametrize(
    ("layout", "bits_of_a_row"),
    [
        (grey(6, 5, 8), 40),
        (grey(6, 5, 16), 80),
        (grey(6, 5, 12), 60),
        (grey(6, 5, 1), 5),
        (grey(6, 5, 8, samples=3, photometric="RGB"), 120),
        (grey(6, 5, 8, samples=3, photometric="YBR_FULL_422"), 96),
    ],
)
@given(length=st.integers(0, 100), first_bit=st.integers(0, 7))
def test_a_row_is_there_when_all_of_its_bits_are(layout, bits_of_a_row, length, first_bit):
    known = whole_rows(length, layout, first_bit=first_bit)
    there = max(0, length * 8 - first_bit) // bits_of_a_row
    assert known == (None if there >= 6 else there)


def test_a_row_of_planes_is_there_when_all_planes_have_it():
    layout = grey(4, 5, 8, samples=3, photometric="RGB", planar=True)
    assert [whole_rows(length, layout) for length in (39, 40, 44, 45, 59, 60)] == [0, 0, 0, 1, 3, None]


def test_a_row_of_swapped_words_is_there_when_its_last_word_is():
    layout = grey(4, 3, 8, words=True, little_endian=False)
    assert [whole_rows(length, layout) for length in (3, 4, 5, 12)] == [0, 1, 1, None]


@given(st.integers(2, 16), st.booleans(), st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=20), st.data())
def test_stored_values_are_what_the_standard_says(stored, signed, words, data):
    high = data.draw(st.integers(stored - 1, 15))
    layout = PixelLayout(1, len(words), bits_allocated=16, bits_stored=stored, high_bit=high, signed=signed)
    found = stored_values(np.array([words], np.uint16), layout)[0]
    for word, value in zip(words, found, strict=True):
        field = (word >> (high - stored + 1)) & ((1 << stored) - 1)
        assert value == (field - (1 << stored) if signed and field >> (stored - 1) else field)


def test_sign_extension_of_full_words_is_a_change_of_type():
    np.testing.assert_array_equal(sign_extend(np.array([0xFFFE], np.uint16), 16), [-2])


def test_floats_are_left_as_they_are():
    layout = grey(1, 2, 32, floating=True)
    samples = unpack_frame(np.array([1.5, -2.5], "<f4").tobytes(), layout)
    np.testing.assert_array_equal(stored_values(samples, layout), [[1.5, -2.5]])
