"""What requests mean: attributes, keys, conditions, media types. No lake and no server."""

import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from dicom_assets.serve.dicomweb.accept import DICOM, form_of_frames, form_of_objects, media_type, read_accept
from dicom_assets.serve.dicomweb.attributes import attribute_of
from dicom_assets.serve.dicomweb.elements import element
from dicom_assets.serve.dicomweb.keys import Key, read_search
from dicom_assets.serve.dicomweb.matching import among, condition_of, like
from dicom_assets.serve.errors import NotAcceptableError, RequestError

EXPLICIT, JPEG_2000, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.2"
OCTETS = "application/octet-stream"


def matches(keyword, asked, stored, *, fuzzy=False):
    """Return whether a stored value meets the condition of a key, by DuckDB."""
    condition = condition_of(Key(attribute_of(keyword), asked), fuzzy=fuzzy)
    if condition is None:
        return True
    column = attribute_of(keyword).column
    connection = duckdb.connect()
    kind = {"DA": "DATE", "IS": "INTEGER", "US": "INTEGER", "DS": "DOUBLE"}.get(column.vr, "VARCHAR")
    kind += "[]" if isinstance(stored, list) else ""
    connection.execute(f'CREATE TABLE t ("{column.name}" {kind})')
    connection.execute("INSERT INTO t VALUES (?)", [stored])
    found = connection.execute(f"SELECT count(*) FROM t WHERE {condition.sql}", list(condition.values)).fetchone()
    return found == (1,)


@pytest.mark.parametrize(
    ("keyword", "asked", "stored", "expected"),
    [
        ("PatientID", "A", "A", True),
        ("PatientID", "A", "B", False),
        ("PatientID", "a", "A", False),
        ("PatientID", " A ", "A", True),
        ("PatientID", "", None, True),
        ("PatientID", "*", None, True),
        ("PatientID", '""', None, True),
        ("PatientID", '""', "A", False),
        ("PatientID", "1*3", "123", True),
        ("PatientID", "1?3", "1223", False),
        ("PatientID", "100%*", "100% x", True),
        ("PatientID", "100%*", "100 x", False),
        ("PatientID", "a_c*", "abcd", False),
        ("PatientID", "a_c*", "a_cd", True),
        ("PatientID", "a\\*", "a\\b", True),
        ("PatientID", "x' OR '1'='1", "x", False),
        ("PatientID", "O'Brien*", "O'Brien 2", True),
        ("Modality", "CT,MR", "MR", True),
        ("Modality", "CT\\MR", "US", False),
        ("Modality", "C*,US", "CR", True),
        ("StudyInstanceUID", "1.2,1.3", "1.3", True),
        ("StudyInstanceUID", "1.2\\1.3", "1.4", False),
        ("StudyInstanceUID", "1.*", "1.2", False),
        ("StudyDate", "20240131", "2024-01-31", True),
        ("StudyDate", "20240101-20240131", "2024-01-31", True),
        ("StudyDate", "20240101-", "2023-12-31", False),
        ("StudyDate", "-20240131", "1999-01-01", True),
        ("StudyDate", "-20240131", None, False),
        ("StudyTime", "1030", "10:30:15.25", True),
        ("StudyTime", "103015.25", "10:30:15.25", True),
        ("StudyTime", "1030-1031", "10:31:59", True),
        ("StudyTime", "-10", "10:59:59.999", True),
        ("StudyTime", "11-", "10:59:59", False),
        ("AcquisitionDateTime", "20240131", "2024-01-31T10:00:00+01:00", True),
        ("AcquisitionDateTime", "20240131100000+0100", "2024-01-31T10:00:00+01:00", True),
        ("AcquisitionDateTime", "2024-2025", "2024-01-31", True),
        ("AcquisitionDateTime", "202402-", "2024-01-31T10:00", False),
        ("InstanceNumber", "7", 7, True),
        ("InstanceNumber", "7.0", 7, True),
        ("InstanceNumber", "8", 7, False),
        ("ImageType", "ORIG*", ["DERIVED", "ORIGINAL"], True),
        ("ImageType", "AXIAL", ["DERIVED", None], False),
        ("PatientName", "smith^john", "Smith^John", True),
        ("PatientName", "SMITH^JOHN^^", "Smith^John", True),
        ("PatientName", "smith", "Smith^John", False),
        ("PatientName", "muller*", "Müller^Jürgen", True),
        ("PatientName", "山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("PatientName", "Yamada^Tarou=山田^太郎*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("PatientName", "100%*", "100 percent", False),
    ],
)
def test_matching(keyword, asked, stored, expected):
    assert matches(keyword, asked, stored) is expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("john sm", True), ("Smyth", True), ("smith^jon", True), ("peter", False), ("smith peter", False), ("*", True)],
)
def test_names_match_by_beginnings_and_likeness_when_that_is_asked_for(asked, expected):
    assert matches("PatientName", asked, "Smith^John", fuzzy=True) is expected


