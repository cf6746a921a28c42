"""Which attributes tell stacks of frames apart, and where a header has them.

A single-frame object has them in its data set, an enhanced one in the functional groups of its frames
(PS3.3 C.7.6.16), where some have another name.
"""

from collections.abc import Mapping

from dicom_assets.dicom.header import JsonDataset, values
from dicom_assets.dicom.header.typed_values import to_text

LONGEST_VALUE = 256
"""Characters of a value that are kept: more than any that is sound has."""

DISCRIMINATORS: tuple[str, ...] = (
    "StackID",
    "ReferencedSegmentNumber",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "TemporalPositionTimeOffset",
    "EchoTime",
    "EffectiveEchoTime",
    "InversionTime",
    "InversionTimes",
    "FlipAngle",
    "DiffusionBValue",
    "DiffusionGradientOrientation",
    "ComplexImageComponent",
    "ImageType",
    "FrameType",
    "NominalPercentageOfCardiacPhase",
    "NominalCardiacTriggerDelayTime",
    "TriggerTime",
    "FrameReferenceTime",
    "AcquisitionNumber",
    "FrameAcquisitionNumber",
    "AcquisitionTime",
    "FrameAcquisitionDateTime",
    "ContentTime",
    "InstanceNumber",
)
"""Keywords of what may differ between frames in the same place, in the order in which they are tried: what is meant to
tell stacks apart comes first, times and numbers that differ anyway come last."""

_IN_DATA_SET: Mapping[str, str] = {
    "TemporalPositionIdentifier": "00200100",
    "EchoTime": "00180081",
    "InversionTime": "00180082",
    "FlipAngle": "00181314",
    "DiffusionBValue": "00189087",
    "DiffusionGradientOrientation": "00189089",
    "ComplexImageComponent": "00089208",
    "ImageType": "00080008",
    "TriggerTime": "00181060",
    "FrameReferenceTime": "00541300",
    "AcquisitionNumber": "00200012",
    "AcquisitionTime": "00080032",
    "ContentTime": "00080033",
    "InstanceNumber": "00200013",
}

_IN_GROUPS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("StackID", ("00209111",), "00209056"),
    ("TemporalPositionIndex", ("00209111",), "00209128"),
    ("FrameAcquisitionNumber", ("00209111",), "00209156"),
    ("FrameAcquisitionDateTime", ("00209111",), "00189074"),
    ("ReferencedSegmentNumber", ("0062000A",), "0062000B"),
    ("TemporalPositionTimeOffset", ("00209310",), "0020930D"),
    ("EffectiveEchoTime", ("00189114",), "00189082"),
    ("InversionTimes", ("00189115",), "00189079"),
    ("FlipAngle", ("00189112",), "00181314"),
    ("DiffusionBValue", ("00189117",), "00189087"),
    ("DiffusionGradientOrientation", ("00189117", "00189076"), "00189089"),
    ("ComplexImageComponent", ("00189226",), "00089208"),
    ("FrameType", ("00189226",), "00089007"),
    ("FrameType", ("00189329",), "00089007"),
    ("FrameType", ("00189751",), "00089007"),
    ("NominalPercentageOfCardiacPhase", ("00189118",), "00209241"),
    ("NominalCardiacTriggerDelayTime", ("00189118",), "00209153"),
)
"""Keyword, the sequences that lead to it, and its tag: Frame Content, Segment Identification, Temporal Position, MR
Echo, MR Modifier, MR Timing, MR Diffusion, the frame types of MR, CT and PET, Cardiac Synchronization."""


def of_data_set(dataset: JsonDataset) -> dict[str, str]:
    """Return the discriminators of a single-frame object, those that it has, as text.

    Parameters
    ----------
    dataset
        In the DICOM JSON Model.

    """
    found = ((keyword, _text(dataset, tag)) for keyword, tag in _IN_DATA_SET.items())
    return {keyword: text for keyword, text in found if text is not None}


def of_groups(*groups: JsonDataset) -> dict[str, str]:
    """Return the discriminators that functional groups have, as text.

    Parameters
    ----------
    *groups
        Those of the frame, and those that all frames share; the first that has a value wins.

    """
    found: dict[str, str] = {}
    for keyword, path, tag in _IN_GROUPS:
        if keyword in found:
            continue
        for group in groups:
            text = _text(macro(group, *path), tag)
            if text is not None:
                found[keyword] = text
                break
    return found


def macro(group: JsonDataset, *path: str) -> JsonDataset:
    """Return the first item of a sequence, or of one in it; empty where there is none."""
    inner = group
    for tag in path:
        items = values(inner, tag)
        if not items or not isinstance(items[0], dict):
            return {}
        inner = items[0]
    return inner


def _text(dataset: JsonDataset, tag: str) -> str | None:
    """Return the values of an element as DICOM writes them, ``None`` where there are none."""
    found = values(dataset, tag)
    if not found:
        return None
    return "\\".join(to_text(value) or "" for value in found)[:LONGEST_VALUE] or None
