"""The text of a header: the same JSON, in which elements of items are told from others by a space."""

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_assets.dicom.header import Header, header_json
from dicom_assets.dicom.header.json_text import MARK
from dicom_assets.dicom.status import HeaderStatus

HOSTILE = st.sampled_from(
    [
        '":{"vr"',
        '": {"vr"',
        '":{"v',
        '":{',
        "vr",
        "v",
        '"00101030":{"vr":"DS","Value":[1]}',
        "\\",
        '\\"',
        "]}",
        "\n",
        "}}\n",
        "",
    ]
)
VALUES = st.lists(st.one_of(st.text(max_size=5), HOSTILE, st.none(), st.integers(-9, 9), st.floats(0, 1)), max_size=3)
TAGS = st.sampled_from(["00080100", "00101030", "00180050", "00400275", "00081140"])


def _elements(items):
    leaf = st.builds(lambda vr, values: {"vr": vr, "Value": values}, st.sampled_from(["LO", "DS", "UN"]), VALUES)
    sequence = st.builds(lambda values: {"vr": "SQ", "Value": values}, st.lists(items, max_size=2))
    return st.dictionaries(TAGS, st.one_of(leaf, sequence), max_size=4)


DATASETS = st.recursive(_elements(st.just({})), _elements, max_leaves=6)


def _text(dataset):
    return header_json(Header(HeaderStatus.OK, dataset=dataset, file_meta={"00020010": {"vr": "UI", "Value": ["1.2"]}}))


@settings(max_examples=200, deadline=None)
@given(dataset=DATASETS)
def test_only_elements_of_the_data_set_have_no_space_after_their_tag(dataset):
    text = _text(dataset).decode()
    assert orjson.loads(text)["dataset"] == dataset
    assert text.endswith(MARK)
    assert text.count("\n") == 1
    for tag in ("00080100", "00101030", "00180050", "00400275", "00081140"):
        assert text.count(f'"{tag}":{{"vr"') == (tag in dataset)


def test_a_tag_in_items_of_items_is_not_found_where_a_search_looks():
    code = {"00080100": {"vr": "SH", "Value": ["inner"]}}
    text = _text({"00400555": {"vr": "SQ", "Value": [{"0040A168": {"vr": "SQ", "Value": [code]}}]}})
    assert b'"00080100":{"vr"' not in text
    assert b'"00080100": {"vr"' in text
    assert b'"00400555":{"vr"' in text


def test_elements_that_other_headers_share_are_not_changed():
    shared = {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["x"]}}]}
    before = orjson.dumps(shared)
    _text({"00081140": shared})
    assert orjson.dumps(shared) == before
