"""Bulk data (PS3.18 10.4.1.1.5): values that metadata has the address of, by the way to them through sequences."""

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from starlette.responses import Response

from dicom_assets.dicom import uids
from dicom_assets.dicom.header import Element, Header, JsonDataset
from dicom_assets.dicom.header.vr import UNITS
from dicom_assets.dicom.items import UnreadableItemsError, items_of
from dicom_assets.dicom.pixels.decoders import is_native
from dicom_assets.dicom.pixels.frame_access import EncodedFrames
from dicom_assets.dicom.pixels.native import swapped
from dicom_assets.dicom.source import chunks
from dicom_assets.serve.dicomweb.accept import OCTETS, MediaRange
from dicom_assets.serve.dicomweb.frames import frame_octets, send_frames
from dicom_assets.serve.dicomweb.instances import Files, Instance
from dicom_assets.serve.dicomweb.metadata import PIXEL_DATA
from dicom_assets.serve.dicomweb.sending import send, send_parts, until_checked
from dicom_assets.serve.errors import NotAcceptableError, NotFoundError

_STEPS = re.compile(r"[0-9A-Fa-f]{8}(?:/\d{1,9}/[0-9A-Fa-f]{8}){0,16}", re.ASCII)
_NOTHING = "there is no bulk data at this address"


def send_bulk(files: Files, instance: Instance, ranges: Sequence[MediaRange], place: str, most_frames: int) -> Response:
    """Return one value of an instance, in Little Endian.

    Parameters
    ----------
    files
        Of the archive.
    instance
        Whose value.
    ranges
        What the client takes.
    place
        ``tag`` or ``tag/item/tag``, items counted from 0.
    most_frames
        Of compressed pixel data, each frame is a part of the answer: how many there may be.

    Raises
    ------
    NotFoundError
        There is no such value.
    NotAcceptableError
        The client takes no octets.
    ChangedFileError, ArchiveError
        The file is not what it was, or cannot be read.

    """
    if not _STEPS.fullmatch(place):
        raise NotFoundError(_NOTHING)
    steps = place.upper().split("/")
    if steps == [PIXEL_DATA]:
        return _send_pixels(files, instance, ranges, most_frames)
    multipart = _octets_in_parts(ranges)
    with ExitStack() as stack:
        header = stack.enter_context(files.header(instance))
        found = _element(header, steps)
        pieces = _pieces(header, found)
        kept = stack.pop_all()
    return _sent(until_checked(pieces, kept), multipart=multipart)


def _send_pixels(files: Files, instance: Instance, ranges: Sequence[MediaRange], most_frames: int) -> Response:
    """Return pixel data: of what is not compressed one value, of all else a part for each frame."""
    with ExitStack() as stack:
        header = stack.enter_context(files.header(instance))
        frames = EncodedFrames(header)
        if not is_native(frames.transfer_syntax):
            return send_frames(files, instance, ranges, None, most_frames)
        multipart = _octets_in_parts(ranges)
        pieces = _native_pixels(header, frames)
        kept = stack.pop_all()
    return _sent(until_checked(pieces, kept), multipart=multipart)


def _native_pixels(header: Header, frames: EncodedFrames) -> Iterator[bytes]:
    if frames.layout.bits_allocated == 1:  # frames follow one another bit by bit, and begin anywhere in a byte
        assert header.pixel is not None
        assert header.body is not None
        yield from chunks(header.body, offset=header.pixel.offset, length=header.pixel.length or 0)
        return
    for number in range(frames.layout.declared_frames):
        yield frame_octets(header, frames, number, uids.ExplicitVRLittleEndian)


def _octets_in_parts(ranges: Sequence[MediaRange]) -> bool:
    """Return whether the client would rather have octets in parts."""
    for one in ranges:
        if one.takes(OCTETS):
            return one.multipart is not False
    raise NotAcceptableError(f"bulk data is served as {OCTETS}")


def _sent(pieces: Iterator[bytes], *, multipart: bool) -> Response:
    return send_parts(iter([(OCTETS, pieces)]), OCTETS) if multipart else send(pieces, OCTETS)


def _element(header: Header, steps: Sequence[str]) -> Element:
    """Return the element at the end of a way; raises :class:`NotFoundError`."""
    dataset: JsonDataset = header.dataset
    for tag, number in zip(steps[:-1:2], steps[1::2], strict=True):
        dataset = _item(header, dataset.get(tag, {}), int(number))
    found = dataset.get(steps[-1])
    if found is None or not ("BulkData" in found or "InlineBinary" in found) or found["vr"] == "SQ":
        raise NotFoundError(_NOTHING)
    return found


def _item(header: Header, sequence: Element, number: int) -> JsonDataset:
    if sequence.get("vr") != "SQ":
        raise NotFoundError(_NOTHING)
    try:
        for place, item in enumerate(items_of(header, sequence)):
            if place == number:
                return item or {}
    except UnreadableItemsError:
        pass
    raise NotFoundError(_NOTHING)


def _pieces(header: Header, found: Element) -> Iterator[bytes]:
    """Yield the octets of a value; words of a big endian file are turned round."""
    unit = 1 if header.little_endian else _WORDS.get(found["vr"], 1)
    if "InlineBinary" in found:
        yield swapped(base64.b64decode(found["InlineBinary"]), unit)
        return
    assert header.body is not None
    place = found["BulkData"]
    for block in chunks(header.body, offset=int(place["offset"]), length=int(place["length"])):
        yield swapped(block, unit)


_WORDS = {**UNITS, "AT": 2}
"""Bytes of what is turned round, by VR: a tag is two words."""
