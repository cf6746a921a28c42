"""Headers against pydicom: its JSON model, and the few lines that make it and ours alike."""

from dicom_assets.dicom.header.charsets import NO_CHARSET
from dicom_assets.dicom.header.encoding import ENCODINGS

NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def by_pydicom(dataset):
    """Return what ``to_json_dict`` returns, element by element: one bad value would cost the whole."""
    converted = {}
    for tag in dataset.keys():  # noqa: SIM118 - iterating over a data set converts its values
        name = f"{int(tag):08X}"
        try:
            element = dataset[tag]
            if element.VR == "SQ":
                converted[name] = {"vr": "SQ", "Value": [by_pydicom(item) for item in element.value]}
            else:
                converted[name] = element.to_json_dict(None, 0)
        except Exception:  # noqa: BLE001 - whatever pydicom raises
            converted[name] = {"vr": "refused"}
    return converted


def resolved(element, header):
    """Return an element with its value in place of where its value is."""
    place = element.get("BulkData")
    if place is None:
        return element
    raw = header.body.read(place["offset"], place["length"])
    encoding = ENCODINGS[not header.implicit_vr, header.little_endian]
    return encoding.value_rule(element["vr"]).decode(raw, NO_CHARSET)[0]


def normalised(element):
    """Return an element as both would write it."""
    values = element.get("Value", [])
    # pydicom strips padding from the end of the value field, the walker from each value in it (PS3.5 6.2).
    values = [value.rstrip(" ") if isinstance(value, str) else value for value in values]
    # Component groups that are empty are not written (PS3.18 F.2.2).
    values = [
        {key: group for key, group in value.items() if group} if isinstance(value, dict) else value for value in values
    ]
    # Values that are empty are null (PS3.18 F.2.5).
    values = [None if value in ("", {}) else value for value in values]
    # Numbers that JSON cannot carry are strings (PS3.18 F.2.3).
    number = {"DS": float, "SV": int, "UV": int}.get(element["vr"], str)
    values = [number(value) if isinstance(value, str) else value for value in values]
    # Numbers that JSON has no literal for are their names.
    values = [NOT_FINITE.get(repr(value), value) if isinstance(value, float) else value for value in values]
    # An element without a value has no Value (PS3.18 F.2.5).
    return element["vr"], [] if values == [None] else values, element.get("InlineBinary")


def differences(ours, theirs, header, path=""):
    """Yield the paths of what differs."""
    for tag in sorted({*ours, *theirs}):
        # Group lengths and trailing padding are not part of the JSON model (PS3.18 F.2.2, PS3.10 7.2).
        if tag.endswith("0000") or tag == "FFFCFFFC":
            continue
        if tag not in ours or tag not in theirs:
            yield path + tag
        elif ours[tag]["vr"] == theirs[tag]["vr"] == "SQ":
            mine, others = ours[tag].get("Value", []), theirs[tag]["Value"]
            if len(mine) != len(others):
                yield path + tag
            for number, (left, right) in enumerate(zip(mine, others, strict=False)):
                yield from differences(left, right, header, f"{path}{tag}[{number}].")
        elif "" in ours[tag].get("Value", ()) or normalised(resolved(ours[tag], header)) != normalised(theirs[tag]):
            yield path + tag
