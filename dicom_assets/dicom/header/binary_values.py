"""Values of the binary VRs (PS3.5 6.2): from bytes to the JSON element, in either byte order."""

import struct
from base64 import b64encode
from collections.abc import Mapping
from math import isfinite, isnan
from typing import Any

from dicom_assets.dicom.header.charsets import Charset
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.model import Element
from dicom_assets.dicom.header.text_values import Decoded, Decoder
from dicom_assets.dicom.header.vr import BYTES_UNITS, NUMBER_FORMATS

_SAFE_INTEGER = 1 << 53
"""From here on JSON readers that hold numbers as doubles lose digits (PS3.18 F.2.3)."""


def inline_binary(vr: str, raw: bytes) -> Element:
    """Return an element that holds its value as base64, the form of values that are no text (PS3.18 F.2.7)."""
    if not raw:
        return {"vr": vr}
    return {"vr": vr, "InlineBinary": b64encode(raw).decode("ascii")}


def json_float(number: float) -> float | str:
    """Return a number, or its name where JSON has no literal for it."""
    if isfinite(number):
        return number
    return "NaN" if isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _float_decoder(vr: str, byte_order: str) -> Decoder:
    code = NUMBER_FORMATS[vr]
    one = struct.Struct(f"{byte_order}{code}")
    size = one.size

    def decode(raw: bytes, _: Charset) -> Decoded:
        if len(raw) == size:
            return {"vr": vr, "Value": [json_float(*one.unpack(raw))]}, ()
        if len(raw) % size:
            return inline_binary(vr, raw), ((IssueCode.BAD_LENGTH, raw),)
        numbers = struct.unpack(f"{byte_order}{len(raw) // size}{code}", raw)
        return _with_values(vr, [json_float(number) for number in numbers]), ()

    return decode


def _integer_decoder(vr: str, byte_order: str) -> Decoder:
    code = NUMBER_FORMATS[vr]
    one = struct.Struct(f"{byte_order}{code}")
    size = one.size
    wide = size == 8

    def decode(raw: bytes, _: Charset) -> Decoded:
        if len(raw) == size and not wide:
            return {"vr": vr, "Value": list(one.unpack(raw))}, ()
        if len(raw) % size:
            return inline_binary(vr, raw), ((IssueCode.BAD_LENGTH, raw),)
        numbers: list[Any] = list(struct.unpack(f"{byte_order}{len(raw) // size}{code}", raw))
        if wide:
            numbers = [n if -_SAFE_INTEGER <= n <= _SAFE_INTEGER else str(n) for n in numbers]
        return _with_values(vr, numbers), ()

    return decode


def _tag_decoder(byte_order: str) -> Decoder:
    def decode(raw: bytes, _: Charset) -> Decoded:
        if len(raw) % 4:
            return inline_binary("AT", raw), ((IssueCode.BAD_LENGTH, raw),)
        halves = struct.unpack(f"{byte_order}{len(raw) // 2}H", raw)
        tags = [f"{group:04X}{element:04X}" for group, element in zip(halves[::2], halves[1::2], strict=True)]
        return _with_values("AT", tags), ()

    return decode


def _bytes_decoder(vr: str) -> Decoder:
    """Return the decoder of a VR of bytes, which stay as they are in the file."""
    unit = BYTES_UNITS[vr]

    def decode(raw: bytes, _: Charset) -> Decoded:
        if len(raw) % unit:
            return inline_binary(vr, raw), ((IssueCode.BAD_LENGTH, raw),)
        return inline_binary(vr, raw), ()

    return decode


def _with_values(vr: str, values: list[Any]) -> Element:
    return {"vr": vr, "Value": values} if values else {"vr": vr}


def binary_decoders(byte_order: str) -> Mapping[str, Decoder]:
    """Return the decoders of all binary VRs for ``<`` or ``>``, in the notation of :mod:`struct`."""
    floats = ("FD", "FL")
    decoders = {vr: _bytes_decoder(vr) for vr in BYTES_UNITS}
    decoders |= {vr: _float_decoder(vr, byte_order) for vr in floats}
    decoders |= {vr: _integer_decoder(vr, byte_order) for vr in NUMBER_FORMATS if vr not in floats}
    decoders["AT"] = _tag_decoder(byte_order)
    return decoders
