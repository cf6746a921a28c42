"""The tree of a header, against what pydicom knows of the same files."""

import base64

import pydicom
import pytest
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

from dicom_assets import read_header
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.query.header_tree import name_of, tree, value_text
from dicom_assets_tests.support.corpus import PYDICOM_FILES

FILES = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "nested_priv_SQ.dcm")


def _labels(dataset: Dataset, depth: int = 0):
    for element in dataset:
        if element.tag.group == 0x7FE0 or element.tag == 0xFFFCFFFC:
            continue  # pixels and trailing padding are no part of a header
        yield depth, f"({element.tag.group:04X},{element.tag.elem:04X})"
        if element.VR == "SQ":
            for item in element.value:
                yield depth + 1, "["
                yield from _labels(item, depth + 2)


@pytest.mark.parametrize("name", FILES)
def test_every_element_has_its_line_in_its_place(name):
    file = PYDICOM_FILES / name
    if not file.exists():
        pytest.skip(f"pydicom has no {name} here")
    expected = list(_labels(pydicom.dcmread(file)))
    lines = list(tree(read_header(file).dataset, 80))
    found = [(line.depth, line.label.partition(" ")[0] or "[") for line in lines]
    if read_header(file).status == "ok":
        assert found == expected
    for line in lines:
        assert str(line).isprintable()
        assert len(str(line)) <= 80 or len(line.value) <= (64 if " UI " in line.label else 24)


def test_elements_are_named_private_ones_by_their_creator():
    dataset = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B", "Ideographic": "山"}]},
        "00090010": {"vr": "LO", "Value": ["GEMS_IDEN_01"]},
        "00091001": {"vr": "LO", "Value": ["x"]},
        "000910FE": {"vr": "LO", "Value": ["x"]},
        "00091101": {"vr": "LO", "Value": ["x"]},
        "00190010": {"vr": "LO", "Value": [5]},
        "00191001": {"vr": "UN"},
        "60000010": {"vr": "US", "Value": [1]},
        "12345678": {"vr": "UN"},
    }
    names = [name_of(dataset, tag) for tag in dataset]
    assert names == [
        "PatientName",
        "PrivateCreator",
        "[Full fidelity]",
        "[GEMS_IDEN_01]",
        "?",
        "PrivateCreator",
        "?",
        keyword_for_tag(0x60000010),
        "?",
    ]
    (name, *_) = tree(dataset, 200)
    assert name.value == "A^B=山"


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ({"vr": "DS", "Value": [0.5, 0.25]}, "0.5\\0.25"),
        ({"vr": "DS", "Value": [None, 0.25]}, "\\0.25"),
        ({"vr": "LO"}, ""),
        ({"vr": "LO", "Value": ["x" * 1000]}, "x" * 22 + "… (1,000 characters)"),
        ({"vr": "US", "Value": list(range(1000))}, None),
        ({"vr": "LO", "Value": ["\x1b]0;owned\x07"]}, "\\u001b]0;owned\\u0007"),
        ({"vr": "LO", "Value": ["\x1b" * 1000]}, None),
        ({"vr": "UI", "Value": ["1.2.840.10008.1.2"]}, "1.2.840.10008.1.2 (Implicit VR Little Endian)"),
        ({"vr": "OW", "BulkData": {"offset": 1, "length": 4096}}, "<4,096 bytes in the file>"),
        ({"vr": "OB", "InlineBinary": base64.b64encode(b"\x00\x01").decode()}, "<2 bytes> 00 01"),
        ({"vr": "OB", "InlineBinary": base64.b64encode(bytes(500)).decode()}, None),
    ],
)
def test_values_say_how_long_they_are_where_they_are_cut(element, text):
    room = 80 if element["vr"] == "UI" else 42
    shown = value_text(element, room)
    assert shown.isprintable()
    assert len(shown) <= room
    if text is not None:
        assert shown == text
    elif element["vr"] == "US":
        assert shown.startswith("0\\1\\2")
        assert shown.endswith("… (1,000 values)")
    elif element["vr"] == "OB":
        assert shown.startswith("<500 bytes> 00 00")
        assert shown.endswith("…")
    else:
        assert shown.endswith("… (1,000 characters)")


def test_sequences_that_are_nested_without_end_end():
    dataset = {"00081115": {"vr": "SQ"}}
    inner = dataset
    for _ in range(500):
        item = {"00081115": {"vr": "SQ"}}
        inner["00081115"]["Value"] = [item]
        inner = item
    assert list(tree(dataset, 80))[-1].value == "... nested deeper"


def test_all_sequences_that_are_read_of_a_file_are_shown_one_in_the_other():
    dataset = {"00100020": {"vr": "LO", "Value": ["innermost"]}}
    for _ in range(HeaderLimits().max_depth):
        dataset = {"00081115": {"vr": "SQ", "Value": [dataset]}}
    lines = [str(line) for line in tree(dataset, 80)]
    assert lines[-1].endswith("innermost")
    assert sum("SQ ReferencedSeriesSequence" in line for line in lines) == HeaderLimits().max_depth
