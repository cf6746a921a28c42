"""The ways to read an element whose VR is none: by the dictionary, with either length, or as implicit VR."""

from collections.abc import Iterator
from dataclasses import dataclass

from dicom_assets.dicom.dialect import DIALECTS, UNDEFINED, Dialect, Kind, Rule
from dicom_assets.dicom.elements import dictionary_vr, is_known, is_private
from dicom_assets.dicom.issues import IssueCode
from dicom_assets.dicom.plausible import known_vr
from dicom_assets.dicom.scope import Scope
from dicom_assets.dicom.vr import ALL_VRS, LONG_VRS


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read an element whose VR is none.

    Attributes
    ----------
    tag, rule
        What it would be.
    start, length
        Where its value would stand.
    dialect
        How it would be encoded.
    code
        What that breaks.

    """

    tag: str
    rule: Rule
    start: int
    length: int
    dialect: Dialect
    code: IssueCode


def ways(scope: Scope, position: int, head: bytes) -> Iterator[Reading]:
    """Yield the ways to read an element whose VR is none, the most likely first where nothing else decides."""
    dialect, implicit = scope.dialect, DIALECTS[False, scope.dialect.little_endian]
    tag, _, rule = implicit.entries[head[:4]]
    if is_believable(scope, tag):
        (length,) = implicit.length32(head, 4)
        yield Reading(tag, rule, position + 8, length, implicit, IssueCode.MISSING_VR)
    code = IssueCode.UNKNOWN_VR if is_new(head) else IssueCode.BAD_VR
    (short,) = dialect.length(head, 6)
    (long,) = dialect.length32(head, 8) if len(head) == 12 else (UNDEFINED,)
    vr = dictionary_vr(scope.dataset, tag) or "UN"
    if vr == "OB or OW":
        vr = "OB" if long == UNDEFINED else "OW"
    of_short = Reading(tag, _rule(dialect, head, vr, long=False), position + 8, short, dialect, code)
    of_long = Reading(tag, _rule(dialect, head, vr, long=True), position + 12, long, dialect, code)
    # Reserved bytes are zero where the length has 32 bits (PS3.5 7.1.2).
    has_long = len(head) == 12 and head[6:8] == b"\0\0"
    if vr in LONG_VRS or "OW" in vr:
        yield from (of_long, of_short) if has_long else (of_short,)
    else:
        yield from (of_short, of_long) if has_long else (of_short,)


def _rule(dialect: Dialect, head: bytes, vr: str, *, long: bool) -> Rule:
    """Return the rule for an element whose VR is that of the dictionary, UN if its length is not written for that."""
    if vr not in ALL_VRS:
        # PS3.6 leaves a choice of US, SS and OW, of which only OW has a length of 32 bits.
        if not long:
            return dialect.rule(Kind.CHOICE, "US or SS")
        vr = "OW" if "OW" in vr else "UN"
    if long != (vr in LONG_VRS):
        return dialect.value_rule("UN")
    return dialect.entries[head[:4] + vr.encode("ascii")][2]


def is_new(head: bytes) -> bool:
    """Say whether two capitals stand where a VR is due: it may be one that is yet to come (PS3.5 6.2.2)."""
    return head[4:6].isalpha() and head[4:6].isupper()


def is_believable(scope: Scope, tag: str) -> bool:
    """Say whether there is such a tag: one of the dictionary, or a private one whose block has a creator."""
    return is_known(scope.dataset, tag) if is_private(tag) else known_vr(int(tag, 16)) is not None
