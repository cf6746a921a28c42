"""What a client takes (PS3.18 8.7, RFC 9110 12.5.1): media types with their weights, and transfer syntaxes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from dicom_assets.dicom import uids
from dicom_assets.dicom.pixels.decoders import is_native
from dicom_assets.serve.errors import NotAcceptableError, RequestError

OCTETS = "application/octet-stream"
DICOM = "application/dicom"
JSON = "application/dicom+json"
_MULTIPART = "multipart/related"
_MOST_RANGES = 64

_RANGE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PARAMETER = re.compile(r';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"\s]*)')
_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WEIGHT = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One kind of answer that a client takes.

    Attributes
    ----------
    kind
        Media type, perhaps with ``*``; of ``multipart/related`` that of its parts.
    multipart
        Whether it is to be in parts; ``None`` where that is the same to the client.
    syntax
        Transfer syntax, ``*`` for any, ``None`` where none is stated.
    weight
        From 0, which refuses it, to 1.

    """

    kind: str
    multipart: bool | None
    syntax: str | None = None
    weight: float = 1.0

    def takes(self, kind: str) -> bool:
        """Return whether a media type is of this range."""
        return self.kind in {kind, "*/*", f"{kind.partition('/')[0]}/*"}

    def takes_syntax(self, *syntaxes: str) -> bool:
        """Return whether one of some transfer syntaxes may be used, or all may."""
        return self.syntax is None or self.syntax == "*" or self.syntax in syntaxes


def read_accept(request: Request) -> Sequence[MediaRange]:
    """Return what a client takes, what it would rather have first; what it refuses is left out.

    A parameter ``accept`` in the address stands for the header (PS3.18 8.3.3.1). Neither takes everything.

    Raises
    ------
    RequestError
        It is no list of media ranges.

    """
    stated = request.query_params.get("accept") or request.headers.get("accept") or "*/*"
    ranges = list(_ranges(stated))
    if len(ranges) > _MOST_RANGES:
        raise RequestError(f"more than {_MOST_RANGES} media types are too many to choose from")
    return sorted((one for one in ranges if one.weight > 0), key=lambda one: -one.weight)


def _ranges(stated: str) -> Iterator[MediaRange]:
    for part in _RANGE.findall(stated):
        if not part.strip():
            continue
        kind, semicolon, rest = part.partition(";")
        parameters = {name.lower(): value.strip('"') for name, value in _PARAMETER.findall(semicolon + rest)}
        kind, weight = kind.strip().lower(), parameters.get("q", "1")
        if kind == "*":
            kind = "*/*"
        if not _TYPE.fullmatch(kind) or not _WEIGHT.fullmatch(weight):
            raise RequestError("Accept is a list of media types, such as application/dicom+json")
        multipart: bool | None = None if kind == "*/*" else False
        if kind.startswith("multipart/"):
            kind, multipart = parameters.get("type", "*/*").lower(), True
        yield MediaRange(kind, multipart, parameters.get("transfer-syntax"), float(weight))


def check_json(ranges: Iterable[MediaRange]) -> None:
    """Refuse a client that takes no JSON; raises :class:`NotAcceptableError`."""
    if not any(not one.multipart and (one.takes(JSON) or one.takes("application/json")) for one in ranges):
        raise NotAcceptableError(f"this is served as {JSON} only")


@dataclass(frozen=True, slots=True)
class Form:
    """In which form an object, or a frame, is sent.

    Attributes
    ----------
    kind
        Media type of it, or of its part.
    syntax
        Transfer syntax.
    multipart
        Whether it is in parts.

    """

    kind: str
    syntax: str
    multipart: bool = True

    @property
    def content_type(self) -> str:
        """With the transfer syntax."""
        return f"{self.kind};transfer-syntax={self.syntax}"


