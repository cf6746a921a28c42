import json

import orjson
import pytest

from dicom_assets.query.header_nodes import MOST_NODES, header_of

HEADER = {
    "fileMeta": {"00020010": {"vr": "UI", "Value": ["1.2.840.10008.1.2.1"]}},
    "dataset": {
        "00080060": {"vr": "CS", "Value": ["CT"]},
        "00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.3"]}}, None]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B\u202e"}]},
    },
}
STORED = orjson.dumps(HEADER).decode()


def test_elements_have_names_and_items_stand_below_their_sequence():
    header = header_of(STORED)
    assert [(n.tag, n.vr, n.name) for n in header.dataset][:1] == [("(0008,0060)", "CS", "Modality")]
    assert header.meta[0].value == "1.2.840.10008.1.2.1 (Explicit VR Little Endian)"
    sequence = header.dataset[1]
    assert (sequence.value, [item.value for item in sequence.nodes]) == ("2 items", ["Item 1", "Item 2"])
    assert sequence.nodes[0].nodes[0].name == "ReferencedSOPInstanceUID"
    assert header.dataset[2].value == "A^B\\u202e"


def test_a_sequence_of_which_the_tables_hold_the_first_items_says_so():
    item = {"00081155": {"vr": "UI", "Value": ["1.2.3"]}}
    element = {"vr": "SQ", "Value": [item], "BulkData": {"offset": 5000, "length": 90_000}}
    header = header_of(orjson.dumps({"dataset": {"00081140": element}}).decode())
    assert header.dataset[0].value == "1 item, and more in the file"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("modal", ["Modality"]),
        ("0008,0060", ["Modality"]),
        ("00081155", ["ReferencedImageSequence"]),
        ("a^b", ["PatientName"]),
        ("zzz", []),
    ],
)
def test_the_header_can_be_searched_by_tag_name_and_value(text, names):
    found = header_of(STORED, text)
    assert [node.name for node in found.dataset] == names
    assert found.meta == ()


@pytest.mark.parametrize("stored", [None, "", "{", "[1]", '{"dataset": 3}', '{"dataset": {"00080060": "CT"}}'])
def test_what_is_no_header_is_no_error(stored):
    header = header_of(stored)
    assert header.dataset == ()


def test_a_header_without_end_is_cut_and_says_so():
    many = {f"{0x60000000 + n:08X}": {"vr": "LO", "Value": ["x"]} for n in range(MOST_NODES + 5)}
    header = header_of(orjson.dumps({"dataset": many}).decode())
    assert header.is_cut
    assert len(header.dataset) == MOST_NODES
    deep: dict = {}
    for _ in range(70):
        deep = {"00081140": {"vr": "SQ", "Value": [deep]}}
    assert header_of(json.dumps({"dataset": deep})).dataset
