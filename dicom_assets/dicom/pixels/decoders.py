"""Which decoder serves which transfer syntax (PS3.5 10, PS3.6 table A-1).

Every decoder but that of native frames is native code that reads what a stranger wrote, so :func:`decode_frame` is
called inside of :mod:`~dicom_assets.isolation`, unless the codec is trusted. Importing this module loads
no codec.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dicom_assets.dicom import uids
from dicom_assets.dicom.pixels import deflated, jpeg, jpeg2000, jpeg_ls, jpeg_xl, rle, uncompressed, video
from dicom_assets.dicom.pixels.decoded import Decoded, Request
from dicom_assets.dicom.pixels.errors import CutError, PixelError, TooLargeError, UnsupportedPixelsError
from dicom_assets.dicom.pixels.truncated_frames import ENDS_EARLY

Decoder = Callable[[bytes, Request], Decoded]


@dataclass(frozen=True, slots=True)
class Codec:
    """How the frames of some transfer syntaxes are decoded.

    Attributes
    ----------
    name
        Of the format, for messages.
    decode
        From one encoded frame to samples.
    trusted
        Whether it is numpy alone that reads what a stranger wrote, so that nothing needs isolation.
    native
        Whether pixel data is native: frames one after another in a value of stated length (PS3.5 8.1).
    one_stream
        Whether a bit stream holds all frames, and is decoded as a whole.

    """

    name: str
    decode: Decoder
    trusted: bool = False
    native: bool = False
    one_stream: bool = False


_NATIVE = Codec("native", uncompressed.decode_uncompressed, trusted=True, native=True)
_UNCOMPRESSED = Codec("native", uncompressed.decode_uncompressed, trusted=True)
_JPEG = Codec("JPEG", jpeg.decode_jpeg)
_JPEG_LS = Codec("JPEG-LS", jpeg_ls.decode_jpeg_ls)
_JPEG_2000 = Codec("JPEG 2000", jpeg2000.decode_jpeg2000)
_HTJ2K = Codec("HTJ2K", jpeg2000.decode_htj2k)
_JPEG_XL = Codec("JPEG XL", jpeg_xl.decode_jpeg_xl)
_VIDEO = Codec("video", video.decode_video, one_stream=True)

CODECS: Mapping[str, Codec] = {
    uids.ImplicitVRLittleEndian: _NATIVE,
    uids.ExplicitVRLittleEndian: _NATIVE,
    uids.ExplicitVRBigEndian: _NATIVE,
    uids.DeflatedExplicitVRLittleEndian: _NATIVE,
    uids.PrivateGEImplicitVRBigEndian: _NATIVE,
    uids.EncapsulatedUncompressedExplicitVRLittleEndian: _UNCOMPRESSED,
    uids.JPEGBaseline8Bit: _JPEG,
    uids.JPEGExtended12Bit: _JPEG,
    uids.JPEGLossless: _JPEG,
    uids.JPEGLosslessSV1: _JPEG,
    # Retired: arithmetic coding, progressive, hierarchical. The codestream says which, and whether we can.
    **{f"1.2.840.10008.1.2.4.{number}": _JPEG for number in (*range(52, 57), *range(58, 67))},
    uids.JPEGLSLossless: _JPEG_LS,
    uids.JPEGLSNearLossless: _JPEG_LS,
    uids.JPEG2000Lossless: _JPEG_2000,
    uids.JPEG2000: _JPEG_2000,
    uids.JPEGXLLossless: _JPEG_XL,
    uids.JPEGXLJPEGRecompression: _JPEG_XL,
    uids.JPEGXL: _JPEG_XL,
    uids.HTJ2KLossless: _HTJ2K,
    uids.HTJ2KLosslessRPCL: _HTJ2K,
    uids.HTJ2K: _HTJ2K,
    uids.RLELossless: Codec("RLE", rle.decode_rle),
    uids.DeflatedImageFrameCompression: Codec("Deflated Image Frame", deflated.decode_deflated_frame),
    # MPEG-2 (100, 101), MPEG-4 AVC (102 to 106) and their variants for fragments; HEVC (107, 108) has none.
    **{f"1.2.840.10008.1.2.4.{number}": _VIDEO for number in range(100, 109)},
    **{f"1.2.840.10008.1.2.4.{number}.1": _VIDEO for number in range(100, 107)},
}
"""What is served, by transfer syntax. Nothing else says which of them are native."""


def is_native(transfer_syntax: str | None) -> bool:
    """Say whether pixel data in a transfer syntax is native, by its UID."""
    codec = None if transfer_syntax is None else CODECS.get(transfer_syntax)
    return codec is not None and codec.native


def codec_for(transfer_syntax: str) -> Codec:
    """Return the codec of a transfer syntax.

    Parameters
    ----------
    transfer_syntax
        Its UID.

    Raises
    ------
    UnsupportedPixelsError
        When there is none.

    """
    try:
        return CODECS[transfer_syntax]
    except KeyError:
        raise UnsupportedPixelsError(f"no decoder for transfer syntax {transfer_syntax}") from None


def decode_frame(data: bytes, transfer_syntax: str, request: Request) -> Decoded:
    """Decode one frame.

    Parameters
    ----------
    data
        The encoded frame.
    transfer_syntax
        UID of its transfer syntax.
    request
        What is known of the frame, and the resolution that is enough.

    Raises
    ------
    UnsupportedPixelsError
        When no decoder serves the transfer syntax.
    TooLargeError
        When the codestream declares more pixels than allowed, or memory did not suffice.
    CutError
        When the frame ends before its first row does.
    PixelError
        When the decoder declines the frame.

    """
    codec = codec_for(transfer_syntax)
    try:
        decoded = codec.decode(data, request)
    except PixelError:
        raise
    except MemoryError:
        raise TooLargeError(f"{codec.name} decoder asked for more memory than the limit") from None
    except Exception as error:
        if request.cut:
            raise CutError(ENDS_EARLY) from error
        # Codecs raise classes of their own for what they decline; their texts speak of the codestream alone.
        message = str(error).partition("\n")[0][:160]
        raise PixelError(f"{codec.name} decoder: {type(error).__name__}: {message}") from error
    if decoded.known_rows == 0:
        raise CutError(ENDS_EARLY)
    return decoded