@given(st.text(max_size=12), st.text(max_size=12).filter(lambda text: "\0" not in text))
def test_patterns_match_as_wild_cards_do(pattern, text):
    expected = re.fullmatch(
        "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern), text, re.DOTALL
    )
    sql = "SELECT ? LIKE ? ESCAPE '\\'"
    if "\0" not in pattern and all(ord(c) < 0x300 for c in text):  # a character of SQL may be several code points
        assert duckdb.connect().execute(sql, [text, like(pattern)]).fetchone() == (expected is not None,)


@pytest.mark.parametrize("count", [1, 500, 501, 5000])
def test_short_and_long_lists_find_the_same(count):
    condition = among("uid", [f"1.{number}" for number in range(count)])
    query = f"SELECT count(*) FROM (SELECT '1.' || i AS uid FROM range(10000) AS t(i)) WHERE {condition.sql}"
    assert duckdb.connect().execute(query, list(condition.values)).fetchone() == (count,)


@pytest.mark.parametrize(
    ("keyword", "asked"),
    [
        ("StudyDate", "2024"),
        ("StudyDate", "20241301"),
        ("StudyDate", "-"),
        ("StudyDate", "today"),
        ("StudyTime", "10:3x"),
        ("StudyTime", "-"),
        ("AcquisitionDateTime", "x"),
        ("InstanceNumber", "seven"),
        ("RequestAttributesSequence", "x"),
    ],
)
def test_values_of_another_kind_are_refused(keyword, asked):
    with pytest.raises(RequestError):
        condition_of(Key(attribute_of(keyword), asked))


@given(st.sampled_from(["PatientName", "StudyDate", "StudyTime", "AcquisitionDateTime", "ImageType"]), st.text())
def test_no_value_becomes_part_of_the_text(keyword, asked):
    try:
        condition = condition_of(Key(attribute_of(keyword), asked), fuzzy="'" in asked)
    except RequestError:
        return
    plain = condition_of(Key(attribute_of(keyword), "20240101-20250101" if "Date" in keyword else "10-11"))
    if condition is not None and plain is not None:
        assert "'''" not in condition.sql
        assert len(asked) < 8 or asked not in condition.sql


@pytest.mark.parametrize("name", ["PatientName", "00100010"])
def test_attributes_are_found_by_keyword_and_tag(name):
    assert attribute_of(name).tags == ("00100010",)


def test_attributes_in_sequences_are_found():
    found = attribute_of("RequestAttributesSequence.00400009")
    assert found.tags == ("00400275", "00400009")
    assert found.path == "00400275[*].00400009"


@pytest.mark.parametrize(
    "name", ["NoSuch", "0010001", "00020010", "TransferSyntaxUID", "PatientName.StudyID", "A.b", "00400275.", "A" * 999]
)
def test_what_is_no_attribute_is_refused(name):
    with pytest.raises(RequestError):
        attribute_of(name)


def test_a_search_is_read():
    search = read_search(
        [("PatientID", "1"), ("includefield", "all,StudyID"), ("limit", "5"), ("offset", "2"), ("x-y", "1")]
    )
    assert [key.value for key in search.keys] == ["1"]
    assert search.include_all
    assert [one.keyword for one in search.included] == ["StudyID"]
    assert (search.limit, search.offset, search.ignored) == (5, 2, ("x-y",))


