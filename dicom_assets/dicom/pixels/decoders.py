"""Which decoder serves which transfer syntax (PS3.5 10, PS3.6 table A-1).

Every decoder but that of native frames is native code that reads what a stranger wrote, so :func:`decode_frame` is
called inside of :mod:`~dicom_assets.isolation`, unless the codec is trusted. Importing this module loads
no codec.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dicom_assets.dicom.pixels import jpeg, jpeg2000, other_codecs, rle, uncompressed, video
from dicom_assets.dicom.pixels.decoded import Decoded, Request
from dicom_assets.dicom.pixels.errors import CutError, PixelError, TooLargeError, UnsupportedPixelsError
from dicom_assets.dicom.pixels.truncated_frames import ENDS_EARLY

Decoder = Callable[[bytes, Request], Decoded]

NATIVE_SYNTAXES = frozenset(
    {
        "1.2.840.10008.1.2",  # Implicit VR Little Endian
        "1.2.840.10008.1.2.1",  # Explicit VR Little Endian
        "1.2.840.10008.1.2.1.99",  # Deflated Explicit VR Little Endian
        "1.2.840.10008.1.2.2",  # Explicit VR Big Endian
        "1.2.840.113619.5.2",  # Implicit VR Little Endian with big endian pixels, private to GE
    }
)
ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
"""Native frames, each in an item."""


@dataclass(frozen=True, slots=True)
class Codec:
    """A decoder and what it can do.

    Attributes
    ----------
    name
        Of the format, for messages.
    decode
        From one encoded frame to samples.
    trusted
        Whether it is numpy alone that reads what a stranger wrote, so that nothing needs isolation.

    """

    name: str
    decode: Decoder
    trusted: bool = False


_UNCOMPRESSED = Codec("native", uncompressed.decode_uncompressed, trusted=True)
_JPEG = Codec("JPEG", jpeg.decode_jpeg)
_JPEG_LS = Codec("JPEG-LS", other_codecs.decode_jpeg_ls)
_JPEG_2000 = Codec("JPEG 2000", jpeg2000.decode_jpeg2000)
_HTJ2K = Codec("HTJ2K", jpeg2000.decode_htj2k)
_JPEG_XL = Codec("JPEG XL", other_codecs.decode_jpeg_xl)

CODECS: Mapping[str, Codec] = {
    "1.2.840.10008.1.2.4.50": _JPEG,  # Baseline
    "1.2.840.10008.1.2.4.51": _JPEG,  # Extended, 8 and 12 bits
    "1.2.840.10008.1.2.4.57": _JPEG,  # Lossless, any selection value
    "1.2.840.10008.1.2.4.70": _JPEG,  # Lossless, selection value 1
    # Retired: arithmetic coding, progressive, hierarchical. The codestream says which, and whether we can.
    **{f"1.2.840.10008.1.2.4.{number}": _JPEG for number in (*range(52, 57), *range(58, 67))},
    "1.2.840.10008.1.2.4.80": _JPEG_LS,  # Lossless
    "1.2.840.10008.1.2.4.81": _JPEG_LS,  # Near-lossless
    "1.2.840.10008.1.2.4.90": _JPEG_2000,  # Lossless only
    "1.2.840.10008.1.2.4.91": _JPEG_2000,
    "1.2.840.10008.1.2.4.110": _JPEG_XL,  # Lossless
    "1.2.840.10008.1.2.4.111": _JPEG_XL,  # JPEG recompression
    "1.2.840.10008.1.2.4.112": _JPEG_XL,
    "1.2.840.10008.1.2.4.201": _HTJ2K,  # Lossless only
    "1.2.840.10008.1.2.4.202": _HTJ2K,  # Lossless RPCL
    "1.2.840.10008.1.2.4.203": _HTJ2K,
    "1.2.840.10008.1.2.5": Codec("RLE", rle.decode_rle),
    "1.2.840.10008.1.2.8.1": Codec("Deflated Image Frame", other_codecs.decode_deflated_frame),
}

VIDEO_SYNTAXES = frozenset(
    f"1.2.840.10008.1.2.4.{number}{fragmentable}"
    for number in range(100, 109)
    for fragmentable in ("", ".1")
    # 107 and 108 are HEVC, which has no variant of its own for fragments.
    if not (fragmentable and number > 106)
)
"""MPEG-2 (100, 101), MPEG-4 AVC (102 to 106), HEVC (107, 108): a bit stream holds all frames."""
_VIDEO = Codec("video", video.decode_video)


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
    if transfer_syntax in NATIVE_SYNTAXES or transfer_syntax == ENCAPSULATED_UNCOMPRESSED:
        return _UNCOMPRESSED
    if transfer_syntax in VIDEO_SYNTAXES:
        return _VIDEO
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
