"""One frame of an object: its transfer syntax, its bytes, its stored values. Only the bytes of that frame are read."""

from dicom_assets.dicom.header import Header, PixelElement
from dicom_assets.dicom.pixels.decoded import Decoded, Request
from dicom_assets.dicom.pixels.decoders import codec_for, decode_frame, is_native
from dicom_assets.dicom.pixels.errors import NoPixelDataError, PixelError, UnsupportedPixelsError
from dicom_assets.dicom.pixels.fragments import FrameIndex, read_frame
from dicom_assets.dicom.pixels.layout import PixelLayout, read_layout
from dicom_assets.dicom.source import ByteSource
from dicom_assets.dicom.uids import ExplicitVRLittleEndian


def effective_syntax(header: Header, pixel: PixelElement) -> str:
    """Return the transfer syntax that the pixels are in; a defined length means native whatever the header says.

    Raises
    ------
    UnsupportedPixelsError
        When the pixel data is encapsulated under an uncompressed transfer syntax.

    """
    stated = header.transfer_syntax or ExplicitVRLittleEndian
    native = is_native(stated)
    if pixel.length is not None:
        return stated if native else ExplicitVRLittleEndian
    if native:
        raise UnsupportedPixelsError("encapsulated pixel data under an uncompressed transfer syntax")
    return stated


def native_extent(layout: PixelLayout, frame: int) -> tuple[int, int, int]:
    """Return where a native frame is in its pixel data (PS3.5 8.1.1).

    Frames of single bits begin anywhere in a byte; samples of words are read by whole words.

    Parameters
    ----------
    layout
        Of the frames.
    frame
        Number of the frame, from 0.

    Returns
    -------
    The first byte, the byte behind the last, and the bit in the first byte that the frame begins with.

    """
    unit = 2 if layout.words else 1
    begin, end = layout.frame_bits * frame, layout.frame_bits * (frame + 1)
    first, last = begin // 8 // unit * unit, -(-end // (8 * unit)) * unit
    return first, last, begin - first * 8


def read_native_frame(body: ByteSource, pixel: PixelElement, layout: PixelLayout, frame: int) -> tuple[bytes, int]:
    """Return the bytes that hold a native frame, fewer where the file ends, and the bit that it begins with."""
    first, last, first_bit = native_extent(layout, frame)
    last = min(last, pixel.length or 0)
    return body.read(pixel.offset + first, max(0, last - first)), first_bit


def decode_stored_frame(header: Header, frame: int = 0, max_pixels: int = 1 << 28) -> Decoded:
    """Return the stored values of one frame, at full resolution, before any transformation.

    Native decoders read what the file holds; call this where a crash is no loss (:mod:`dicom_assets.isolation`).

    Parameters
    ----------
    header
        Of the object; its ``body`` is read.
    frame
        Number of the frame, from 0.
    max_pixels
        The most pixels that a frame may have.

    Returns
    -------
    Decoded
        Its ``samples`` have the shape ``(rows, columns)``, or ``(rows, columns, samples)`` where there are several
        samples for a pixel.

    Raises
    ------
    NoPixelDataError
        When the object has no pixel data.
    PixelError
        When it has no such frame, or one that cannot be decoded; subclasses name the reason.
    OSError
        When the storage fails.

    """
    pixel, body = header.pixel, header.body
    if pixel is None or body is None:
        raise NoPixelDataError("the object has no pixel data")
    layout = read_layout(header)
    if not 0 <= frame < layout.declared_frames:
        raise PixelError(f"the object has {layout.declared_frames} frames, and no frame {frame + 1}")
    syntax, first_bit = effective_syntax(header, pixel), 0
    if pixel.length is not None:
        data, first_bit = read_native_frame(body, pixel, layout, frame)
    elif codec_for(syntax).one_stream:
        raise UnsupportedPixelsError("frames of a video cannot be read one by one")
    else:
        data = read_frame(body, FrameIndex(header, layout.declared_frames).fragments(frame))
    return decode_frame(data, syntax, Request(layout, max_pixels=max_pixels, first_bit=first_bit))
