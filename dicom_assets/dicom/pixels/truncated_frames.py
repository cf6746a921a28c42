"""What of a frame that ends early was decoded from what is there.

Decoders do not say where their data ended. Some fill the rest with grey and some leave it as it was, so a frame is
decoded twice, with two different ends: the rows from the top that come out the same depend on nothing that is missing.
"""

from collections.abc import Callable

import numpy as np

from dicom_assets.dicom.pixels.native import Samples

ENDS_EARLY = "the pixel data is cut short: its codestream ends early"
_END_OF_IMAGE = b"\xff\xd9"
_TAIL = 64
"""Bytes in which the end of a codestream is looked for: it may be padded."""
_CONTINUATIONS = (b"\x00" * 256, b"\xaa" * 256)


def ends_early(data: bytes) -> bool:
    """Say whether a JPEG or JPEG-LS codestream lacks its end; of JPEG 2000 this says little."""
    return _END_OF_IMAGE not in data[-_TAIL:]


def ended(data: bytes, more: bytes = b"") -> bytes:
    """Return a codestream without its end with one, behind more data of its scan."""
    return data.rstrip(b"\xff") + more + _END_OF_IMAGE


def decode_continued(data: bytes, decode: Callable[[bytes], Samples]) -> tuple[Samples, int | None]:
    """Decode what a decoder completes by values of its own, as that of JPEG does.

    Parameters
    ----------
    data
        A codestream without its end.
    decode
        Returns samples of shape ``(rows, ...)``.

    Returns
    -------
    tuple
        The samples, and how many rows from the top are known; ``None`` for all of them.

    """
    first, second = (decode(ended(data, more)) for more in _CONTINUATIONS)
    return first, equal_rows(first, second)


def decode_into_two(decode: Callable[[Samples], object], shape: tuple[int, ...], dtype: str) -> list[Samples]:
    """Decode what a decoder leaves as it was where its data ended, as that of JPEG-LS does.

    Parameters
    ----------
    decode
        Writes into an array; whatever it raises is taken for the end.
    shape, dtype
        Of that array.

    Returns
    -------
    list
        Two arrays, different where nothing was written.

    """
    arrays = [np.zeros(shape, dtype), np.full(shape, np.iinfo(dtype).max, dtype)]
    for array in arrays:
        try:
            decode(array)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001, S112 - of any class; what was written tells how far it came
            continue
    return arrays


def equal_rows(first: Samples, second: Samples) -> int | None:
    """Return how many rows from the top are the same in two arrays, ``None`` when all are."""
    if first.shape != second.shape:
        return 0
    same = (first == second).reshape(first.shape[0], -1).all(axis=1)
    return None if same.all() else int(np.argmin(same))


def components_in_scans(data: bytes) -> int:
    """Return how many components the scans of a JPEG codestream have in all (ISO 10918-1 B.2.3).

    A component whose scan is missing comes out as plain grey, which no second decoding would show.
    """
    count, at = 0, data.find(b"\xff\xda")
    while 0 <= at < len(data) - 4:
        count += data[at + 4]
        at = data.find(b"\xff\xda", at + 4)
    return count
