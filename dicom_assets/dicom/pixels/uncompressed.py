"""Native frames as a codec like others, so that what executes a plan need not ask which are native."""

from dicom_assets.dicom.pixels.decoded import Decoded, Request
from dicom_assets.dicom.pixels.native import stored_values, unpack_frame, whole_rows


def decode_uncompressed(data: bytes, request: Request) -> Decoded:
    """Read a native frame (PS3.5 8.1); where its bytes end early, the rows that are there are known.

    Parameters
    ----------
    data
        The bytes that hold it.
    request
        What is known of the frame, and where in the first byte it begins.

    """
    layout = request.layout
    samples = unpack_frame(data, layout, first_bit=request.first_bit)
    known_rows = whole_rows(len(data), layout, first_bit=request.first_bit)
    return Decoded(stored_values(samples, layout), layout.bits_stored, known_rows=known_rows)
