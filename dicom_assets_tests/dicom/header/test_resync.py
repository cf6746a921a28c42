"""Damage costs what it hits: headers are read on behind it, and an issue says what was skipped."""

import struct

import pytest

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.dicom.test_inflate import deflated
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.dicom import encoding as e
from dicom_assets_tests.support.dicom.images import CountingSource

PATIENT = e.explicit(0x00100010, "PN", b"Doe^Jane")
PATIENT_ID = e.explicit(0x00100020, "LO", b"ID-1")
BIRTH_DATE = e.explicit(0x00100030, "DA", b"19700102")
BEHIND = e.explicit(0x00180050, "DS", b"2.5 ") + e.explicit(0x00200010, "SH", b"STUDY1") + BIRTH_DATE[:0]
CODE = e.explicit(0x00080100, "SH", b"CODE") + e.explicit(0x00080104, "LO", b"MEANING ")
KEPT_CODE = {"00080100": {"vr": "SH", "Value": ["CODE"]}, "00080104": {"vr": "LO", "Value": ["MEANING"]}}


def read(content, **limits):
    return read_header(BytesSource(content), HeaderLimits(**limits))


def codes(header):
    return [(issue.path, issue.code) for issue in header.issues]


def is_read_on(header):
    """Say whether what stands behind the damage was read, whatever became of the damaged element."""
    return header.reader == "walker" and (header.first("00180050"), header.first("00200010")) == (2.5, "STUDY1")


# VRs


@pytest.mark.parametrize("vr", [b"  ", b"lO", b"L\0", b"\0O", b"\0\0", b"L\xcf", b"-1", b"lo"])
def test_a_vr_that_is_no_capitals_does_not_end_the_header(vr):
    header = read(e.dicom_file(PATIENT, PATIENT_ID[:4] + vr + PATIENT_ID[6:], BEHIND))
    assert header.status is HeaderStatus.ISSUES
    assert codes(header) == [("00100020", IssueCode.BAD_VR)]
    assert header.dataset["00100020"] == {"vr": "LO", "Value": ["ID-1"]}
    assert is_read_on(header)


ELEMENTS = {
    "PN": PATIENT,
    "UI": e.explicit(0x0008001A, "UI", e.uid("1.2.3.4")),
    "US": e.explicit(0x00100020, "US", b"\1\2"),
    "AT": e.explicit(0x00089999, "AT", b"\1\2\3\4"),
    "UT": e.explicit(0x00100021, "UT", b"a long text of some words "),
    "OB": e.explicit(0x00090010, "LO", b"MAKER ") + e.explicit(0x00091001, "OB", b"\0\1" * 600),
    "UN": e.explicit(0x00090010, "LO", b"MAKER ") + e.explicit(0x00091001, "UN", b"abcdef"),
    "SQ": e.sequence(0x00081110, e.item(CODE), e.item(CODE)),
    "open SQ": e.open_sequence(0x00081110, e.open_item(CODE), e.open_item(CODE)),
    "empty": e.explicit(0x00100020, "LO"),
}


