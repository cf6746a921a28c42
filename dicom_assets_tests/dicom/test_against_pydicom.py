"""The JSON of every readable real file equals that of pydicom, after the few lines of `normalised`.

What still differs is listed in `DIFFERENCES`, by file and element, with the reason.
"""

import logging
import warnings
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from dicom_assets.dicom.charsets import NO_CHARSET
from dicom_assets.dicom.dialect import DIALECTS
from dicom_assets.dicom.limits import HeaderLimits
from dicom_assets.dicom.read import read_header
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.corpus import corpus_files, files_below, pydicom_files

UNLIMITED = HeaderLimits(sequence_bytes=1 << 40, inline_bytes=1 << 40, max_elements=1 << 40)

REFUSED = "pydicom refuses to convert the value, and with it the whole header"
CUT = "pydicom takes what is left of a truncated file for the value"

DIFFERENCES = {
    "badVR.dcm": {"00280008": REFUSED},
    "rtplan_truncated.dcm": {"300A00B0[0].300A0111[0].300A012C": CUT},
}
"""Elements that differ, by file, and why."""

NOT_COMPARED = {
    "no_preamble_dicm_in_data": "pydicom takes the letters DICM of a value for the prefix, and loses what is before",
}
"""Files that pydicom does not read from their beginning."""


def real_files():
    """Return the files of pydicom, of pydicom-data where it is installed, and of the corpus where it is present."""
    more = find_spec("data_store")
    folder = Path(more.origin).parent if more and more.origin else None
    data = files_below(folder) if folder else []
    return [*pydicom_files(), *corpus_files(), *(path for path in data if path.suffix not in {".py", ".pyc"})]


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
    dialect = DIALECTS[not header.implicit_vr, header.little_endian]
    return dialect.value_rule(element["vr"]).decode(raw, NO_CHARSET)[0]


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
    if element["vr"] in {"DS", "SV", "UV"}:
        values = [float(value) if isinstance(value, str) else value for value in values]
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
        elif normalised(resolved(ours[tag], header)) != normalised(theirs[tag]):
            yield path + tag


@pytest.fixture(autouse=True)
def _quiet():
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.name)
def test_equals_pydicom(path):
    content = path.read_bytes()
    header = read_header(BytesSource(content), UNLIMITED)
    dataset = pydicom.dcmread(BytesIO(content), stop_before_pixels=True, force=True)
    if header.status in {HeaderStatus.NOT_DICOM, HeaderStatus.EMPTY}:
        assert content[128:132] != b"DICM"
        assert "SOPInstanceUID" not in dataset
        pytest.skip("not DICOM")
    if path.name in NOT_COMPARED:
        pytest.skip(NOT_COMPARED[path.name])
    found = set(differences(header.dataset, by_pydicom(dataset), header))
    assert found == set(DIFFERENCES.get(path.name, ()))
    assert not set(differences(header.file_meta, by_pydicom(dataset.file_meta), header))
    assert header.reader == "walker"
