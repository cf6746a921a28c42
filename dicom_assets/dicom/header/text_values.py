"""Values of the character string VRs (PS3.5 6.2): from bytes to the JSON element, and the rules each VR keeps.

What a value says is never changed: padding goes, all else stays. A DS or IS becomes a number where a number can
carry it, and remains the string it is where not (PS3.18 F.2.3).
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from dicom_assets.dicom.header.charsets import Charset
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.model import Element

Problems = tuple[tuple[IssueCode, bytes], ...]
Decoded = tuple[Element, Problems]
Decoder = Callable[[bytes, Charset], Decoded]
"""From the bytes of a value to its JSON element and the rules it breaks, each with the bytes that break it."""

_Check = Callable[[str], IssueCode | None]

_PADDING = " \0"
_EXACT_DIGITS = 15
"""Decimal digits that every 64-bit float carries."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_TEXT_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d+")
_PLAIN_DECIMAL = re.compile(rb"-?\d{1,7}(?:\.\d{1,7})? ?")
_PLAIN_INTEGER = re.compile(rb"-?\d{1,9} ?")
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)|(\d{4})\.(\d\d)\.(\d\d)")
_TIME = re.compile(r"([01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?")
_OLD_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d{1,6})?)?")
_DATETIME = re.compile(
    r"(\d{4})(?:(0[1-9]|1[0-2])(?:(0[1-9]|[12]\d|3[01])(?:(?:[01]\d|2[0-3])"
    r"(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?)?)?)?(?:[+-](?:0\d|1[0-4])[0-5]\d)?"
)
_AGE = re.compile(r"\d{3}[DWMY]")
_CODE = re.compile(r"[A-Z0-9 _]*")
_UID = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*")
_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")


