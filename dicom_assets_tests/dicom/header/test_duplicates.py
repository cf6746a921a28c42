"""Of elements that stand twice the first counts, everywhere; the others are kept in the issues, as they stand."""

import struct

import pytest

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.support.dicom import encoding as e

PATIENT_ID = e.explicit(0x00100020, "LO", b"ID-1")
BEHIND = e.explicit(0x00400280, "ST", b"ok")


def read(content, **limits):
    return read_header(BytesSource(content), HeaderLimits(**limits))


def duplicates(header):
    return [(issue.path, issue.vr, issue.raw) for issue in header.issues if issue.code == IssueCode.DUPLICATE_TAG]


def item(code):
    return e.item(e.explicit(0x00080100, "SH", code))


@pytest.mark.parametrize(
    ("vr", "first", "second", "raw"),
    [
        ("LO", b"ID-1", b"ID-2", "ID-2"),
        ("LO", b"ID-1", b"", ""),
        ("LO", b"", b"ID-2", "ID-2"),
        ("LT", b"first " * 20, b"second" * 20, ("second" * 20)[:64] + "..."),
        ("US", b"\1\0", b"\2\0", "\\x02\\x00"),
        ("OB", b"\1\0", b"\2\0", "\\x02\\x00"),
        ("OB", b"\1\0" * 2000, b"\2\0" * 2000, "\\x02\\x00" * 32 + "..."),
        ("UT", b"first ", b"second", "second"),
        ("SQ", item(b"1 "), b"", ""),
        ("SQ", item(b"1 "), item(b"2 "), "\\xfe\\xff\\x00\\xe0\\n\\x00\\x00\\x00\\x08\\x00\\x00\\x01SH\\x02\\x002 "),
    ],
)
def test_the_first_value_counts_and_an_issue_keeps_the_second(vr, first, second, raw):
    once = read(e.dicom_file(e.explicit(0x00100021, vr, first), BEHIND))
    twice = read(e.dicom_file(e.explicit(0x00100021, vr, first), e.explicit(0x00100021, vr, second), BEHIND))
    assert twice.dataset == once.dataset
    assert duplicates(twice) == [("00100021", vr, raw)]
    assert twice.status is HeaderStatus.ISSUES


def test_sequences_of_undefined_length():
    first, second = e.open_sequence(0x00081110, e.open_item(b"")), e.open_sequence(0x00081110, item(b"2 "))
    header = read(e.dicom_file(first, second, BEHIND))
    assert header.dataset["00081110"] == {"vr": "SQ", "Value": [{}]}
    assert [(path, vr) for path, vr, _ in duplicates(header)] == [("00081110", "SQ")]
    assert header.first("00400280") == "ok"


def test_all_others_are_kept():
    others = [e.explicit(0x00100020, "LO", b"ID-%d" % number) for number in range(2, 6)]
    header = read(e.dicom_file(PATIENT_ID, *others))
    assert header.first("00100020") == "ID-1"
    assert [raw for _, _, raw in duplicates(header)] == ["ID-2", "ID-3", "ID-4", "ID-5"]


def test_elements_in_between():
    """What stands twice is not next to itself."""
    header = read(e.dicom_file(PATIENT_ID, BEHIND, e.explicit(0x00100020, "LO", b"ID-2"), BEHIND[:-2] + b"no"))
    assert (header.first("00100020"), header.first("00400280")) == ("ID-1", "ok")
    assert [raw for _, _, raw in duplicates(header)] == ["ID-2", "no"]
    assert list(header.dataset) == sorted(header.dataset)


def test_a_whole_data_set_twice():
    elements = e.HEAD + PATIENT_ID + BEHIND
    header = read(e.dicom_file(elements, head=elements))
    once = read(e.dicom_file(head=elements))
    assert header.dataset == once.dataset
    assert len(duplicates(header)) == len(once.dataset)


def test_in_an_item():
    content = e.explicit(0x00080100, "SH", b"1 ") + e.explicit(0x00080100, "SH", b"2 ")
    header = read(e.dicom_file(e.open_sequence(0x00081110, e.open_item(content), e.item(content))))
    assert header.dataset["00081110"]["Value"] == [{"00080100": {"vr": "SH", "Value": ["1"]}}] * 2
    assert duplicates(header) == [("00081110[0].00080100", "SH", "2 "), ("00081110[1].00080100", "SH", "2 ")]


