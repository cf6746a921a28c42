"""Stored headers as data sets of pydicom, against what pydicom reads of the same files."""

import io
import warnings

import orjson
import pydicom
import pytest
from pydicom.dataset import Dataset

from dicom_assets.dicom.files import read_header
from dicom_assets.dicom.header import header_json
from dicom_assets.query.pydicom_header import to_pydicom
from dicom_assets_tests.support.corpus import PYDICOM_FILES, pydicom_files

PIXELS = {0x7FE00008, 0x7FE00009, 0x7FE00010}


def stored(path):
    return header_json(read_header(path))


def readable():
    for path in pydicom_files():
        # What pydicom does not inflate, it reads as noise.
        if path.suffix != ".gz" and read_header(path).status in {"ok", "dicomdir"}:
            yield pytest.param(path, id=f"{path.parent.name}-{path.name}")


def plain(dataset: Dataset, bulk=(), place=""):
    """Return what a data set says, in a form that does not depend on how numbers were written."""
    found = {}
    for element in dataset:
        path = f"{place}{int(element.tag):08X}"
        if element.tag in PIXELS or element.tag.element == 0 or path in bulk:
            continue
        if element.VR == "SQ":
            found[path] = [plain(item, bulk, f"{path}[{number}].") for number, item in enumerate(element.value)]
        else:
            found[path] = _plain(element.value)
    return found


def _plain(value):
    if isinstance(value, list | pydicom.multival.MultiValue):
        return [_plain(one) for one in value]
    if isinstance(value, float | int) and not isinstance(value, pydicom.tag.BaseTag):
        return float(value)
    return value.rstrip(b"\0") if isinstance(value, bytes) else str(value or "").rstrip()


@pytest.mark.parametrize("path", list(readable()))
def test_it_says_what_pydicom_reads_of_the_file(path):
    found = to_pydicom(stored(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        mine, theirs = plain(found, found.bulk_data), plain(expected, found.bulk_data)
    missing = {tag for tag in theirs if tag not in mine}
    assert not missing
    different = {tag for tag, value in theirs.items() if mine[tag] != value and not _same_bytes(mine[tag], value)}
    assert not different
    assert found.file_meta.get("TransferSyntaxUID") == expected.file_meta.get("TransferSyntaxUID")


def _same_bytes(one, other):
    """Return whether one is the text of the other: of elements in a VR that pydicom or we know better."""
    return isinstance(one, bytes) != isinstance(other, bytes)


def test_long_values_are_by_reference():
    dataset = pydicom.dcmread(PYDICOM_FILES / "CT_small.dcm")
    dataset.remove_private_tags()
    dataset.add_new(0x00091001, "OB", b"x" * 5000)
    item = Dataset()
    item.add_new(0x00283006, "OW", b"yz" * 3000)
    dataset.ModalityLUTSequence = [item]
    file = io.BytesIO()
    dataset.save_as(file)
    found = to_pydicom(stored(file.getvalue()))
    assert not found[0x00091001].value
    assert not found.ModalityLUTSequence[0][0x00283006].value
    places = {tag: file.getvalue()[place["offset"] :][: place["length"]] for tag, place in found.bulk_data.items()}
    assert places == {"00091001": b"x" * 5000, "00283000[0].00283006": b"yz" * 3000}


def test_values_that_break_their_vr_stand_as_they_are_and_nothing_is_said_of_them():
    header = {
        "fileMeta": {},
        "dataset": {
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Yamada^Tarou", "Phonetic": "x^y"}]},
            "00101030": {"vr": "DS", "Value": ["heavy"]},
            "00200013": {"vr": "IS", "Value": ["1.5x", None]},
            "00281050": {"vr": "DS", "Value": [1.5, None]},
            "00280010": {"vr": "US", "Value": ["many"]},
            "00280009": {"vr": "AT", "Value": ["00181063"]},
            "00080008": {"vr": "CS", "Value": []},
            "00080020": {"vr": "DA", "Value": ["not a date"]},
            "00100040": {"vr": "CS", "InlineBinary": "/w=="},
        },
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = to_pydicom(orjson.dumps(header))
        assert str(found.PatientName) == "Yamada^Tarou==x^y"
        assert (found[0x00101030].VR, found[0x00101030].value) == ("UN", b"heavy")
        assert (found[0x00200013].VR, found[0x00200013].value) == ("UN", b"1.5x\\")
        assert found[0x00100040].value == b"\xff"
        assert (found[0x00280010].VR, found[0x00280010].value) == ("UN", b"many")
        assert found.FrameIncrementPointer == 0x00181063
        assert not found.ImageType
        assert found.StudyDate == "not a date"


def test_it_can_be_written_and_read_again():
    found = to_pydicom(stored(PYDICOM_FILES / "CT_small.dcm"))
    file = io.BytesIO()
    found.save_as(file, enforce_file_format=True)
    file.seek(0)
    again = pydicom.dcmread(file)
    assert again.PatientID == found.PatientID
    assert again.ImagePositionPatient == found.ImagePositionPatient