def parse_date(text: str) -> dt.date | None:
    """Return the date of a DA, also in the form ``YYYY.MM.DD`` of ACR-NEMA (PS3.5 table 6.2-1, note)."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = found.group(1, 2, 3) if found[1] else found.group(4, 5, 6)
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def is_time(text: str) -> bool:
    """Say whether this is a TM, also in the form ``HH:MM:SS`` of ACR-NEMA."""
    return (_TIME.fullmatch(text) or _OLD_TIME.fullmatch(text)) is not None


def is_datetime(text: str) -> bool:
    """Say whether this is a DT: any number of its components, with or without an offset from UTC."""
    found = _DATETIME.fullmatch(text)
    if found is None:
        return False
    return not found[3] or parse_date("".join(found.group(1, 2, 3))) is not None


def _check_age(text: str) -> IssueCode | None:
    return None if _AGE.fullmatch(text) else IssueCode.BAD_AGE


def _check_code(text: str) -> IssueCode | None:
    return None if _CODE.fullmatch(text) else IssueCode.BAD_CODE


def _check_date(text: str) -> IssueCode | None:
    return None if parse_date(text) else IssueCode.BAD_DATE


def _check_time(text: str) -> IssueCode | None:
    return None if is_time(text) else IssueCode.BAD_TIME


def _check_datetime(text: str) -> IssueCode | None:
    return None if is_datetime(text) else IssueCode.BAD_DATETIME


def _check_uid(text: str) -> IssueCode | None:
    return None if _UID.fullmatch(text) else IssueCode.BAD_UID


def _check_controls(text: str) -> IssueCode | None:
    return IssueCode.BAD_CHARACTER if _CONTROLS.search(text) else None


def _check_text_controls(text: str) -> IssueCode | None:
    return IssueCode.BAD_CHARACTER if _TEXT_CONTROLS.search(text) else None


def _check_uri(text: str) -> IssueCode | None:
    return None if _URI.fullmatch(text) else IssueCode.BAD_URI


def _text_of(raw: bytes, charset: Charset, *, name: bool = False) -> tuple[str, Problems]:
    """Decode a value of a VR that Specific Character Set applies to."""
    text = charset.decode(raw, name=name)
    if text is not None:
        return text, ()
    if charset.declared:
        return charset.salvage(raw), ((IssueCode.UNDECODABLE_TEXT, raw),)
    return raw.decode("latin-1"), ((IssueCode.UNDECLARED_TEXT, raw),)


def _default_text_of(raw: bytes) -> tuple[str, Problems]:
    """Decode a value of a VR that is always in the default repertoire."""
    if raw.isascii():
        return raw.decode("ascii"), ()
    return raw.decode("latin-1"), ((IssueCode.BAD_CHARACTER, raw),)


def _decimal(text: str) -> tuple[Any, IssueCode | None]:
    if not _DECIMAL.fullmatch(text):
        return text, IssueCode.BAD_NUMBER
    number = float(text)
    if len(text) > _EXACT_DIGITS or "e" in text or "E" in text:
        carried = number not in (float("inf"), float("-inf")) and Decimal(repr(number)) == Decimal(text)
        return (number if carried else text), None
    return number, None


def _integer(text: str) -> tuple[Any, IssueCode | None]:
    # Digits are counted first: Python refuses to convert thousands of them.
    if not _INTEGER.fullmatch(text) or len(text) > 32 or not -(1 << 31) <= int(text) < 1 << 31:
        return text, IssueCode.BAD_NUMBER
    return int(text), None


# Most values are single and plain: each decoder tries that first, with one quick test that only plain values pass.


def _number_decoder(
    vr: str, longest: int, plain: re.Pattern[bytes], parse: Callable[[str], tuple[Any, IssueCode | None]]
) -> Decoder:
    number = float if vr == "DS" else int

    def decode(raw: bytes, _: Charset) -> Decoded:
        if plain.fullmatch(raw):
            return {"vr": vr, "Value": [number(raw)]}, ()
        text, problems = _default_text_of(raw)
        values: list[Any] = []
        for part in text.rstrip(_PADDING).split("\\"):
            stripped = part.strip(_PADDING)
            if not stripped:
                values.append(None)
                continue
            value, code = parse(stripped)
            values.append(value)
            if code is not None:
                problems += ((code, part.encode("latin-1")),)
            elif len(stripped) > longest:
                problems += ((IssueCode.TOO_LONG, part.encode("latin-1")),)
        return _with_values(vr, values), problems

    return decode


def _default_decoder(vr: str, longest: int, check: _Check, *, leading: bool) -> Decoder:
    """Return the decoder of a VR in the default repertoire; `leading` says whether leading spaces count."""

    def decode(raw: bytes, _: Charset) -> Decoded:
        text, problems = _default_text_of(raw)
        text = text.rstrip(_PADDING)
        if 0 < len(text) <= longest and "\\" not in text and text[0] != " " and not problems and not check(text):
            return {"vr": vr, "Value": [text]}, ()
        values: list[Any] = []
        for part in text.split("\\"):
            value = part.rstrip(_PADDING) if leading else part.strip(_PADDING)
            values.append(value or None)
            if not value:
                continue
            code = check(value) or (IssueCode.TOO_LONG if len(value) > longest else None)
            if code is not None:
                problems += ((code, part.encode("latin-1")),)
        return _with_values(vr, values), problems

    return decode


def _text_decoder(vr: str, longest: int) -> Decoder:
    """Return the decoder of LO, SH or UC: several values, without control characters."""

    def decode(raw: bytes, charset: Charset) -> Decoded:
        if raw.isascii() and len(raw) <= longest and b"\\" not in raw:
            text = raw.decode("ascii").rstrip(_PADDING)
            if text and text.isprintable():
                return {"vr": vr, "Value": [text]}, ()
        text, problems = _text_of(raw, charset)
        values: list[Any] = []
        for part in text.split("\\"):
            value = part.rstrip(_PADDING)
            values.append(value or None)
            code = _check_controls(value) or (IssueCode.TOO_LONG if len(value) > longest else None)
            if code is not None and not problems:
                problems = ((code, raw),)
        return _with_values(vr, values), problems

    return decode


def _paragraph_decoder(vr: str, longest: int, check: _Check) -> Decoder:
    """Return the decoder of LT, ST, UT or UR: one value, in which a backslash is a character."""

    def decode(raw: bytes, charset: Charset) -> Decoded:
        text, problems = _text_of(raw, charset)
        value = text.rstrip(_PADDING)
        code = check(value) or (IssueCode.TOO_LONG if len(value) > longest else None)
        if code is not None and not problems:
            problems = ((code, raw),)
        return _with_values(vr, [value or None]), problems

    return decode


_PLAIN_NAME = re.compile(rb"[A-Za-z0-9.,-][A-Za-z0-9 .,-]{0,29}(?:\^[A-Za-z0-9 .,-]{0,29})? ?")
NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
"""Component groups of a PN, as the JSON model names them (PS3.18 F.2.2)."""


def _decode_name(raw: bytes, charset: Charset) -> Decoded:
    """Decode PN into its component groups (PS3.5 6.2.1, PS3.18 F.2.2)."""
    if _PLAIN_NAME.fullmatch(raw):
        return {"vr": "PN", "Value": [{"Alphabetic": raw.decode("ascii").rstrip(_PADDING)}]}, ()
    text, problems = _text_of(raw, charset, name=True)
    values: list[Any] = []
    for part in text.rstrip(_PADDING).split("\\"):
        name = part.rstrip(_PADDING)
        *groups, last = name.split("=", 2)
        groups.append(last)
        values.append({key: group for key, group in zip(NAME_GROUPS, groups, strict=False) if group} or None)
        code = _check_controls(name)
        if "=" in (last if len(groups) == len(NAME_GROUPS) else "") or any(group.count("^") > 4 for group in groups):
            code = IssueCode.BAD_NAME
        elif any(len(group) > 64 for group in groups):
            code = IssueCode.TOO_LONG
        if code is not None and not problems:
            problems = ((code, raw),)
    return _with_values("PN", values), problems


def _with_values(vr: str, values: list[Any]) -> Element:
    return {"vr": vr} if values == [None] else {"vr": vr, "Value": values}


_UNBOUNDED = 1 << 32

TEXT_DECODERS: Mapping[str, Decoder] = MappingProxyType(
    {
        "AE": _default_decoder("AE", 16, _check_controls, leading=False),
        "AS": _default_decoder("AS", 4, _check_age, leading=True),
        "CS": _default_decoder("CS", 16, _check_code, leading=True),
        "DA": _default_decoder("DA", 10, _check_date, leading=True),
        "DS": _number_decoder("DS", 16, _PLAIN_DECIMAL, _decimal),
        "DT": _default_decoder("DT", 26, _check_datetime, leading=True),
        "IS": _number_decoder("IS", 12, _PLAIN_INTEGER, _integer),
        "LO": _text_decoder("LO", 64),
        "LT": _paragraph_decoder("LT", 10240, _check_text_controls),
        "PN": _decode_name,
        "SH": _text_decoder("SH", 16),
        "ST": _paragraph_decoder("ST", 1024, _check_text_controls),
        "TM": _default_decoder("TM", 16, _check_time, leading=True),
        "UC": _text_decoder("UC", _UNBOUNDED),
        "UI": _default_decoder("UI", 64, _check_uid, leading=True),
        "UR": _paragraph_decoder("UR", _UNBOUNDED, _check_uri),
        "UT": _paragraph_decoder("UT", _UNBOUNDED, _check_text_controls),
    }
)
