"""Pictures as files: JPEG for photographs and grey images, PNG where every pixel is a statement."""

import io

import numpy as np
from PIL import Image

from dicom_assets.dicom.render.resize import Picture

JPEG = "image/jpeg"
PNG = "image/png"

_SMALL = 64 * 64
"""Pixels up to which PNG is as small as JPEG with its tables, and shows no blocks."""


def encode_picture(picture: Picture, *, lossless: bool, quality: int) -> tuple[bytes, str]:
    """Return an encoded picture and its media type.

    Parameters
    ----------
    picture
        Shape ``(rows, columns)`` for grey, ``(rows, columns, 3)`` for RGB.
    lossless
        PNG whatever the size; very small pictures are PNG anyway.
    quality
        Of JPEG, 1 to 95. Colour is not subsampled: thin coloured lines of ultrasound would fade.

    """
    out = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture))
    if lossless or image.width * image.height <= _SMALL:
        image.save(out, "PNG", compress_level=6)
        return out.getvalue(), PNG
    image.save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue(), JPEG