def form_of_frames(ranges: Sequence[MediaRange], stored: str, count: int) -> Form:
    """Return how frames are sent.

    Where octets are asked for without a word of their transfer syntax, that is Explicit VR Little Endian (PS3.18
    8.7.3.5.2). What is not compressed is sent so in any case.

    Parameters
    ----------
    ranges
        What the client takes.
    stored
        Transfer syntax that the frames are stored in.
    count
        How many are asked for: one may be sent without parts.

    Raises
    ------
    NotAcceptableError
        The client takes nothing that this server could make of them.

    """
    plain = uids.ExplicitVRLittleEndian
    for one in ranges:
        multipart = one.multipart is not False
        if not multipart and count > 1:
            continue
        if is_native(stored) or stored == uids.EncapsulatedUncompressedExplicitVRLittleEndian:
            if one.takes(OCTETS) and one.takes_syntax(plain):
                return Form(OCTETS, plain, multipart)
            continue
        kind = media_type(stored)
        if one.takes(kind) and one.kind != OCTETS and one.takes_syntax(stored):
            return Form(kind, stored, multipart)
        if one.takes(OCTETS) and one.syntax in {"*", stored}:
            return Form(kind, stored, multipart)
        if one.takes(OCTETS) and one.syntax in {None, plain}:
            return Form(OCTETS, plain, multipart)
    compressed = "" if is_native(stored) else f"{media_type(stored)} in {stored}, or "
    raise NotAcceptableError(f"these frames are served as {compressed}{OCTETS} in {plain}")


def form_of_objects(ranges: Sequence[MediaRange], *, one: bool) -> tuple[bool, frozenset[str] | None]:
    """Return how whole objects are sent: whether in parts, and the transfer syntaxes to choose from, ``None`` for any.

    They are sent as they are stored.

    Parameters
    ----------
    ranges
        What the client takes.
    one
        Whether it is a single object, which may be sent without parts.

    Raises
    ------
    NotAcceptableError
        The client does not take DICOM files.

    """
    fitting = [each for each in ranges if each.takes(DICOM) and (one or each.multipart is not False)]
    if not fitting:
        raise NotAcceptableError(f"objects are served as {_MULTIPART}; type={DICOM}")
    multipart = fitting[0].multipart is not False
    stated = [each.syntax for each in fitting if each.syntax is not None and each.syntax != "*"]
    return multipart, frozenset(stated) if len(stated) == len(fitting) else None


def choose(ranges: Sequence[MediaRange], offered: Sequence[str]) -> str:
    """Return which of some media types a client would rather have; raises :class:`NotAcceptableError`."""
    for one in ranges:
        for kind in offered:
            if not one.multipart and one.takes(kind):
                return kind
    raise NotAcceptableError(f"this is served as {' or '.join(offered)}")


def media_type(syntax: str) -> str:
    """Return the media type of frames in a compressed transfer syntax (PS3.18 tables 8.7.3-2 to 8.7.3-4)."""
    if syntax in _BY_SYNTAX:
        return _BY_SYNTAX[syntax]
    if re.fullmatch(r"1\.2\.840\.10008\.1\.2\.4\.(5\d|6\d|70)", syntax):
        return "image/jpeg"
    if re.fullmatch(r"1\.2\.840\.10008\.1\.2\.4\.10[01](\.1)?", syntax):
        return "video/mpeg"
    return "video/mp4" if re.fullmatch(r"1\.2\.840\.10008\.1\.2\.4\.10[2-8](\.1)?", syntax) else OCTETS


_BY_SYNTAX = {
    uids.JPEGLSLossless: "image/jls",
    uids.JPEGLSNearLossless: "image/jls",
    uids.JPEG2000Lossless: "image/jp2",
    uids.JPEG2000: "image/jp2",
    uids.HTJ2KLossless: "image/jphc",
    uids.HTJ2KLosslessRPCL: "image/jphc",
    uids.HTJ2K: "image/jphc",
    uids.JPEGXLLossless: "image/jxl",
    uids.JPEGXLJPEGRecompression: "image/jxl",
    uids.JPEGXL: "image/jxl",
    uids.RLELossless: "image/dicom-rle",
}
