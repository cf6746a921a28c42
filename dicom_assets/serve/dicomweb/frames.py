"""Frames (PS3.18 10.4.1.1.6): as they are stored, read by range; or uncompressed in Explicit VR Little Endian."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np
from starlette.responses import Response

from dicom_assets.dicom import uids
from dicom_assets.dicom.header import Header
from dicom_assets.dicom.pixels.decoders import is_native
from dicom_assets.dicom.pixels.errors import CutError, UnsupportedPixelsError
from dicom_assets.dicom.pixels.frame_access import EncodedFrame, EncodedFrames
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.native import Samples, unpack_frame, whole_rows
from dicom_assets.dicom.render.colour import render_colour
from dicom_assets.dicom.stored_frames import stored_frames
from dicom_assets.serve.dicomweb.accept import Form, MediaRange, form_of_frames
from dicom_assets.serve.dicomweb.instances import Files, Instance
from dicom_assets.serve.dicomweb.sending import Part, send, send_parts, until_checked
from dicom_assets.serve.errors import RequestError, TooMuchError

_LIST = re.compile(r"[1-9]\d{0,8}(?:,[1-9]\d{0,8})*", re.ASCII)
_WHOLE_BYTES = frozenset({8, 16, 32, 64})


def read_numbers(text: str, most: int) -> Sequence[int]:
    """Return the numbers of a list of frames, from 1; raises :class:`RequestError` where it is none, or too long."""
    if not _LIST.fullmatch(text):
        raise RequestError("frames are numbers from 1, with commas between them")
    numbers = [int(part) for part in text.split(",")]
    if len(numbers) > most:
        raise TooMuchError(f"more than {most} frames are too many for one request")
    return numbers


def send_frames(
    files: Files, instance: Instance, ranges: Sequence[MediaRange], numbers: Sequence[int] | None, most: int
) -> Response:
    """Return frames of an instance.

    Parameters
    ----------
    files
        Of the archive.
    instance
        Whose frames.
    ranges
        What the client takes.
    numbers
        Which, from 1, in this order; all by default.
    most
        How many may be sent at once.

    Raises
    ------
    NotAcceptableError
        The client takes nothing that can be made of them.
    PixelError
        There is no such frame, or it is damaged, or cannot be decoded.
    ChangedFileError, ArchiveError
        The file is not what it was, or cannot be read.

    """
    with ExitStack() as stack:
        header = stack.enter_context(files.header(instance))
        frames = EncodedFrames(header)
        wanted = range(1, frames.layout.declared_frames + 1) if numbers is None else numbers
        if len(wanted) > most:
            raise TooMuchError(f"{len(wanted)} frames are too many for one request: ask for {most} at a time")
        form = form_of_frames(ranges, frames.transfer_syntax, len(wanted))
        kept = stack.pop_all()
    parts = until_checked(_parts(header, frames, wanted, form), kept)
    if form.multipart:
        return send_parts(parts, form.kind)
    return send((piece for _, pieces in parts for piece in pieces), form.content_type)


def _parts(header: Header, frames: EncodedFrames, numbers: Sequence[int], form: Form) -> Iterator[Part]:
    for number in numbers:
        data = frame_octets(header, frames, number - 1, form.syntax)
        yield form.content_type, (data,)


def frame_octets(header: Header, frames: EncodedFrames, frame: int, syntax: str) -> bytes:
    """Return one frame in a transfer syntax: the stored one, or Explicit VR Little Endian.

    Parameters
    ----------
    header, frames
        Of the object.
    frame
        Number of the frame, from 0.
    syntax
        UID of the transfer syntax.

    Raises
    ------
    PixelError
        There is no such frame, or not all of it, or it cannot be decoded.

    """
    if is_native(frames.transfer_syntax):
        return _native(frames.read(frame), frames.layout)
    if syntax == frames.transfer_syntax and syntax != uids.EncapsulatedUncompressedExplicitVRLittleEndian:
        encoded = frames.read(frame)
        if not encoded.whole:
            raise CutError(f"frame {frame + 1} is cut short: the file ends within it")
        return encoded.data
    return _octets(next(stored_frames(header, [frame])), frames.layout)


def _native(encoded: EncodedFrame, layout: PixelLayout) -> bytes:
    """Return a native frame in little endian, its bits from the first of a byte on; YBR_FULL_422 as RGB."""
    if whole_rows(len(encoded.data), layout, first_bit=encoded.first_bit) is not None:
        raise CutError("the frame is cut short: the file ends within it")
    aligned = encoded.first_bit == 0 and layout.frame_bits % 8 == 0
    little = not layout.words and (layout.little_endian or layout.bits_allocated == 8)
    subsampled = layout.photometric == "YBR_FULL_422" and layout.samples > 1 and not layout.planar
    if aligned and little and not subsampled:
        return encoded.data
    if layout.bits_allocated not in _WHOLE_BYTES | {1}:
        raise UnsupportedPixelsError(f"frames of {layout.bits_allocated} bits that begin within a byte")
    samples = unpack_frame(encoded.data, layout, first_bit=encoded.first_bit)
    if subsampled:
        size = layout.rows, layout.columns
        return render_colour(samples, layout.photometric, layout.bits_stored, size).tobytes()
    return _octets(samples, layout)


def _octets(samples: Samples, layout: PixelLayout) -> bytes:
    """Return samples as native pixel data in little endian has them, as wide as Bits Allocated says (PS3.5 8.1)."""
    if layout.planar and samples.ndim > 2:
        samples = samples.transpose(2, 0, 1)
    if layout.bits_allocated == 1:
        return np.packbits(samples.astype(np.uint8).ravel(), bitorder="little").tobytes()
    if samples.dtype.kind == "f":
        return samples.astype(f"<f{layout.bits_allocated // 8}").tobytes()
    width = next(size for size in (1, 2, 4, 8) if size * 8 >= layout.bits_allocated)
    return samples.astype(f"<{'i' if layout.signed else 'u'}{width}").tobytes()
