"""Native frames (PS3.5 8.1): bytes to arrays with numpy alone, so nothing here needs isolation."""

from typing import Any

import numpy as np
import numpy.typing as npt

from dicom_assets.dicom.pixels.layout import PixelLayout

Samples = npt.NDArray[Any]


def swapped(data: bytes, unit: int) -> bytes:
    """Return words of some bytes each in the other byte order; what is no whole word at the end stays as it is."""
    if unit == 1:
        return data
    whole = len(data) // unit * unit
    return np.frombuffer(data[:whole], f"u{unit}").byteswap().tobytes() + data[whole:]


def unpack_frame(data: bytes, layout: PixelLayout, *, first_bit: int = 0) -> Samples:
    """Return the samples of a native frame as they are stored.

    Parameters
    ----------
    data
        The bytes that hold the frame. Where they end too early the missing samples are zero: :func:`whole_rows`
        tells how many rows are there.
    layout
        How the samples lie.
    first_bit
        Where in `data` the frame begins: within the first byte for samples narrower than one, at the second byte
        of a word for frames of odd length in swapped words.

    Returns
    -------
    Samples
        Shape ``(rows, columns)`` for one sample per pixel, else ``(rows, columns, samples)``, in the machine's
        byte order and of the width of Bits Allocated; not yet cut to Bits Stored.

    """
    length = (first_bit + layout.frame_bits + 7) // 8
    if len(data) < length:
        data = data.ljust(length, b"\0")
    if layout.words:
        data = swapped(data, 2)
    data, first_bit = data[first_bit // 8 :], first_bit % 8
    flat = _flat(data, layout, first_bit)
    if layout.samples == 1:
        return flat[: layout.pixels].reshape(layout.rows, layout.columns)
    if layout.photometric == "YBR_FULL_422" and not layout.planar:
        return _spread_422(flat, layout)
    if layout.planar:
        planes = flat[: layout.pixels * layout.samples].reshape(layout.samples, layout.rows, layout.columns)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    return flat[: layout.pixels * layout.samples].reshape(layout.rows, layout.columns, layout.samples)


def whole_rows(length: int, layout: PixelLayout, *, first_bit: int = 0) -> int | None:
    """Return how many rows of a native frame so many bytes hold, in all of its planes; ``None`` for all of them.

    Parameters
    ----------
    length
        Bytes that are there.
    layout, first_bit
        As for :func:`unpack_frame`.

    """
    if layout.words:
        length = length // 2 * 2
    bits = max(0, length * 8 - first_bit)
    if bits >= layout.frame_bits:
        return None
    if layout.planar and layout.samples > 1:
        plane = layout.pixels * layout.bits_allocated
        return max(0, bits - (layout.samples - 1) * plane) * layout.rows // plane
    return bits * layout.rows // layout.frame_bits


def _flat(data: bytes, layout: PixelLayout, first_bit: int) -> Samples:
    """Return the samples in the order of the file, one machine word each."""
    bits = layout.bits_allocated
    order = "<" if layout.little_endian else ">"
    if layout.floating:
        return _machine_order(np.frombuffer(data, f"{order}f{bits // 8}", count=layout.frame_bits // bits))
    if bits in {8, 16, 32, 64}:
        return _machine_order(np.frombuffer(data, f"{order}u{bits // 8}", count=layout.frame_bits // bits))
    ones = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    ones = ones[first_bit : first_bit + layout.frame_bits]
    if bits == 1:
        return ones
    # 12-bit packed and other retired widths: the first bit of a sample is its lowest.
    weights = np.left_shift(np.uint64(1), np.arange(bits, dtype=np.uint64))
    values: Samples = (ones.reshape(-1, bits) * weights).sum(axis=1, dtype=np.uint64)
    return values.astype(np.uint16 if bits <= 16 else np.uint32 if bits <= 32 else np.uint64)


def _machine_order(array: Samples) -> Samples:
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _spread_422(flat: Samples, layout: PixelLayout) -> Samples:
    """Return YBR samples of every pixel from ``Y1 Y2 CB CR`` groups (PS3.3 C.7.6.3.1.2)."""
    groups = flat.reshape(layout.rows, -1, 4)
    spread = np.empty((layout.rows, groups.shape[1] * 2, 3), flat.dtype)
    spread[:, 0::2, 0], spread[:, 1::2, 0] = groups[..., 0], groups[..., 1]
    spread[..., 1:] = np.repeat(groups[..., 2:], 2, axis=1)
    return spread[:, : layout.columns]


def stored_values(samples: Samples, layout: PixelLayout) -> Samples:
    """Return the values inside words: shifted to Bits Stored and, where signed, sign-extended (PS3.5 8.1.1).

    Bits outside of Bits Stored may hold an overlay of old files and never are part of a value.
    """
    if samples.dtype.kind != "u":
        return samples
    width = samples.dtype.itemsize * 8
    shift = layout.high_bit + 1 - layout.bits_stored
    values = samples >> shift if shift > 0 else samples
    if layout.signed:
        return sign_extend(values, layout.bits_stored)
    if layout.bits_stored + shift < width:
        return values & values.dtype.type((1 << layout.bits_stored) - 1)
    return values


def sign_extend(values: Samples, bits: int) -> Samples:
    """Return unsigned words as the two's complement numbers that their lowest `bits` bits are."""
    width = values.dtype.itemsize * 8
    signed = values.view(np.dtype(f"i{values.dtype.itemsize}"))
    if bits >= width:
        return signed
    gap = width - bits
    extended: Samples = (signed << gap) >> gap
    return extended
