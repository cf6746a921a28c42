"""Images in every transfer syntax that there is an encoder for, made for tests that cut them."""

import struct
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.encoders.native import _encode_segment
from pydicom.uid import UID

from dicom_assets_tests.support.dicom.images import encapsulated, file_bytes, image

JPEG_BASELINE, JPEG_EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS, JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"
JPEG_LS, JPEG_LS_NEAR = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"
JPEG_2000, JPEG_2000_LOSSY = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"
HTJ2K, HTJ2K_LOSSY = "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.203"
JPEG_XL = "1.2.840.10008.1.2.4.110"
RLE = "1.2.840.10008.1.2.5"
DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT, EXPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"

NATIVE = (IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED)


def rle(frame: np.ndarray) -> bytes:
    """Return an RLE frame: a segment per byte of a sample, most significant first (PS3.5 G)."""
    planes = [frame[..., sample] for sample in range(frame.shape[2])] if frame.ndim == 3 else [frame]
    segments = [
        bytes(_encode_segment((plane >> (8 * byte)).astype(np.uint8).tobytes(), plane.shape[1]))
        for plane in planes
        for byte in reversed(range(frame.dtype.itemsize))
    ]
    offsets = np.cumsum([64, *map(len, segments[:-1])]).tolist()
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(offsets))) + b"".join(segments)


def deflated_frame(frame: np.ndarray) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(frame.tobytes()) + compressor.flush()


def jpeg_xl(frame: np.ndarray) -> bytes:
    return imagecodecs.jpegxl_encode(frame, lossless=True)


def jpeg_2000(frame: np.ndarray) -> bytes:
    return imagecodecs.jpeg2k_encode(frame, level=0, codecformat="j2k")


def jpeg_12(frame: np.ndarray) -> bytes:
    return imagecodecs.jpeg8_encode(frame, level=95, bitspersample=12)


def lossless(frame: np.ndarray) -> bytes:
    bits = frame.dtype.itemsize * 8
    return imagecodecs.jpeg8_encode(frame, lossless=True, predictor=1, bitspersample=bits)


ENCODERS: dict[str, tuple[Callable[[np.ndarray], bytes], int]] = {
    JPEG_BASELINE: (lambda frame: imagecodecs.jpeg8_encode(frame, level=95), 8),
    JPEG_EXTENDED: (jpeg_12, 12),
    JPEG_LOSSLESS: (lossless, 16),
    JPEG_LOSSLESS_SV1: (lossless, 16),
    JPEG_LS: (imagecodecs.jpegls_encode, 16),
    JPEG_LS_NEAR: (lambda frame: imagecodecs.jpegls_encode(frame, level=2), 16),
    JPEG_2000: (jpeg_2000, 16),
    JPEG_2000_LOSSY: (lambda frame: imagecodecs.jpeg2k_encode(frame, level=60, codecformat="j2k"), 16),
    HTJ2K: (imagecodecs.htj2k_encode, 16),
    HTJ2K_LOSSY: (imagecodecs.htj2k_encode, 16),
    JPEG_XL: (jpeg_xl, 16),
    RLE: (rle, 16),
    DEFLATED_FRAME: (deflated_frame, 16),
    UNCOMPRESSED: (np.ndarray.tobytes, 16),
}
"""By transfer syntax, from a frame to its codestream, and the bits of a sample."""

BY_ROWS = (
    *NATIVE,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LS,
    JPEG_LS_NEAR,
    RLE,
    DEFLATED_FRAME,
    UNCOMPRESSED,
)
"""Syntaxes that code a frame from its first row to its last one."""


def scene(rows: int, columns: int, bits: int, seed: int = 1) -> np.ndarray:
    """Return a picture that is bright everywhere, with structure and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    levels = 0.6 + 0.2 * np.sin(x / 9) + 0.15 * np.cos(y / 7) + rng.normal(0, 0.02, (rows, columns))
    return (levels.clip(0.2, 1) * ((1 << bits) - 1)).astype(np.uint8 if bits <= 8 else np.uint16)


def compressed(syntax: str, frames: int = 1, size: tuple[int, int] = (96, 80), *, table: bool = True) -> Dataset:
    """Return an image of so many frames in a transfer syntax, native ones included; its buffer is all that it has."""
    encode, bits = ENCODERS.get(syntax, (None, 16))
    pictures = [scene(*size, bits, seed) for seed in range(frames)]
    array = np.stack(pictures) if frames > 1 else pictures[0]
    buffer = {"WindowCenter": 1 << (bits - 1), "WindowWidth": 1 << bits}
    dataset = image(
        array, syntax=EXPLICIT if encode else syntax, NumberOfFrames=frames, PatientID="ID-1", BitsStored=bits, **buffer
    )
    dataset.HighBit = bits - 1
    return encapsulated(dataset, [encode(picture) for picture in pictures], syntax, table=table) if encode else dataset


_STAND_INS = {DEFLATED_FRAME: JPEG_2000, JPEG_XL: HTJ2K}
"""Syntaxes that pydicom does not write, and such as have UIDs of the same length."""


def compressed_file(syntax: str, frames: int = 1, size: tuple[int, int] = (96, 80), *, table: bool = True) -> bytes:
    dataset = compressed(syntax, frames, size, table=table)
    if syntax not in _STAND_INS:
        return file_bytes(dataset)
    dataset.file_meta.TransferSyntaxUID = UID(_STAND_INS[syntax])
    stated, meant = (uid.encode() for uid in (_STAND_INS[syntax], syntax))
    return file_bytes(dataset).replace(stated, meant.ljust(len(stated), b"\0"), 1)
