"""JPEG XL frames (PS3.5 8.2.17, ISO 18181)."""

from dicom_assets.dicom.pixels.decoded import Decoded, Request, coded_values


def decode_jpeg_xl(data: bytes, request: Request) -> Decoded:
    """Decode a JPEG XL frame; the decoder returns RGB for colour.

    Parameters
    ----------
    data
        One codestream.
    request
        What is known of the frame.

    """
    import imagecodecs

    samples = imagecodecs.jpegxl_decode(data)
    return Decoded(*coded_values(samples, samples.dtype.itemsize * 8, request.layout), rgb=True)
