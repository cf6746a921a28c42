"""Frames as numbers, for who computes with them: stored values or modality values, decoded where a crash is no loss.

Native frames are read by numpy in this process. All others are decoded in a process of their own
(:mod:`dicom_assets.isolation`), one for each process that asks, started when it is first needed.
"""

import atexit
from collections.abc import Iterator, Sequence
from functools import cache
from pickle import PickleBuffer
from typing import Any

import numpy as np

from dicom_assets.dicom.header import Header, JsonDataset
from dicom_assets.dicom.pixels.attributes import integer
from dicom_assets.dicom.pixels.decoded import Decoded, Request
from dicom_assets.dicom.pixels.decoders import codec_for, decode_frame
from dicom_assets.dicom.pixels.errors import CutError, PixelError, TooLargeError
from dicom_assets.dicom.pixels.frame_access import EncodedFrames
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.native import Samples
from dicom_assets.dicom.render.isolated import answer_of, refusal
from dicom_assets.dicom.render.presentation import modality_transforms
from dicom_assets.isolation import Answer, ChildLimits, IsolatedFunction

LIMITS = ChildLimits(seconds=60.0, memory_bytes=4 << 30)
"""What decoding one frame may cost."""

_MOST_BYTES = 1 << 27
"""Of a decoded frame: what comes back from a decoder process is bounded, and half of that bound is room enough."""

_BITS_ALLOCATED, _BITS_STORED = "00280100", "00280101"
_SINGLE = 32
_EXACT_IN_SINGLE = 24
"""Bits of whole numbers that single precision holds."""


def stored_frames(header: Header, frames: Sequence[int]) -> Iterator[Samples]:
    """Yield the stored values of some frames, as they are asked for; only the bytes of these frames are read.

    Parameters
    ----------
    header
        Of the object; its ``body`` is read.
    frames
        Numbers of the frames, from 0, in the order wanted.

    Yields
    ------
    Samples
        Shape ``(rows, columns)``, or ``(rows, columns, samples)`` where there are several samples for a pixel. Colour
        that a JPEG keeps as YCbCr is RGB here.

    Raises
    ------
    NoPixelDataError
        When the object has no pixel data.
    CutError
        When the file ends within a frame.
    PixelError
        When it has no such frame, or one that cannot be decoded; subclasses name the reason.
    OSError
        When the storage fails, or no decoder process can be started.

    """
    source = EncodedFrames(header)
    most = _MOST_BYTES // (source.layout.samples * max(1, source.layout.bits_allocated // 8))
    if source.layout.pixels > most:
        raise TooLargeError(f"{source.layout.columns} x {source.layout.rows} pixels, the limit is {most}")
    for frame in frames:
        encoded = source.read(frame)
        if not encoded.whole:
            raise CutError(f"frame {frame + 1} is cut short: the file ends within it")
        request = Request(source.layout, max_pixels=most, first_bit=encoded.first_bit)
        decoded = _decode(encoded.data, source.transfer_syntax, request)
        _check(decoded, source.layout, frame)
        yield decoded.samples


def modality_frames(header: Header, frames: Sequence[int]) -> Iterator[Samples]:
    """Yield some frames in the units of the modality, such as Hounsfield units: stored values, rescaled.

    Modality LUT, Rescale Slope and Intercept, also of functional groups, and Dose Grid Scaling are applied (PS3.3
    C.11.1, C.7.6.16.2.9, C.8.8.3). An image that has none of them keeps its stored values.

    Parameters
    ----------
    header, frames
        As for :func:`stored_frames`.

    Yields
    ------
    Samples
        32-bit floats; 64-bit floats where stored values have more than 24 bits, which 32 do not hold.

    Raises
    ------
    PixelError, OSError
        As for :func:`stored_frames`; also where a pixel has several samples, which are no quantity.

    """
    layout = EncodedFrames(header).layout
    if layout.samples != 1 or layout.photometric == "PALETTE COLOR":
        raise PixelError("colours are no quantity that could be rescaled")
    kind = modality_type(header.dataset)
    transforms = modality_transforms(header, layout, frames)
    for stored, transform in zip(stored_frames(header, frames), transforms, strict=True):
        yield transform(stored.astype(np.float64)).astype(kind)


def modality_type(dataset: JsonDataset) -> "np.dtype[Any]":
    """Return the type that holds modality values: 32-bit floats, or 64-bit where stored values have over 24 bits."""
    precise = integer(dataset, _BITS_STORED, 0) > _EXACT_IN_SINGLE or integer(dataset, _BITS_ALLOCATED, 0) > _SINGLE
    return np.dtype(np.float64 if precise else np.float32)


def declared_frames(header: Header) -> int:
    """Return how many frames an object says it has, at least 1; raises as :func:`stored_frames` does."""
    return EncodedFrames(header).layout.declared_frames


def _check(decoded: Decoded, layout: PixelLayout, frame: int) -> None:
    """Refuse a frame of which rows are missing, or which is not of the size that the header states."""
    if decoded.known_rows is not None:
        raise CutError(f"frame {frame + 1} is cut short: {decoded.known_rows} of {layout.rows} rows are there")
    rows, columns = decoded.samples.shape[:2]
    if (rows, columns) != (layout.rows, layout.columns):
        raise PixelError(
            f"frame {frame + 1} has {columns} x {rows} pixels, and the header says {layout.columns} x {layout.rows}"
        )


def _decode(data: bytes, transfer_syntax: str, request: Request) -> Decoded:
    if codec_for(transfer_syntax).trusted:
        try:
            return decode_frame(data, transfer_syntax, request)
        except MemoryError:
            raise TooLargeError("the frame asks for more memory than there is") from None
    return _received(answer_of(_decoder_process(), PickleBuffer(data), transfer_syntax, request))


@cache
def _decoder_process() -> IsolatedFunction:
    process = IsolatedFunction(decode_in_child, LIMITS)
    atexit.register(process.close)
    return process


def decode_in_child(data: bytes, transfer_syntax: str, request: Request) -> Answer:
    """Decode one frame; runs in the decoder process. What the decoder raises is part of the answer."""
    try:
        decoded = decode_frame(data, transfer_syntax, request)
    except PixelError as error:
        return refusal(error)
    samples = np.ascontiguousarray(decoded.samples)
    shape, known = [int(length) for length in samples.shape], decoded.known_rows
    fields = {"type": samples.dtype.str, "shape": shape, "bits": decoded.bits, "known_rows": known}
    return Answer(fields, samples.tobytes())


def _received(answer: Answer) -> Decoded:
    """Return what a decoder process sent, which may be anything where hostile data took it over."""
    fields = answer.fields
    try:
        samples = np.frombuffer(answer.data, np.dtype(str(fields["type"]))).reshape(fields["shape"])
        bits, known = int(fields["bits"]), fields["known_rows"]
    except (KeyError, TypeError, ValueError) as error:
        raise PixelError("the decoder process sent what is no frame") from error
    if samples.dtype.kind not in "biuf":
        raise PixelError("the decoder process sent what is no frame")
    return Decoded(samples, bits, known_rows=None if known is None else int(known))