@pytest.mark.parametrize(
    "parameters",
    [
        [("limit", "-1")],
        [("limit", "x")],
        [("limit", "٣")],
        [("offset", "9" * 30)],
        [("fuzzymatching", "perhaps")],
        [("PatientID", "1"), ("00100020", "2")],
        [("PatientIDs", "1")],
        [("includefield", "Nothing")],
        [(f"0009{number:04X}", "") for number in range(100)],
    ],
)
def test_a_search_without_sense_is_refused(parameters):
    with pytest.raises(RequestError):
        read_search(parameters)


def ranges(accept):
    headers = [] if accept is None else [(b"accept", accept.encode("latin-1"))]
    return read_accept(Request({"type": "http", "headers": headers, "query_string": b""}))


ANY = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'


@pytest.mark.parametrize(
    ("accept", "stored", "count", "expected"),
    [
        (None, EXPLICIT, 1, (OCTETS, EXPLICIT, True)),
        ("*/*", JPEG_2000, 2, ("image/jp2", JPEG_2000, True)),
        (ANY, JPEG_2000, 1, ("image/jp2", JPEG_2000, True)),
        (ANY, BIG, 1, (OCTETS, EXPLICIT, True)),
        ('multipart/related; type="application/octet-stream"', JPEG_2000, 1, (OCTETS, EXPLICIT, True)),
        ("multipart/related; type=image/jp2", JPEG_2000, 3, ("image/jp2", JPEG_2000, True)),
        ("multipart/related; type=image/jpeg", JPEG_2000, 3, None),
        ("image/jp2", JPEG_2000, 1, ("image/jp2", JPEG_2000, False)),
        ("image/jp2", JPEG_2000, 2, None),
        (OCTETS, EXPLICIT, 1, (OCTETS, EXPLICIT, False)),
        (f"{OCTETS}; transfer-syntax={BIG}", BIG, 1, None),
        ("image/*;q=0.1, " + OCTETS, JPEG_2000, 1, (OCTETS, EXPLICIT, False)),
        ("image/*;q=0", JPEG_2000, 1, None),
        ("text/html", EXPLICIT, 1, None),
    ],
)
def test_the_form_of_frames(accept, stored, count, expected):
    if expected is None:
        with pytest.raises(NotAcceptableError):
            form_of_frames(ranges(accept), stored, count)
        return
    form = form_of_frames(ranges(accept), stored, count)
    assert (form.kind, form.syntax, form.multipart) == expected


def test_the_form_of_objects():
    assert form_of_objects(ranges(None), one=True) == (True, None)
    assert form_of_objects(ranges(DICOM), one=True) == (False, None)
    asked = f'multipart/related; type="{DICOM}"; transfer-syntax={JPEG_2000}'
    assert form_of_objects(ranges(asked), one=False) == (True, frozenset({JPEG_2000}))
    with pytest.raises(NotAcceptableError):
        form_of_objects(ranges(DICOM), one=False)
    with pytest.raises(NotAcceptableError):
        form_of_objects(ranges("image/jpeg"), one=True)


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
def test_no_accept_header_is_a_fault(accept):
    try:
        for one in ranges(accept):
            assert 0 < one.weight <= 1
    except RequestError:
        pass


def test_media_types_of_transfer_syntaxes():
    for syntax, kind in (
        ("1.2.840.10008.1.2.4.50", "image/jpeg"),
        ("1.2.840.10008.1.2.4.70", "image/jpeg"),
        ("1.2.840.10008.1.2.5", "image/dicom-rle"),
        ("1.2.840.10008.1.2.4.201", "image/jphc"),
        ("1.2.840.10008.1.2.4.102", "video/mp4"),
        ("1.2.3", OCTETS),
    ):
        assert media_type(syntax) == kind


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("LO", None, {"vr": "LO"}),
        ("TM", "10:30:15.25", {"vr": "TM", "Value": ["103015.25"]}),
        ("DT", "2024-01-31T10:00+01:00", {"vr": "DT", "Value": ["202401311000+0100"]}),
        ("DT", "2024-01-31", {"vr": "DT", "Value": ["20240131"]}),
        ("PN", "A^B==C", {"vr": "PN", "Value": [{"Alphabetic": "A^B", "Phonetic": "C"}]}),
        ("CS", ["A", None], {"vr": "CS", "Value": ["A", None]}),
        ("IS", 3, {"vr": "IS", "Value": [3]}),
    ],
)
def test_elements(vr, value, expected):
    assert element(vr, value) == expected