@pytest.mark.parametrize("bit", range(16))
@pytest.mark.parametrize("name", ELEMENTS)
def test_a_flipped_bit_of_a_vr_does_not_end_the_header(name, bit):
    content = bytearray(e.dicom_file(ELEMENTS[name], BEHIND))
    start = len(e.dicom_file()) + (14 if name in {"OB", "UN"} else 0)
    content[start + 4 + bit // 8] ^= 1 << bit % 8
    assert is_read_on(read(bytes(content)))


@pytest.mark.parametrize("vr", [b"  ", b"sQ", b"\0\0"])
@pytest.mark.parametrize("name", ["SQ", "open SQ"])
def test_a_sequence_is_read_by_the_vr_of_the_dictionary(name, vr):
    element = ELEMENTS[name]
    header = read(e.dicom_file(element[:4] + vr + element[6:], BEHIND))
    assert codes(header) == [("00081110", IssueCode.BAD_VR)]
    assert header.dataset["00081110"] == {"vr": "SQ", "Value": [KEPT_CODE, KEPT_CODE]}
    assert is_read_on(header)


@pytest.mark.parametrize("make", [e.sequence, e.open_sequence])
@pytest.mark.parametrize("make_item", [e.item, e.open_item])
def test_a_damaged_vr_in_an_item(make, make_item):
    damaged = CODE.replace(b"SH", b"  ")
    header = read(e.dicom_file(make(0x00081110, make_item(damaged), make_item(CODE)), BEHIND))
    assert codes(header) == [("00081110[0].00080100", IssueCode.BAD_VR)]
    assert header.dataset["00081110"]["Value"] == [KEPT_CODE, KEPT_CODE]
    assert is_read_on(header)


def test_a_private_element_with_a_damaged_vr_is_unknown():
    private = e.explicit(0x00090010, "LO", b"MAKER ") + e.explicit(0x00091001, "OB", bytes(range(40)))
    header = read(e.dicom_file(private.replace(b"OB\0\0", b"ob\0\0"), BEHIND))
    assert codes(header) == [("00091001", IssueCode.BAD_VR)]
    assert header.dataset["00091001"]["vr"] == "UN"
    assert is_read_on(header)


def test_all_vrs_are_spaces():
    elements = [PATIENT, PATIENT_ID, BIRTH_DATE, e.explicit(0x00180050, "DS", b"2.5 ")]
    blank = [element[:4] + b"  " + element[6:] for element in elements]
    header = read(e.dicom_file(*blank, e.explicit(0x00200010, "SH", b"STUDY1")))
    assert {code for _, code in codes(header)} == {IssueCode.BAD_VR}
    assert header.first("00100020") == "ID-1"
    assert header.first("00100030") == "19700102"
    assert is_read_on(header)


def test_pixel_data_with_a_damaged_vr():
    pixels = e.explicit(0x7FE00010, "OW", bytes(64))
    header = read(e.dicom_file(PATIENT, pixels.replace(b"OW", b"oW")))
    assert codes(header) == [("7FE00010", IssueCode.BAD_VR)]
    assert (header.pixel.length, header.pixel.vr) == (64, "OW")


def test_a_vr_that_depends_on_other_elements():
    signed = e.explicit(0x00280103, "US", b"\1\0") + e.explicit(0x00280106, "  ", struct.pack("<h", -5))
    header = read(e.dicom_file(signed, e.explicit(0x00281050, "DS", b"40")))
    assert codes(header) == [("00280106", IssueCode.BAD_VR)]
    assert header.dataset["00280106"] == {"vr": "SS", "Value": [-5]}
    assert header.first("00281050") == 40


# Lengths


def with_length(element, length):
    return element[:6] + struct.pack("<H", length) + element[8:]


@pytest.mark.parametrize("length", [5, 9, 21, 30, 260, 60_000])
def test_a_wrong_length_swallows_nothing(length):
    header = read(e.dicom_file(PATIENT, with_length(PATIENT_ID, length), BIRTH_DATE, BEHIND))
    assert header.status is HeaderStatus.ISSUES
    assert is_read_on(header)
    if length > 9:
        assert ("00100020", IssueCode.WRONG_LENGTH) in codes(header)
        assert header.first("00100020") == "ID-1"
        assert header.first("00100030") == "19700102"


@pytest.mark.parametrize("length", [0, 2])
def test_a_length_that_is_too_short_is_told(length):
    start = len(e.dicom_file(PATIENT))
    header = read(e.dicom_file(PATIENT, with_length(PATIENT_ID, length), BIRTH_DATE, BEHIND))
    assert is_read_on(header)
    assert header.first("00100030") == "19700102"
    (issue,) = [issue for issue in header.issues if issue.code == IssueCode.SKIPPED_BYTES]
    assert issue.raw.startswith(f"{4 - length} bytes from byte {start + 8 + length} on: ")


@pytest.mark.parametrize("length", [0x7FFFFFFF, 0x01000000 + 4, 0xFFFFFFFF])
def test_an_absurd_length_in_implicit_vr(length):
    elements = [(0x00100010, b"Doe^Jane"), (0x00180050, b"2.5 "), (0x00200010, b"STUDY1"), (0x00200013, b"12")]
    tail = b"".join(e.implicit(tag, value) for tag, value in elements)
    absurd = e.implicit(0x00080060, b"CT", length=length)
    head = e.implicit(0x00080016, e.uid(e.BASIC_TEXT_SR))
    header = read(e.dicom_file(absurd, tail, syntax=e.IMPLICIT, head=head))
    assert is_read_on(header)
    assert header.first("00100010") == {"Alphabetic": "Doe^Jane"}
    assert {code for _, code in codes(header)} <= {IssueCode.WRONG_LENGTH, IssueCode.SKIPPED_BYTES}


def test_a_length_beyond_the_item_over_elements():
    long = e.explicit(0x00080100, "SH", b"CODE", length=400) + e.explicit(0x00080104, "LO", b"MEANING ")
    more = e.explicit(0x0008010B, "CS", b"N ")
    header = read(e.dicom_file(e.sequence(0x00081110, e.item(long + more)), BEHIND))
    assert codes(header) == [("00081110[0].00080100", IssueCode.WRONG_LENGTH)]
    assert header.dataset["00081110"]["Value"] == [KEPT_CODE | {"0008010B": {"vr": "CS", "Value": ["N"]}}]
    assert is_read_on(header)


def test_a_value_with_the_delimiter_of_its_item():
    long = e.explicit(0x00080100, "SH", b"CODE", length=20)
    header = read(e.dicom_file(e.open_sequence(0x00081110, e.open_item(long), e.open_item(CODE)), BEHIND))
    assert codes(header) == [("00081110[0].00080100", IssueCode.WRONG_LENGTH)]
    assert header.dataset["00081110"]["Value"] == [{"00080100": {"vr": "SH", "Value": ["CODE"]}}, KEPT_CODE]
    assert is_read_on(header)


# Sequences


@pytest.mark.parametrize("byte", range(4))
@pytest.mark.parametrize("make", [e.sequence, e.open_sequence])
@pytest.mark.parametrize("make_item", [e.item, e.open_item])
def test_a_damaged_item_tag(make, make_item, byte):
    damaged = bytearray(make_item(CODE))
    damaged[byte] ^= 0x10
    header = read(e.dicom_file(make(0x00081110, make_item(CODE), bytes(damaged), make_item(CODE)), BEHIND))
    assert header.dataset["00081110"]["Value"] == [KEPT_CODE] * 3
    assert [code for _, code in codes(header)] == [IssueCode.BAD_ITEM_TAG]
    assert is_read_on(header)


@pytest.mark.parametrize("length", [4, 14, 27, 40, 70, 5000])
@pytest.mark.parametrize("make", [e.sequence, e.open_sequence])
def test_a_damaged_item_length(make, length):
    items = [e.item(CODE), e.item(CODE, length=length), e.item(CODE), e.item(CODE)]
    header = read(e.dicom_file(make(0x00081110, *items), BEHIND))
    found = header.dataset["00081110"]["Value"]
    assert (found[0], found[-1]) == (KEPT_CODE, KEPT_CODE)
    assert len(found) == 4
    assert is_read_on(header)


@pytest.mark.parametrize("byte", range(4))
def test_a_damaged_delimiter_of_a_sequence(byte):
    end = bytearray(e.SEQUENCE_END)
    end[byte] ^= 0x10
    sequence = e.explicit(0x00081110, "SQ", e.open_item(CODE) + bytes(end), length=e.UNDEFINED)
    header = read(e.dicom_file(sequence, BEHIND))
    assert header.dataset["00081110"]["Value"] == [KEPT_CODE]
    assert is_read_on(header)


@pytest.mark.parametrize("length", [0x100, 0x7FFFFFFF])
def test_a_sequence_that_claims_what_is_behind_it(length):
    sequence = e.explicit(0x00081110, "SQ", e.item(CODE), length=length)
    header = read(e.dicom_file(sequence, BEHIND, e.explicit(0x00204000, "LT", b"x" * 400)))
    assert header.dataset["00081110"]["Value"] == [KEPT_CODE]
    assert codes(header) == [("00081110[1].00081110", IssueCode.LENGTH_BEYOND_ITEM)]
    assert is_read_on(header)


@pytest.mark.parametrize("noise", [b"\xff", b"noise in a sequence", bytes(12)])
@pytest.mark.parametrize("make", [e.sequence, e.open_sequence])
def test_noise_between_items(make, noise):
    header = read(e.dicom_file(make(0x00081110, e.item(CODE), noise, e.item(CODE)), BEHIND))
    assert header.dataset["00081110"]["Value"] == [KEPT_CODE, KEPT_CODE]
    assert codes(header) == [("00081110[1].", IssueCode.SKIPPED_BYTES)]
    assert is_read_on(header)


# Noise


@pytest.mark.parametrize("noise", [b"\1", b"noise!!", b"\xff" * 50, b"\x10\0\x20\0\1\2\3\4 no element", b"\x8f" * 3000])
def test_noise_between_elements_is_skipped_and_told(noise):
    start = len(e.dicom_file(PATIENT))
    header = read(e.dicom_file(PATIENT, noise, BIRTH_DATE, BEHIND))
    assert header.status is HeaderStatus.ISSUES
    assert header.first("00100030") == "19700102"
    assert is_read_on(header)
    (issue,) = header.issues
    assert (issue.path, issue.code) == ("", IssueCode.SKIPPED_BYTES)
    assert issue.raw.startswith(f"{len(noise)} bytes from byte {start} on: ")


def test_items_of_a_sequence_that_was_lost_are_no_elements_of_the_data_set():
    nested = e.explicit(0x00300050, "LO", b"NESTED") + e.explicit(0x00300060, "LO", b"NESTED")
    lost = e.open_sequence(0x00101002, e.open_item(nested), e.item(nested))
    header = read(e.dicom_file(PATIENT, b"noise" + lost[5:], BEHIND))
    assert "00300050" not in header.dataset
    assert is_read_on(header)


def test_many_damages_are_not_too_many():
    elements = [e.explicit(0x00091000 + number, "LO", b"VALUE ") for number in range(1000)]
    elements[::5] = [b"\xff\xfe\xfd" + element for element in elements[::5]]
    header = read(e.dicom_file(e.explicit(0x00090010, "LO", b"MAKER "), *elements, BEHIND))
    assert len(header.dataset) > 1000
    assert is_read_on(header)


@pytest.mark.parametrize("syntax", [e.EXPLICIT, e.IMPLICIT])
def test_the_search_is_bounded(syntax):
    noise = bytes(range(1, 251)) * 20_000
    make = e.implicit if syntax == e.IMPLICIT else lambda tag, value: e.explicit(tag, "UI", value)
    head = make(0x00080016, e.uid(e.BASIC_TEXT_SR)) + make(0x00080018, e.uid("1.2.3"))
    source = CountingSource(e.dicom_file(noise, syntax=syntax, head=head))
    header = read_header(source)
    assert header.first("00080018") == "1.2.3"
    # pydicom gets the first megabyte.
    assert source.bytes_read < (1 << 20) + 1_500_000


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "reportsi.dcm"])
def test_a_removed_byte_costs_a_few_elements(name):
    content = (PYDICOM_FILES / name).read_bytes()
    whole = read(content)
    end = whole.pixel.offset if whole.pixel else len(content)
    lost = []
    for position in range(400, min(end, 2400), 7):
        header = read(content[:position] + content[position + 1 :])
        lost.append(sum(header.dataset.get(tag) != element for tag, element in whole.dataset.items()))
    assert sum(lost) / len(lost) < 4


