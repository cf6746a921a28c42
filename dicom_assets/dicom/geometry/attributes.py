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

_IN_GROUPS: Mapping[str, tuple[tuple[str, tuple[str, ...], str], ...]] = {
    "00209111": (
        ("StackID", (), "00209056"),
        ("TemporalPositionIndex", (), "00209128"),
        ("FrameAcquisitionNumber", (), "00209156"),
        ("FrameAcquisitionDateTime", (), "00189074"),
    ),
    "0062000A": (("ReferencedSegmentNumber", (), "0062000B"),),
    "00209310": (("TemporalPositionTimeOffset", (), "0020930D"),),
    "00189114": (("EffectiveEchoTime", (), "00189082"),),
    "00189115": (("InversionTimes", (), "00189079"),),
    "00189112": (("FlipAngle", (), "00181314"),),
    "00189117": (
        ("DiffusionBValue", (), "00189087"),
        ("DiffusionGradientOrientation", ("00189076",), "00189089"),
    ),
    "00189226": (("ComplexImageComponent", (), "00089208"), ("FrameType", (), "00089007")),
    "00189329": (("FrameType", (), "00089007"),),
    "00189751": (("FrameType", (), "00089007"),),
    "00189118": (
        ("NominalPercentageOfCardiacPhase", (), "00209241"),
        ("NominalCardiacTriggerDelayTime", (), "00209153"),
    ),
}
"""By the sequence of a macro, keywords with the sequences that lead to them from there, and their tags: Frame Content,
Segment Identification, Temporal Position, MR Echo, MR Modifier, MR Timing, MR Diffusion, the frame types of MR, CT and
PET, Cardiac Synchronization."""


def of_data_set(dataset: JsonDataset) -> dict[str, str]:
    """Return the discriminators of a single-frame object, those that it has, as text.

    Parameters
    ----------
    dataset
        In the DICOM JSON Model.

    """
    found = ((keyword, _text(dataset, tag)) for keyword, tag in _IN_DATA_SET.items())
    return {keyword: text for keyword, text in found if text is not None}


def of_groups(groups: JsonDataset) -> dict[str, str]:
    """Return the discriminators that functional groups have, as text.

    Parameters
    ----------
    groups
        Those of a frame, or those that all frames share.

    """
    found: dict[str, str] = {}
    for sequence in groups.keys() & _IN_GROUPS.keys():
        content = macro(groups, sequence)
        for keyword, path, tag in _IN_GROUPS[sequence]:
            text = _text(macro(content, *path), tag)
            if text is not None:
                found[keyword] = text
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
