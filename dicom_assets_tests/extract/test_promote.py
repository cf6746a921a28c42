"""Typed columns take the value whatever VR the file states, or are null with an issue."""

import base64
import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dicom_assets.dicom.header import Header, Issue, read_header
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.extract.attributes import PROMOTED
from dicom_assets.extract.headers import DICOM_HEADERS, HeaderExtractor
from dicom_assets.extract.promote import promote
from dicom_assets.extract.source_file import FileKey, SourceFile
from dicom_assets_tests.support.dicom import encoding as e

COLUMNS = {column.name: column for column in PROMOTED}
TEXT_VRS = ["LO", "SH", "CS", "ST", "UT", "UC", "UN"]


def promoted(name, vr, *values):
    """Return what a column holds of values as JSON has them, and the codes of issues."""
    element = {"vr": vr, "Value": list(values)}
    if vr == "UN":
        raw = "\\".join(map(str, values)).encode()
        element = {"vr": vr, "InlineBinary": base64.b64encode(raw).decode()}
    columns, issues = promote(Header(HeaderStatus.OK, dataset={COLUMNS[name].tag: element}))
    return columns[name], [issue.code for issue in issues]


@pytest.mark.parametrize("vr", ["IS", "DS", "US", "SS", "UL", "SL", "SV", "UV", "FD", *TEXT_VRS])
@given(number=st.integers(0, 30_000))
def test_whole_numbers_fit_columns_of_text_of_integers_and_of_floats(vr, number):
    value = float(number) if vr in ("FD", "DS") else str(number) if vr in TEXT_VRS else number
    assert promoted("StudyID", vr, value) == (str(number), [])
    assert promoted("SeriesNumber", vr, value) == (number, [])
    assert promoted("SliceThickness", vr, value) == (float(number), [])
    assert promoted("PixelSpacing", vr, value, value) == ([float(number)] * 2, [])


@pytest.mark.parametrize("vr", ["DS", "FD", *TEXT_VRS])
@given(number=st.floats(-1e9, 1e9, allow_nan=False))
def test_fractions_fit_columns_of_floats_and_of_text(vr, number):
    value = repr(number) if vr in TEXT_VRS else number
    assert promoted("SliceThickness", vr, value) == (number, [])
    if vr not in TEXT_VRS:
        text, codes = promoted("StudyID", vr, number)
        assert (float(text), codes) == (number, [])
    if not number.is_integer():
        assert promoted("SeriesNumber", vr, value) == (None, [IssueCode.NOT_CONVERTIBLE])


@pytest.mark.parametrize("vr", ["DA", "DT", "IS", "UL", "SV", *TEXT_VRS])
@given(date=st.dates(dt.date(1000, 1, 1)))
def test_dates_fit_whatever_holds_their_digits(vr, date):
    digits = f"{date:%Y%m%d}"
    value = int(digits) if vr in ("IS", "UL", "SV") else digits
    assert promoted("StudyDate", vr, value) == (date, [])
    assert promoted("AcquisitionDateTime", vr, value) == (date.isoformat(), [])


@pytest.mark.parametrize("vr", ["TM", *TEXT_VRS])
def test_times_fit_whatever_holds_their_digits(vr):
    assert promoted("StudyTime", vr, "0915") == ("09:15:00", [])
    assert promoted("StudyTime", vr, "091530.25") == ("09:15:30.25", [])


def test_a_number_is_a_time_only_where_it_can_be_no_other():
    assert promoted("StudyTime", "IS", 101530) == ("10:15:30", [])
    assert promoted("StudyTime", "FD", 101530.25) == ("10:15:30.25", [])
    assert promoted("StudyTime", "IS", 930) == (None, [IssueCode.NOT_CONVERTIBLE])
    assert promoted("AcquisitionDateTime", "IS", 2020) == (None, [IssueCode.NOT_CONVERTIBLE])


def test_a_date_and_time_does_not_fit_a_date():
    assert promoted("StudyDate", "DT", "20200102123000") == (None, [IssueCode.NOT_CONVERTIBLE])


@pytest.mark.parametrize("vr", ["LO", "SH", "ST", "UT", "UN"])
def test_names_fit_whatever_text_holds_them(vr):
    assert promoted("PatientName", vr, "Doe^Jane") == ("Doe^Jane", [])


def test_a_name_fits_a_column_of_text():
    assert promoted("PatientID", "PN", {"Alphabetic": "Doe^Jane"}) == ("Doe^Jane", [])


def test_a_number_beyond_its_column_is_an_issue():
    assert promoted("SeriesNumber", "UV", "18446744073709551615") == (None, [IssueCode.NOT_CONVERTIBLE])
    assert promoted("SeriesNumber", "LO", "three") == (None, [IssueCode.NOT_CONVERTIBLE])


