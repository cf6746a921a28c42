"""How an element without a valid VR can be read: by the dictionary, with either length, or as implicit VR."""

from collections.abc import Iterator
from dataclasses import dataclass

from dicom_assets.dicom.header.dataset_context import DatasetContext
from dicom_assets.dicom.header.dictionary import dictionary_vr
from dicom_assets.dicom.header.encoding import ENCODINGS, UNDEFINED, Encoding, Kind, Rule
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.plausibility import is_plausible_tag
from dicom_assets.dicom.header.vr import ALL_VRS, LONG_VRS


@dataclass(frozen=True, slots=True)
class Interpretation:
    """One way to read an element without a valid VR.

    Attributes
    ----------
    tag, rule
        What it would be.
    start, length
        Where its value would be.
    encoding
        How it would be encoded.
    code
        What that breaks.

    """

    tag: str
    rule: Rule
    start: int
    length: int
    encoding: Encoding
    code: IssueCode


def interpretations(context: DatasetContext, position: int, head: bytes) -> Iterator[Interpretation]:
    """Yield the ways to read an element without a valid VR, the most likely first where nothing else decides."""
    encoding, implicit = context.encoding, ENCODINGS[False, context.encoding.little_endian]
    tag, _, rule = implicit.entries[head[:4]]
    if is_plausible_tag(context.dataset, tag):
        (length,) = implicit.length32(head, 4)
        yield Interpretation(tag, rule, position + 8, length, implicit, IssueCode.MISSING_VR)
    code = IssueCode.UNKNOWN_VR if is_future_vr(head) else IssueCode.BAD_VR
    (short,) = encoding.length(head, 6)
    (long,) = encoding.length32(head, 8) if len(head) == 12 else (UNDEFINED,)
    vr = dictionary_vr(context.dataset, tag) or "UN"
    if vr == "OB or OW":
        vr = "OB" if long == UNDEFINED else "OW"
    of_short = Interpretation(tag, _rule(encoding, head, vr, long=False), position + 8, short, encoding, code)
    of_long = Interpretation(tag, _rule(encoding, head, vr, long=True), position + 12, long, encoding, code)
    # Reserved bytes are zero where the length has 32 bits (PS3.5 7.1.2).
    has_long = len(head) == 12 and head[6:8] == b"\0\0"
    if vr in LONG_VRS or "OW" in vr:
        yield from (of_long, of_short) if has_long else (of_short,)
    else:
        yield from (of_short, of_long) if has_long else (of_short,)


def _rule(encoding: Encoding, head: bytes, vr: str, *, long: bool) -> Rule:
    """Return the rule for an element whose VR is that of the dictionary, UN if its length is not written for that."""
    if vr not in ALL_VRS:
        # PS3.6 leaves a choice of US, SS and OW, of which only OW has a length of 32 bits.
        if not long:
            return encoding.rule(Kind.AMBIGUOUS, "US or SS")
        vr = "OW" if "OW" in vr else "UN"
    if long != (vr in LONG_VRS):
        return encoding.value_rule("UN")
    return encoding.entries[head[:4] + vr.encode("ascii")][2]


def is_future_vr(head: bytes) -> bool:
    """Say whether two capitals stand where a VR is due: it may be one that is yet to come (PS3.5 6.2.2)."""
    return head[4:6].isalpha() and head[4:6].isupper()