def test_a_vr_that_is_settled_at_the_end():
    head = e.implicit(0x00080016, e.uid(e.BASIC_TEXT_SR)) + e.implicit(0x00080018, e.uid("1.2.3"))
    elements = [e.implicit(0x00280103, b"\1\0"), e.implicit(0x00280106, struct.pack("<h", -5))]
    header = read(e.dicom_file(*elements, e.implicit(0x00280106, b"\7\0"), syntax=e.IMPLICIT, head=head))
    assert header.dataset["00280106"] == {"vr": "SS", "Value": [-5]}
    assert [raw for _, _, raw in duplicates(header)] == ["\\x07\\x00"]


def test_a_second_character_set_is_not_used():
    first, second = e.explicit(0x00080005, "CS", b"ISO_IR 144"), e.explicit(0x00080005, "CS", b"ISO_IR 100")
    header = read(e.dicom_file(e.explicit(0x00100020, "LO", b"\xe9 "), head=first + second + e.HEAD))
    assert header.first("00100020") == "щ"
    assert [raw for _, _, raw in duplicates(header)] == ["ISO_IR 100"]


def test_pixel_data_twice():
    first, second = (e.explicit(0x7FE00010, "OB", bytes([number]) * 8) for number in (1, 2))
    header = read(e.dicom_file(first, second))
    assert header.body.read(header.pixel.offset, 8) == b"\1" * 8
    assert duplicates(header) == [("7FE00010", "OB", "\\x02" * 8)]


# The file meta group


def second_group(syntax):
    return e.meta(syntax)[132:].replace(b"1.2.3\0", b"9.9.9\0")


@pytest.mark.parametrize("other", [e.IMPLICIT, e.BIG_ENDIAN, "1.2.840.10008.1.2.4.50"])
def test_the_first_of_two_file_meta_groups_counts(other):
    content = e.meta() + second_group(other) + e.HEAD + PATIENT_ID
    header = read(content)
    assert header.transfer_syntax == e.EXPLICIT
    assert header.file_meta == read(e.dicom_file()).file_meta
    assert header.first("00100020") == "ID-1"
    kept = {path: raw for path, _, raw in duplicates(header)}
    assert kept["00020010"].startswith(other)
    assert kept["00020003"] == "9.9.9\\x00"
    assert list(kept) == ["00020001", "00020002", "00020003", "00020010"]


def test_a_second_file_meta_group_with_its_own_preamble():
    second = e.meta(e.IMPLICIT).replace(b"1.2.3\0", b"9.9.9\0")
    header = read(e.meta() + second + e.HEAD + PATIENT_ID)
    assert header.transfer_syntax == e.EXPLICIT
    assert header.file_meta["00020003"]["Value"] == ["1.2.3"]
    assert header.first("00100020") == "ID-1"
    assert {path for path, _, _ in duplicates(header)} >= {"00020003", "00020010"}
    assert IssueCode.SKIPPED_BYTES in [issue.code for issue in header.issues]


def test_a_file_meta_group_in_the_data_set_does_not_change_its_transfer_syntax():
    header = read(e.dicom_file(PATIENT_ID, e.explicit(0x00020010, "UI", e.uid(e.IMPLICIT)), BEHIND))
    assert header.transfer_syntax == e.EXPLICIT
    assert header.file_meta["00020010"]["Value"] == [e.EXPLICIT]
    assert header.first("00400280") == "ok"


def test_what_pydicom_reads_keeps_the_first_too(monkeypatch):
    lost = e.open_sequence(0x00400555, e.open_item(bytes(8)))
    more = e.explicit(0x00400556, "ST", b"ok")
    monkeypatch.setattr("dicom_assets.dicom.header.recovery.Recovery.resume", lambda *_: None)
    header = read(e.dicom_file(PATIENT_ID, e.explicit(0x00100020, "LO", b"ID-2"), lost, more))
    assert (header.reader, header.first("00400556")) == ("pydicom", "ok")
    assert header.first("00100020") == "ID-1"
    assert [raw for _, _, raw in duplicates(header)] == ["ID-2"]