def test_bytes_that_are_no_text_are_an_issue():
    raw = base64.b64encode(b"\x01\x02\xff\x00").decode()
    for name in ("PatientID", "SeriesNumber", "StudyDate"):
        columns, (issue,) = promote(
            Header(HeaderStatus.OK, dataset={COLUMNS[name].tag: {"vr": "OB", "InlineBinary": raw}})
        )
        assert columns[name] is None
        assert issue == Issue(COLUMNS[name].tag, "OB", IssueCode.NOT_CONVERTIBLE, "\\x01\\x02\\xff\\x00")


def test_bytes_that_look_like_text_are_no_number_of_a_binary_vr():
    raw = base64.b64encode(b"12").decode()
    columns, issues = promote(Header(HeaderStatus.OK, dataset={"00280010": {"vr": "OW", "InlineBinary": raw}}))
    assert columns["Rows"] is None
    assert [issue.code for issue in issues] == [IssueCode.NOT_CONVERTIBLE]


def test_a_sequence_or_bulk_is_no_value():
    for element in ({"vr": "SQ", "Value": [{}]}, {"vr": "UT", "BulkData": {"offset": 1, "length": 2}}):
        columns, issues = promote(Header(HeaderStatus.OK, dataset={"00100020": element}))
        assert columns["PatientID"] is None
        assert [issue.code for issue in issues] == [IssueCode.NOT_CONVERTIBLE]


def test_a_second_value_of_a_single_valued_attribute_is_an_issue():
    columns, (issue,) = promote(Header(HeaderStatus.OK, dataset={"00080050": {"vr": "SH", "Value": ["A-1", "A-2"]}}))
    assert columns["AccessionNumber"] == "A-1"
    assert issue == Issue("00080050", "SH", IssueCode.TOO_MANY_VALUES, "A-2")


def test_as_many_values_as_an_attribute_may_have_are_none():
    assert promoted("ImageType", "CS", *"ABCDEFG") == (list("ABCDEFG"), [])
    assert promoted("PixelSpacing", "DS", 1.0, 2.0) == ([1.0, 2.0], [])
    assert promoted("PixelSpacing", "DS", 1.0, 2.0, 3.0) == ([1.0, 2.0, 3.0], [IssueCode.TOO_MANY_VALUES])


values = (
    st.none()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.dictionaries(st.sampled_from(["Alphabetic", "Ideographic"]), st.text(max_size=5))
)


@given(
    st.sampled_from(sorted(COLUMNS)),
    st.sampled_from(["LO", "DS", "PN", "SQ", "UN", "FD", "DA"]),
    st.lists(values, max_size=4) | st.binary(max_size=20),
)
@example("SoftwareVersions", "LO", b"\\")  # two values, both empty
def test_whatever_stands_there_fits_its_column_or_is_an_issue(name, vr, found):
    column = COLUMNS[name]
    element = {"vr": vr}
    if isinstance(found, bytes):
        element["InlineBinary"] = base64.b64encode(found).decode()
    elif found:
        element["Value"] = found
    where = "file_meta" if column.tag.startswith("0002") else "dataset"
    columns, issues = promote(Header(HeaderStatus.OK, **{where: {column.tag: element}}))
    pa.array([columns[name]], column.type)
    is_null = columns[name] is None or (isinstance(columns[name], list) and set(columns[name]) <= {None})
    says_something = bool(found) and (
        bool(found.strip(b"\0 \\")) if isinstance(found, bytes) else found[0] not in (None, "")
    )
    if is_null and says_something:
        assert issues


# Through a file


def row_of(*elements):
    source = BytesSource(e.dicom_file(*elements))
    return HeaderExtractor().extract(SourceFile(FileKey("p", "x", "x", "1"), source))


def codes(row):
    return [(issue["path"], issue["code"]) for issue in row["issues"]]


def test_a_study_id_written_as_is():
    row = row_of(e.explicit(0x00200010, "IS", b"4711"))
    assert (row["status"], row["StudyID"], codes(row)) == ("ok", "4711", [])


def test_an_accession_number_of_two():
    row = row_of(e.explicit(0x00080050, "SH", b"A-1\\A-2 "))
    assert (row["status"], row["AccessionNumber"]) == ("issues", "A-1")
    assert codes(row) == [("00080050", "too_many_values")]


def test_a_value_that_breaks_its_vr_is_listed_once():
    row = row_of(e.explicit(0x00080020, "DA", b"no date "))
    assert row["StudyDate"] is None
    assert codes(row) == [("00080020", "bad_date")]


def test_issues_stay_within_their_limit():
    many = b"".join(e.explicit(0x00091000 + number, "DS", b"x ") for number in range(300))
    row = row_of(e.explicit(0x00080050, "SH", b"A-1\\A-2 "), many)
    assert len(row["issues"]) == 200
    assert pa.array([row["issues"]], DICOM_HEADERS["issues"].type)


def test_clean_files_have_no_new_issues():
    content = e.dicom_file(e.explicit(0x00100010, "PN", b"Doe^Jane"), e.explicit(0x00200011, "IS", b"3 "))
    assert promote(read_header(BytesSource(content)))[1] == ()
