"""One frame of an object: its transfer syntax, its bytes, its stored values. Only the bytes of that frame are read."""

from dataclasses import dataclass

from dicom_assets.dicom.header import Header, PixelElement
from dicom_assets.dicom.pixels.decoded import Decoded, Request
from dicom_assets.dicom.pixels.decoders import codec_for, decode_frame, is_native
from dicom_assets.dicom.pixels.errors import NoPixelDataError, PixelError, UnsupportedPixelsError
from dicom_assets.dicom.pixels.fragments import FrameIndex, is_whole, read_frame
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


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One frame as its file holds it.

    Attributes
    ----------
    data
        The bytes that hold it.
    first_bit
        The bit in them that it begins with.
    whole
        Whether all of an encapsulated frame is in the file; of a native one its length tells.

    """

    data: bytes
    first_bit: int = 0
    whole: bool = True


class EncodedFrames:
    """The frames of one object as its file holds them, found once however many are read.

    Parameters
    ----------
    header
        Of the object; its ``body`` is read.

    Attributes
    ----------
    layout
        How the samples of a frame lie.
    transfer_syntax
        UID of the transfer syntax that frames are encoded in.

    Raises
    ------
    NoPixelDataError
        When the object has no pixel data.
    UnsupportedPixelsError
        When its frames cannot be told apart, or their layout is not served.
    OSError
        When the storage fails.

    """

    def __init__(self, header: Header) -> None:
        if header.pixel is None or header.body is None:
            raise NoPixelDataError("the object has no pixel data")
        self._header, self._pixel, self._body = header, header.pixel, header.body
        self.layout = read_layout(header)
        self.transfer_syntax = effective_syntax(header, header.pixel)
        if header.pixel.length is None and codec_for(self.transfer_syntax).one_stream:
            raise UnsupportedPixelsError("frames of a video cannot be read one by one")
        self._index: FrameIndex | None = None

    def read(self, frame: int) -> EncodedFrame:
        """Read one frame.

        Parameters
        ----------
        frame
            Number of the frame, from 0.

        Raises
        ------
        PixelError
            When there is no such frame.
        OSError
            When the storage fails.

        """
        if not 0 <= frame < self.layout.declared_frames:
            raise PixelError(f"the object has {self.layout.declared_frames} frames, and no frame {frame + 1}")
        if self._pixel.length is not None:
            return EncodedFrame(*read_native_frame(self._body, self._pixel, self.layout, frame))
        if self._index is None:
            self._index = FrameIndex(self._header, self.layout.declared_frames)
        fragments = self._index.fragments(frame)
        return EncodedFrame(read_frame(self._body, fragments), whole=is_whole(fragments))


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
    frames = EncodedFrames(header)
    encoded = frames.read(frame)
    request = Request(frames.layout, max_pixels=max_pixels, first_bit=encoded.first_bit)
    return decode_frame(encoded.data, frames.transfer_syntax, request)
