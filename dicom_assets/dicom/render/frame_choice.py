"""Which frame stands for an object."""

import numpy as np

from dicom_assets.dicom.header import Header
from dicom_assets.dicom.pixels.attributes import integer
from dicom_assets.dicom.pixels.layout import PixelLayout

_REPRESENTATIVE_FRAME_NUMBER = "00286010"


def representative_frame(header: Header, frames: int) -> int:
    """Return the index of the frame to show: Representative Frame Number (PS3.3 C.7.6.6), else the middle one.

    Parameters
    ----------
    header
        Of the image.
    frames
        How many frames there are, at least 1.

    """
    stated = integer(header.dataset, _REPRESENTATIVE_FRAME_NUMBER, 0)
    return stated - 1 if 1 <= stated <= frames else frames // 2


def frame_to_show(header: Header, declared: int, whole: int) -> int:
    """Return the index of the frame to show of a file that may lack some: that of a whole file where it is there.

    Parameters
    ----------
    header
        Of the image.
    declared
        How many frames there are by the header, at least 1.
    whole
        How many are in the file as a whole, counted from the first; of none the first is shown as far as it is there.

    """
    usual = representative_frame(header, declared)
    return usual if usual < whole else representative_frame(header, max(1, whole))


def fullest_native_frame(data: bytes, layout: PixelLayout, frames: int) -> int:
    """Return the index of the frame with most samples other than 0 in native pixel data.

    Parameters
    ----------
    data
        All frames, one after another.
    layout
        Of a frame.
    frames
        How many there are.

    """
    content = np.frombuffer(data, np.uint8)
    counts = []
    for frame in range(frames):
        begin, end = frame * layout.frame_bits, (frame + 1) * layout.frame_bits
        part = content[begin // 8 : -(-end // 8)]
        if layout.bits_allocated != 1:
            counts.append(int(np.count_nonzero(part)))
        else:
            bits = np.unpackbits(part, bitorder="little")[begin % 8 : begin % 8 + layout.frame_bits]
            counts.append(int(np.count_nonzero(bits)))
    return int(np.argmax(counts))