# The file meta group


def test_a_damaged_file_meta_group_does_not_cost_the_data_set():
    content = e.dicom_file(PATIENT, PATIENT_ID, BEHIND)
    end = len(e.meta())
    for position in range(128, end):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[position] ^= 1 << bit
            header = read(bytes(damaged))
            assert header.first("00100020") == "ID-1", (position, bit)
            assert is_read_on(header), (position, bit)


def test_a_damaged_file_meta_group_does_not_cost_a_deflated_data_set():
    content = e.meta(e.DEFLATED) + deflated(e.HEAD + PATIENT_ID + BEHIND)
    for position in range(136, len(e.meta(e.DEFLATED)) - 30, 3):
        damaged = content[:position] + b"\xff" + content[position + 1 :]
        assert is_read_on(read(damaged)), position


def test_zeros_between_the_file_meta_group_and_the_data_set():
    content = e.dicom_file(PATIENT_ID, BEHIND)
    end = len(e.meta())
    header = read(content[:end] + bytes(4) + content[end:])
    assert header.first("00100020") == "ID-1"
    assert is_read_on(header)


# pydicom


@pytest.mark.parametrize("position", [688, 914])
def test_pydicom_reads_a_damaged_file_that_is_cut(position, monkeypatch):
    content = (PYDICOM_FILES / "693_J2KI.dcm").read_bytes()
    damaged = content[:position] + bytes(4) + content[position:1700]
    header = read(damaged)
    monkeypatch.setattr("dicom_assets.dicom.header.read.read_by_pydicom", lambda *_: None)
    alone = read(damaged)
    assert (header.status, header.reader) == (HeaderStatus.TRUNCATED, "pydicom")
    assert len(header.dataset) > len(alone.dataset)
    assert header.error.startswith("the file ends inside element ")


def test_pydicom_is_not_preferred_where_it_reads_no_more():
    content = (PYDICOM_FILES / "CT_small.dcm").read_bytes()
    for end in range(500, 5000, 250):
        assert read(content[:end]).reader == "walker"
