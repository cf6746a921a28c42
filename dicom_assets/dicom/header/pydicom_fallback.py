"""Headers by pydicom, for files whose structure the walker cannot follow.

pydicom finds the elements; their values become JSON by the same decoders as the walker's, so that a value reads
the same whoever found it.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag

from dicom_assets.dicom.header.ambiguous_vr import resolved_vr
from dicom_assets.dicom.header.charsets import NO_CHARSET, Charset, charset_of
from dicom_assets.dicom.header.dictionary import dictionary_vr, is_known
from dicom_assets.dicom.header.encoding import ENCODINGS, UNDEFINED
from dicom_assets.dicom.header.issues import IssueCode, IssueLog
from dicom_assets.dicom.header.limits import HeaderLimits, inline_caps
from dicom_assets.dicom.header.model import Element, Header, Issue, JsonDataset, PixelElement
from dicom_assets.dicom.header.pixel_extent import checked_pixels
from dicom_assets.dicom.header.sniff import DEFLATED_SYNTAXES
from dicom_assets.dicom.header.vr import ALL_VRS
from dicom_assets.dicom.source import ByteSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.errors import DataError

MOST_BYTES = 1 << 20
"""How much of a file pydicom gets to see. It has no limits of its own, and needs seconds for a megabyte of noise."""

_CHARSET_TAG = "00080005"
_PIXEL_TAGS = ("7FE00008", "7FE00009", "7FE00010")


def read_by_pydicom(source: ByteSource, limits: HeaderLimits) -> Header | None:
    """Read a header by pydicom.

    Parameters
    ----------
    source
        The file.
    limits
        What is inlined.

    Returns
    -------
    Header or None
        With the issue ``structure`` and the status ``issues``, or ``truncated`` where the file ends inside a value,
        which is left out. ``None`` when pydicom cannot read it, or when what it reads has tags that no dictionary
        knows, as noise that is read as elements does.

    Raises
    ------
    OSError
        If the source does.

    """
    content = source.read(0, MOST_BYTES)
    try:
        with _silence():
            pixels = _PixelStop(BytesIO(content))
            dataset = read_partial(pixels.stream, pixels.is_met, force=True)
            header = replace(_converted(dataset, source, content, limits), pixel=pixels.found)
    except Exception:  # noqa: BLE001 - pydicom raises whatever comes up in a damaged file
        return None
    if header.pixel is None:
        return header
    pixel, problem, _ = checked_pixels(header.pixel, source, header.dataset)
    found = () if problem is None else (Issue(pixel.tag, pixel.vr, problem.value, ""),)
    return replace(header, pixel=pixel, issues=(*header.issues, *found))


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what pydicom warns of to itself: it may quote values."""
    logger = logging.getLogger("pydicom")
    disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = disabled


class _PixelStop:
    """Ends the reading at the pixel data, of which pydicom might miss the end, and notes where that is."""

    def __init__(self, stream: BytesIO) -> None:
        self.stream = stream
        self.found: PixelElement | None = None

    def is_met(self, tag: BaseTag, vr: str | None, length: int) -> bool:
        """Say whether an element, in whose value the stream is about to be, is the pixel data."""
        name = f"{int(tag):08X}"
        if name not in _PIXEL_TAGS:
            return False
        stated = vr if vr in ALL_VRS and vr != "UN" else dictionary_vr({}, name) or "UN"
        known = stated if stated in ALL_VRS else resolved_vr(stated, {}, {})
        self.found = PixelElement(name, known, self.stream.tell(), None if length == UNDEFINED else length)
        return True


class _ImplausibleError(DataError):
    """What pydicom read is no header."""


def _converted(dataset: Any, source: ByteSource, content: bytes, limits: HeaderLimits) -> Header:
    meta = dataset.file_meta
    syntax = meta.get("TransferSyntaxUID")
    if syntax in DEFLATED_SYNTAXES:
        # Positions would count in what pydicom inflated.
        raise _ImplausibleError
    implicit, little = dataset.original_encoding
    conversion = _Conversion(content, limits)
    conversion.log.add("", "", IssueCode.STRUCTURE)
    body: JsonDataset = {}
    conversion.convert(dataset, body, NO_CHARSET, body, "")
    if not body or (conversion.cut and len(content) < source.size):
        raise _ImplausibleError
    return Header(
        status=HeaderStatus.TRUNCATED if conversion.cut else HeaderStatus.ISSUES,
        error=f"the file ends inside element {conversion.cut}" if conversion.cut else None,
        file_meta=conversion.convert(meta, {}, NO_CHARSET, {}, ""),
        dataset=body,
        issues=tuple(conversion.log.issues),
        transfer_syntax=str(syntax) if syntax else None,
        little_endian=bool(little),
        implicit_vr=bool(implicit),
        body=source,
        reader="pydicom",
    )


class _Conversion:
    """From the elements of pydicom to those of the JSON model."""

    def __init__(self, content: bytes, limits: HeaderLimits) -> None:
        self.log = IssueLog(limits.max_issues)
        self.cut = ""
        self._content = content
        self._caps = inline_caps(limits)

    def convert(self, found: Any, into: JsonDataset, charset: Charset, root: JsonDataset, path: str) -> JsonDataset:
        """Convert a data set."""
        for tag in sorted(found.keys()):
            name = f"{int(tag):08X}"
            raw = found.get_item(tag)
            if name.endswith("0000") or name == "FFFCFFFC":
                continue
            if isinstance(raw, RawDataElement) and raw.length not in (len(raw.value or b""), UNDEFINED):
                # pydicom takes what is left of a file for the value.
                self.cut = name
                continue
            vr = _vr_of(raw, name, into, root)
            if vr == "SQ":
                items: list[JsonDataset] = []
                into[name] = {"vr": "SQ", "Value": items}
                for number, item in enumerate(found[tag].value):
                    items.append({})
                    self.convert(item, items[-1], charset, root, f"{path}{name}[{number}].")
                if not items:
                    del into[name]["Value"]
                continue
            into[name] = self._element(raw, vr, charset, path + name)
            if name == _CHARSET_TAG:
                charset, _ = charset_of(tuple(term or "" for term in into[name].get("Value", ())))
        return into

    def _element(self, raw: Any, vr: str, charset: Charset, path: str) -> Element:
        if not isinstance(raw, RawDataElement):
            # pydicom needed its value already: the transfer syntax, a character set.
            converted: Element = raw.to_json_dict(None, 0)
            if "Value" in converted:
                converted["Value"] = [None if value == "" else value for value in converted["Value"]]
            return converted
        value = raw.value or b""
        # pydicom counts some positions from the beginning of a sequence: such values are inlined at any length.
        place = slice(raw.value_tell, raw.value_tell + len(value))
        if len(value) > self._caps[vr] and self._content[place] == value:
            return {"vr": vr, "BulkData": {"offset": raw.value_tell, "length": len(value)}}
        rule = ENCODINGS[not raw.is_implicit_VR, raw.is_little_endian].value_rule(vr)
        element, problems = rule.decode(value, charset)
        for code, part in problems:
            self.log.add(path, vr, code, part)
        return element


def _vr_of(raw: Any, tag: str, dataset: JsonDataset, root: JsonDataset) -> str:
    """Return the VR of an element; raises when no dictionary knows its tag, as is to be expected of noise."""
    if not is_known(dataset, tag):
        raise _ImplausibleError
    known = dictionary_vr(dataset, tag) or "UN"
    stated = raw.VR
    vr = str(stated) if stated in ALL_VRS and stated != "UN" else known
    return vr if vr in ALL_VRS else resolved_vr(vr, dataset, root)
