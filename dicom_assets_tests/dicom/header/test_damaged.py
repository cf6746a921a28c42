"""One test for each kind of damage in the table of docs/headers.md: the status, and what is kept."""

import gzip
import struct
import zlib

import orjson
import pydicom
import pytest

from dicom_assets.dicom.header import header_json, read_header
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.dicom import encoding as e

PATIENT = e.explicit(0x00100010, "PN", e.text("Doe^Jane"))
PATIENT_ID = e.explicit(0x00100020, "LO", e.text("ID-1"))
IN_ITEM = e.explicit(0x00080100, "SH", e.text("CODE"))


def read(content, **limits):
    header = read_header(BytesSource(content), HeaderLimits(**limits))
    orjson.loads(header_json(header))
    return header


def codes(header):
    return [(issue.path, issue.code) for issue in header.issues]


def value(header, tag):
    return header.dataset[tag]["Value"]


# The whole file


def test_empty():
    assert read(b"").status is HeaderStatus.EMPTY


@pytest.mark.parametrize(
    "content",
    [
        b"just some text, longer than the one hundred and thirty two bytes that a DICOM file has in front of " * 9,
        b"<!DOCTYPE html><html><head><title>x</title></head><body></body></html>" * 9,
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0" + bytes(300),
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n" * 9,
        b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(range(256)),
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0" + bytes(300),
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + zlib.compress(bytes(1000)),
        bytes(1000),
        b"\xff" * 1000,
        b"\x08\0\x05\0CS\x0a\0ISO_IR 100",
        b"\x08\0\0\0\x04\0\0\0\x10\0\0\0",
        b"\x08",
        b"DICOM",
        bytes(128) + b"DICM" + b"what follows is no element at all, but text",
    ],
    ids=lambda content: repr(content[:8]),
)
def test_not_dicom(content):
    header = read(content)
    assert header.status is HeaderStatus.NOT_DICOM
    assert not header.dataset


@pytest.mark.parametrize("seed", range(200))
def test_noise_is_not_dicom(seed):
    import random

    assert read(random.Random(seed).randbytes(4096)).status is HeaderStatus.NOT_DICOM


def test_prefix_alone():
    header = read(bytes(128) + b"DICM")
    assert header.status is HeaderStatus.TRUNCATED


def test_no_preamble():
    header = read(e.dicom_file(PATIENT)[128:])
    assert header.status is HeaderStatus.OK
    assert value(header, "00100010") == [{"Alphabetic": "Doe^Jane"}]


def test_no_preamble_and_no_prefix():
    header = read(e.dicom_file(PATIENT)[132:])
    assert header.status is HeaderStatus.OK
    assert header.file_meta["00020010"]["Value"] == [e.EXPLICIT]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("explicit", [True, False])
def test_no_file_meta(order, explicit):
    values = {0x00080008: b"ORIGINAL", 0x00080016: e.uid(e.BASIC_TEXT_SR), 0x00080060: b"SR"}
    vrs = {0x00080008: "CS", 0x00080016: "UI", 0x00080060: "CS"}
    content = b"".join(
        e.explicit(tag, vrs[tag], raw, order=order) if explicit else e.implicit(tag, raw, order=order)
        for tag, raw in values.items()
    )
    header = read(content)
    assert header.status is HeaderStatus.OK
    assert (header.little_endian, header.implicit_vr) == (order == "<", not explicit)
    assert value(header, "00080060") == ["SR"]


def test_acr_nema():
    content = (
        e.implicit(0x00080000, struct.pack("<I", 46))
        + e.implicit(0x00080001, struct.pack("<I", 500))
        + e.implicit(0x00080010, b"ACR-NEMA 2.0")
        + e.implicit(0x00080020, b"1992.03.04")
        + e.implicit(0x00080030, b"10:20:30")
        + e.implicit(0x00100020, b"ID-1")
    )
    header = read(content)
    assert header.status is HeaderStatus.OK
    assert value(header, "00080020") == ["1992.03.04"]
    assert value(header, "00080010") == ["ACR-NEMA 2.0"]


def test_prefix_within_a_value():
    head = e.explicit(0x00080005, "CS", b"ISO_IR 100") + e.explicit(0x00080060, "CS", b"SR")
    before = head + e.explicit(0x00081030, "LO", b"", length=100)
    content = head + e.explicit(0x00081030, "LO", (b"x" * (128 - len(before)) + b"DICM").ljust(100, b"y"))
    assert content[128:132] == b"DICM"
    header = read(content + e.explicit(0x00081040, "LO", b"DEPARTMENT"))
    assert value(header, "00080060") == ["SR"]
    assert value(header, "00081040") == ["DEPARTMENT"]


def test_wrong_transfer_syntax():
    content = e.meta(e.EXPLICIT) + e.implicit(0x00080016, e.uid(e.BASIC_TEXT_SR)) + e.implicit(0x00080060, b"SR")
    header = read(content)
    assert (header.status, header.transfer_syntax) == (HeaderStatus.ISSUES, e.IMPLICIT)
    assert codes(header) == [("00020010", IssueCode.TRANSFER_SYNTAX)]
    assert value(header, "00080060") == ["SR"]


def test_no_transfer_syntax():
    header = read(e.dicom_file(PATIENT, syntax=None))
    assert (header.status, header.transfer_syntax) == (HeaderStatus.ISSUES, e.EXPLICIT)
    assert codes(header) == [("00020010", IssueCode.TRANSFER_SYNTAX)]


def test_wrong_meta_length():
    content = bytearray(e.dicom_file(PATIENT))
    content[140:144] = struct.pack("<I", 7)
    assert read(bytes(content)).status is HeaderStatus.OK


# The end


def test_every_truncation_keeps_what_was_read():
    content = e.dicom_file(
        PATIENT, e.open_sequence(0x00400275, e.open_item(IN_ITEM)), e.explicit(0x00400280, "ST", b"ok")
    )
    whole = read(content)
    assert whole.status is HeaderStatus.OK
    boundaries = 0
    for end in range(132, len(content)):
        header = read(content[:end])
        if header.status is HeaderStatus.OK:
            boundaries += 1
        else:
            assert header.status is HeaderStatus.TRUNCATED
            assert "Doe" not in (header.error or "")
        for tag in list(header.dataset)[:-1]:
            assert header.dataset[tag] == whole.dataset[tag]
    # A cut between two elements of the data set cannot be told from a file that ends there.
    assert boundaries == len(whole.dataset) - 1


def test_truncated_in_a_sequence():
    content = e.dicom_file(e.sequence(0x00400275, e.item(IN_ITEM + IN_ITEM[:9])))[:-1]
    header = read(content)
    assert header.status is HeaderStatus.TRUNCATED
    assert value(header, "00400275") == [{"00080100": {"vr": "SH", "Value": ["CODE"]}}]


def test_truncated_behind_what_is_inlined():
    items = [e.open_item(IN_ITEM) for _ in range(100)]
    content = e.dicom_file(e.open_sequence(0x00400275, *items))
    for end in (len(content) - 4, len(content) - 8, len(content) - 100):
        header = read(content[:end], sequence_bytes=100)
        assert header.status is HeaderStatus.TRUNCATED
        assert len(value(header, "00400275")) == 4


def test_truncated_image_between_elements():
    content = (PYDICOM_FILES / "CT_small.dcm").read_bytes()
    position = content.index(e.tag_bytes(0x00280010) + b"US")
    header = read(content[:position])
    assert header.status is HeaderStatus.ISSUES
    assert codes(header) == [("7FE00010", IssueCode.NO_PIXEL_DATA)]


def test_pixel_data_cut():
    header = read((PYDICOM_FILES / "CT_small.dcm").read_bytes()[:-2000])
    assert header.status is HeaderStatus.ISSUES
    assert codes(header) == [("7FE00010", IssueCode.PIXEL_DATA_CUT)]
    assert header.pixel is not None


FRAGMENTS = e.item() + e.item(bytes(500)) + e.item(bytes(300))
ENCAPSULATED = PATIENT + e.explicit(0x7FE00010, "OB", FRAGMENTS + e.SEQUENCE_END, length=e.UNDEFINED)


@pytest.mark.parametrize("missing", [9, 100, 308 + 8 + 1])
def test_encapsulated_pixel_data_cut(missing):
    content = e.dicom_file(ENCAPSULATED, syntax="1.2.840.10008.1.2.4.50")
    assert read(content).status is HeaderStatus.OK
    header = read(content[:-missing])
    assert header.status is HeaderStatus.ISSUES
    assert codes(header) == [("7FE00010", IssueCode.PIXEL_DATA_CUT)]
    assert value(header, "00100010") == [{"Alphabetic": "Doe^Jane"}]


@pytest.mark.parametrize("missing", [1, 8])
def test_pixel_data_without_its_delimiter(missing):
    header = read(e.dicom_file(ENCAPSULATED, syntax="1.2.840.10008.1.2.4.50")[:-missing])
    assert header.status is HeaderStatus.ISSUES
    assert codes(header) == [("7FE00010", IssueCode.MISSING_DELIMITER)]


def test_deflated_pixel_data_cut():
    compressor = zlib.compressobj(wbits=-15)
    pixels = e.explicit(0x7FE00010, "OW", bytes(range(256)) * 1000)
    content = e.meta(e.DEFLATED) + compressor.compress(e.HEAD + PATIENT + pixels) + compressor.flush()
    assert read(content).status is HeaderStatus.OK
    header = read(content[:-20])
    assert header.status is HeaderStatus.ISSUES
    assert codes(header) == [("7FE00010", IssueCode.PIXEL_DATA_CUT)]


def test_damaged_gzip():
    content = e.dicom_file(PATIENT, e.explicit(0x0040A160, "UT", bytes(range(32, 127)) * 50))
    packed = gzip.compress(content)
    assert header_json(read(packed)) == header_json(read(content))
    cut = read(packed[:-40])
    assert cut.status is HeaderStatus.TRUNCATED
    assert cut.error == "the gzip file is damaged or ends too early"
    assert value(cut, "00100010") == [{"Alphabetic": "Doe^Jane"}]
    wrong = read(packed[:-8] + bytes(8))
    assert wrong.status is HeaderStatus.TRUNCATED
    assert header_json(wrong) == header_json(read(content))


def test_zeros_at_the_end():
    header = read(e.dicom_file(PATIENT) + bytes(1000))
    assert header.status is HeaderStatus.OK


def test_trailing_padding():
    header = read(e.dicom_file(PATIENT, e.explicit(0xFFFCFFFC, "OB", bytes(100))))
    assert header.status is HeaderStatus.OK
    assert "FFFCFFFC" not in header.dataset


def test_damaged_deflate():
    compressor = zlib.compressobj(wbits=-15)
    deflated = compressor.compress(e.HEAD + PATIENT + e.explicit(0x0040A160, "UT", bytes(range(32, 127)) * 50))
    deflated += compressor.flush()
    content = e.meta(e.DEFLATED) + deflated
    assert read(content).status is HeaderStatus.OK
    assert read(content[:-40]).status is HeaderStatus.TRUNCATED
    broken = bytearray(content)
    broken[-30:] = b"\xff" * 30
    header = read(bytes(broken))
    assert header.status is HeaderStatus.TRUNCATED
    assert header.error == "the deflated data set is damaged or ends too early"


def test_not_deflated_as_stated():
    header = read(e.dicom_file(PATIENT, syntax=e.DEFLATED))
    assert value(header, "00100010") == [{"Alphabetic": "Doe^Jane"}]
    assert codes(header) == [("00020010", IssueCode.TRANSFER_SYNTAX)]


# Values


@pytest.mark.parametrize(
    ("tag", "vr", "raw", "code", "kept"),
    [
        (0x00080020, "DA", b"20241301", IssueCode.BAD_DATE, ["20241301"]),
        (0x00080020, "DA", b"20240101-20240131", IssueCode.BAD_DATE, ["20240101-20240131"]),
        (0x00080030, "TM", b"256000", IssueCode.BAD_TIME, ["256000"]),
        (0x0008002A, "DT", b"2024023101", IssueCode.BAD_DATETIME, ["2024023101"]),
        (0x00101010, "AS", b"45 Y", IssueCode.BAD_AGE, ["45 Y"]),
        (0x00180050, "DS", b"1,5 ", IssueCode.BAD_NUMBER, ["1,5"]),
        (0x00180050, "DS", b"NaN ", IssueCode.BAD_NUMBER, ["NaN"]),
        (0x00200013, "IS", b"1.0 ", IssueCode.BAD_NUMBER, ["1.0"]),
        (0x00200013, "IS", b"2147483648", IssueCode.BAD_NUMBER, ["2147483648"]),
        (0x00200013, "IS", b"9" * 5000, IssueCode.BAD_NUMBER, None),
        (0x0020000D, "UI", b"1.02.3", IssueCode.BAD_UID, ["1.02.3"]),
        (0x00080008, "CS", b"ORIGINAL\\primary ", IssueCode.BAD_CODE, ["ORIGINAL", "primary"]),
        (0x00100020, "LO", b"a\x01b ", IssueCode.BAD_CHARACTER, ["a\x01b"]),
        (
            0x00100010,
            "PN",
            b"a=b=c=d ",
            IssueCode.BAD_NAME,
            [{"Alphabetic": "a", "Ideographic": "b", "Phonetic": "c=d"}],
        ),
        (0x00100010, "PN", b"a^b^c^d^e^f ", IssueCode.BAD_NAME, [{"Alphabetic": "a^b^c^d^e^f"}]),
        (0x00080050, "SH", b"12345678901234567 ", IssueCode.TOO_LONG, ["12345678901234567"]),
        (0x00180050, "DS", b"1.23456789012345678", IssueCode.TOO_LONG, ["1.23456789012345678"]),
        (0x00080120, "UR", b"a b ", IssueCode.BAD_URI, ["a b"]),
        (0x00080054, "AE", b"\xe9AE ", IssueCode.BAD_CHARACTER, ["\xe9AE"]),
    ],
)
def test_bad_text(tag, vr, raw, code, kept):
    padded = raw + b" " * (len(raw) % 2)
    header = read(e.dicom_file(e.explicit(tag, vr, padded)), number_bytes=4096)
    element = header.dataset[f"{tag:08X}"]
    if kept is None:
        assert "BulkData" in element
        return
    assert header.status is HeaderStatus.ISSUES
    assert code in [issue.code for issue in header.issues]
    assert {issue.path for issue in header.issues} == {f"{tag:08X}"}
    assert element == {"vr": vr, "Value": kept}


@pytest.mark.parametrize(
    ("vr", "raw"),
    [("US", b"\1\2\3"), ("FD", b"123456"), ("AT", b"123456"), ("UL", b"12"), ("OW", b"123"), ("OD", b"1234")],
)
def test_bad_length(vr, raw):
    header = read(e.dicom_file(e.explicit(0x00189999, vr, raw)))
    assert IssueCode.BAD_LENGTH in [issue.code for issue in header.issues]
    assert set(header.dataset["00189999"]) == {"vr", "InlineBinary"}


def test_odd_length():
    header = read(e.dicom_file(e.explicit(0x00100020, "LO", b"ID1")))
    assert codes(header) == [("00100020", IssueCode.ODD_LENGTH)]
    assert value(header, "00100020") == ["ID1"]


def test_undeclared_text():
    header = read(e.dicom_file(e.explicit(0x00100010, "PN", "M\xfcller".encode("latin-1"))))
    assert codes(header) == [("00100010", IssueCode.UNDECLARED_TEXT)]
    assert value(header, "00100010") == [{"Alphabetic": "M\xfcller"}]


def test_undecodable_text():
    charset = e.explicit(0x00080005, "CS", b"ISO_IR 192")
    header = read(e.dicom_file(e.explicit(0x00100010, "PN", b"M\xfcller"), head=charset + e.HEAD))
    assert codes(header) == [("00100010", IssueCode.UNDECODABLE_TEXT)]
    assert value(header, "00100010") == [{"Alphabetic": "M\xfcller"}]


def test_unknown_charset():
    charset = e.explicit(0x00080005, "CS", b"KLINGON ")
    header = read(e.dicom_file(PATIENT, head=charset + e.HEAD))
    assert codes(header) == [("00080005", IssueCode.BAD_CHARSET)]
    assert value(header, "00080005") == ["KLINGON"]


def test_raw_of_an_issue_is_printable_and_capped():
    header = read(e.dicom_file(e.explicit(0x00100020, "LO", b"\x01\xff" + b"x" * 200)))
    (issue,) = header.issues
    assert issue.raw.isascii()
    assert issue.raw.startswith("\\x01\\xff")
    assert len(issue.raw) < 100


# Structure


def test_unknown_vr():
    content = e.dicom_file(
        e.tag_bytes(0x00100020) + b"ZZ\0\0" + struct.pack("<I", 4) + b"ID-1", e.explicit(0x00400280, "ST", b"ok")
    )
    header = read(content)
    assert codes(header) == [("00100020", IssueCode.UNKNOWN_VR)]
    assert header.dataset["00100020"] == {"vr": "UN", "InlineBinary": "SUQtMQ=="}
    assert value(header, "00400280") == ["ok"]


def test_unknown_vr_with_a_short_length():
    # VRs to come have a length of 32 bits: this is a damaged one.
    header = read(e.dicom_file(e.tag_bytes(0x00100020) + b"ZZ\4\0ID-1", e.explicit(0x00400280, "ST", b"ok")))
    assert codes(header) == [("00100020", IssueCode.UNKNOWN_VR)]
    assert header.dataset["00100020"] == {"vr": "LO", "Value": ["ID-1"]}
    assert value(header, "00400280") == ["ok"]


def test_implicit_element_in_explicit():
    header = read(e.dicom_file(e.implicit(0x00100020, b"ID-1"), e.explicit(0x00400280, "ST", b"ok")))
    assert codes(header) == [("00100020", IssueCode.MISSING_VR)]
    assert value(header, "00100020") == ["ID-1"]
    assert value(header, "00400280") == ["ok"]


def test_value_longer_than_its_item():
    long_value = e.explicit(0x00080104, "LO", b"MEANING ", length=400)
    header = read(
        e.dicom_file(e.sequence(0x00400275, e.item(IN_ITEM + long_value)), e.explicit(0x00400280, "ST", b"ok"))
    )
    assert codes(header) == [("00400275[0].00080104", IssueCode.LENGTH_BEYOND_ITEM)]
    assert value(header, "00400275")[0]["00080104"]["Value"] == ["MEANING"]
    assert value(header, "00400280") == ["ok"]


def test_item_longer_than_its_sequence():
    items = e.item(IN_ITEM, length=len(IN_ITEM) + 50)
    header = read(e.dicom_file(e.sequence(0x00400275, items), e.explicit(0x00400280, "ST", b"ok")))
    assert codes(header) == [("00400275[0].", IssueCode.LENGTH_BEYOND_ITEM)]
    assert value(header, "00400275")[0]["00080100"]["Value"] == ["CODE"]
    assert value(header, "00400280") == ["ok"]


def test_open_sequence_without_its_end():
    inner = e.explicit(0x00400008, "SQ", e.open_item(IN_ITEM), length=e.UNDEFINED)
    header = read(e.dicom_file(e.sequence(0x00400275, e.item(inner)), e.explicit(0x00400280, "ST", b"ok")))
    assert codes(header) == [("00400275[0].00400008", IssueCode.LENGTH_BEYOND_ITEM)]
    assert value(header, "00400280") == ["ok"]


def test_item_without_its_delimiter():
    items = e.item(IN_ITEM, length=e.UNDEFINED)
    header = read(e.dicom_file(e.open_sequence(0x00400275, items), e.explicit(0x00400280, "ST", b"ok")))
    assert codes(header) == [("00400275[0].FFFEE0DD", IssueCode.STRAY_DELIMITER)]
    assert value(header, "00400275")[0]["00080100"]["Value"] == ["CODE"]
    assert value(header, "00400280") == ["ok"]


def test_stray_delimiter():
    header = read(e.dicom_file(PATIENT_ID, e.ITEM_END, e.explicit(0x00400280, "ST", b"ok")))
    assert codes(header) == [("FFFEE00D", IssueCode.STRAY_DELIMITER)]
    assert value(header, "00400280") == ["ok"]


def test_stray_bytes_behind_the_items():
    header = read(e.dicom_file(e.sequence(0x00400275, e.item(IN_ITEM), b"xyz!"), e.explicit(0x00400280, "ST", b"ok")))
    assert codes(header) == [("00400275[1].", IssueCode.STRAY_BYTES)]
    assert len(value(header, "00400275")) == 1
    assert value(header, "00400280") == ["ok"]


def test_stray_bytes_in_an_item():
    header = read(e.dicom_file(e.sequence(0x00400275, e.item(IN_ITEM + b"xyz!")), e.explicit(0x00400280, "ST", b"ok")))
    assert codes(header) == [("00400275[0].", IssueCode.STRAY_BYTES)]
    assert value(header, "00400280") == ["ok"]


def test_zeros_at_the_end_of_an_item():
    header = read(
        e.dicom_file(e.sequence(0x00400275, e.item(IN_ITEM + bytes(20))), e.explicit(0x00400280, "ST", b"ok"))
    )
    assert header.status is HeaderStatus.OK
    assert value(header, "00400275")[0]["00080100"]["Value"] == ["CODE"]
    assert value(header, "00400280") == ["ok"]


def test_item_delimiter_behind_an_item_of_stated_length():
    items = [e.item(IN_ITEM) + e.ITEM_END, e.item(IN_ITEM)]
    header = read(e.dicom_file(e.open_sequence(0x00400275, *items), e.explicit(0x00400280, "ST", b"ok")))
    assert codes(header) == [("00400275[1].FFFEE00D", IssueCode.STRAY_DELIMITER)]
    assert len(value(header, "00400275")) == 2
    assert value(header, "00400280") == ["ok"]


def test_stray_bytes_in_a_sequence():
    header = read(e.dicom_file(e.sequence(0x00400275, b"no item here"), e.explicit(0x00400280, "ST", b"ok")))
    assert codes(header) == [("00400275[0].", IssueCode.STRAY_BYTES)]
    assert header.dataset["00400275"] == {"vr": "SQ"}
    assert value(header, "00400280") == ["ok"]


def test_tags_out_of_order():
    header = read(e.dicom_file(e.explicit(0x00400280, "ST", b"ok"), PATIENT_ID))
    assert codes(header) == [("00100020", IssueCode.TAG_ORDER)]
    assert list(header.dataset) == ["00080016", "00080018", "00100020", "00400280"]


def test_charset_as_long_as_a_book():
    charset = e.implicit(0x00080005, b"A" * 100_000)
    header = read(e.dicom_file(syntax=e.IMPLICIT, head=charset + e.implicit(0x00080060, b"SR")))
    assert "BulkData" in header.dataset["00080005"]
    assert value(header, "00080060") == ["SR"]


def test_tag_twice():
    header = read(e.dicom_file(PATIENT_ID, e.explicit(0x00100020, "LO", b"ID-2")))
    assert [(issue.code, issue.raw) for issue in header.issues] == [(IssueCode.DUPLICATE_TAG, "ID-2")]
    assert value(header, "00100020") == ["ID-1"]


def test_structure_lost():
    header = read(e.dicom_file(PATIENT, b"\x10\0\x20\0\1\2\3\4 what follows is no element"))
    assert header.status is HeaderStatus.ERROR
    assert header.error == f"there is no element at byte {len(e.dicom_file(PATIENT))}"
    assert value(header, "00100010") == [{"Alphabetic": "Doe^Jane"}]


def test_structure_lost_in_an_item():
    noise = b"\x10\0\x20\0\1\2\3\4 what follows is no element"
    inner = e.sequence(0x00400008, e.item(IN_ITEM + noise), e.item(IN_ITEM))
    header = read(e.dicom_file(e.sequence(0x00400275, e.item(inner)), e.explicit(0x00400280, "ST", b"ok")))
    assert header.status is HeaderStatus.ISSUES
    assert codes(header) == [("00400275[0].00400008[0].", IssueCode.STRUCTURE)]
    kept = {"00080100": {"vr": "SH", "Value": ["CODE"]}}
    assert value(header, "00400275") == [{"00400008": {"vr": "SQ", "Value": [kept, kept]}}]
    assert value(header, "00400280") == ["ok"]


def test_zeros_at_the_end_of_a_delimited_item():
    padded = e.open_item(IN_ITEM + bytes(8))
    header = read(e.dicom_file(e.open_sequence(0x00400275, padded), e.explicit(0x00400280, "ST", b"ok")))
    assert (header.status, header.reader) == (HeaderStatus.ISSUES, "walker")
    assert codes(header) == [("00400275[0].", IssueCode.SKIPPED_BYTES)]
    assert value(header, "00400275") == [{"00080100": {"vr": "SH", "Value": ["CODE"]}}]
    assert value(header, "00400280") == ["ok"]


def test_fault_of_the_walker(monkeypatch):
    def fail(*_):
        raise RuntimeError("Doe^Jane")

    content = e.dicom_file(PATIENT, e.explicit(0x00400280, "ST", b"ok"))
    monkeypatch.setattr("dicom_assets.dicom.header.value_reader.ValueReader.decode", fail)
    header = read(content)
    assert (header.status, header.reader) == (HeaderStatus.ISSUES, "pydicom")
    assert value(header, "00100010") == [{"Alphabetic": "Doe^Jane"}]
    monkeypatch.setattr("dicom_assets.dicom.header.read.read_by_pydicom", lambda *_: None)
    assert (read(content).status, read(content).error) == (HeaderStatus.ERROR, "reading failed with RuntimeError")


@pytest.mark.parametrize("vr", ["US", "PN", "SQ", "OB", "DS"])
def test_uids_that_are_none(vr):
    raw = e.item() if vr == "SQ" else b"12"
    content = bytes(128) + b"DICM" + e.explicit(0x00020010, vr, raw) + e.explicit(0x00080016, vr, raw) + PATIENT
    header = read(content)
    assert header.status is HeaderStatus.ISSUES
    assert value(header, "00100010") == [{"Alphabetic": "Doe^Jane"}]


def test_image_without_pixel_data():
    header = read(e.dicom_file(PATIENT, sop_class=e.CT_IMAGE, head=e.explicit(0x00080016, "UI", e.uid(e.CT_IMAGE))))
    assert header.status is HeaderStatus.ISSUES
    assert codes(header) == [("7FE00010", IssueCode.NO_PIXEL_DATA)]


def test_dicomdir():
    header = read((PYDICOM_FILES / "dicomdirtests" / "DICOMDIR").read_bytes())
    assert header.status is HeaderStatus.DICOMDIR
    assert len(value(header, "00041220")) > 10


# Hostile files


def test_nesting_too_deep():
    content = b""
    for _ in range(70):
        content = e.sequence(0x00400275, e.item(content))
    header = read(e.dicom_file(PATIENT, content))
    assert header.status is HeaderStatus.UNSUPPORTED
    assert header.error == "sequences nested deeper than 64"
    assert value(header, "00100010") == [{"Alphabetic": "Doe^Jane"}]


def test_too_many_elements():
    many = b"".join(e.explicit(0x00091000 + number, "LO", b"x ") for number in range(300))
    header = read(e.dicom_file(PATIENT, many), max_elements=100, head_bytes=1024)
    assert header.status is HeaderStatus.UNSUPPORTED
    assert header.error == "more than 100 elements"


@pytest.mark.parametrize(
    "many",
    [
        e.ITEM_END * 300,
        e.SEQUENCE_END * 300,
        e.open_sequence(0x00400275, *[e.ITEM_END] * 300),
        e.explicit(0x00400000, "UL", b"1234") * 300,
        PATIENT_ID * 300,
        e.explicit(0xFFFCFFFC, "OB", b"") * 300,
    ],
)
def test_too_many_of_what_is_not_kept(many):
    header = read(e.dicom_file(many), max_elements=100)
    assert header.status is HeaderStatus.UNSUPPORTED
    assert header.error == "more than 100 elements"


def test_too_many_empty_items():
    items = e.item() * 300
    header = read(e.dicom_file(e.sequence(0x00400275, items)), max_elements=100)
    assert header.status is HeaderStatus.UNSUPPORTED
    assert len(value(header, "00400275")) == 101


def test_too_many_issues():
    many = b"".join(e.explicit(0x00091000 + number, "DS", b"x ") for number in range(300))
    header = read(e.dicom_file(many))
    assert len(header.issues) == 200
    assert header.issues[-1].code == IssueCode.MORE_ISSUES


def test_deflate_bomb():
    compressor = zlib.compressobj(wbits=-15)
    deflated = compressor.compress(e.HEAD + e.explicit(0x00091010, "OB", b"", length=0xFFFFFFF0))
    zeros = bytes(1 << 20)
    deflated += b"".join(compressor.compress(zeros) for _ in range(64)) + compressor.flush()
    header = read(e.meta(e.DEFLATED) + deflated, max_read_bytes=16 << 20)
    assert header.status is HeaderStatus.UNSUPPORTED
    assert "bytes" in header.error


def test_errors_carry_no_values():
    content = bytearray(e.dicom_file(PATIENT, e.open_sequence(0x00400275, e.open_item(PATIENT)), PATIENT_ID))
    for position in range(len(content)):
        for byte in (0, 0x7F, 0xFF):
            mutated = bytes(content[:position]) + bytes([byte]) + bytes(content[position + 1 :])
            header = read(mutated)
            assert "Doe" not in (header.error or "")
            assert "ID-1" not in (header.error or "")


def test_pydicom_reads_the_made_files():
    """The byte strings of these tests are DICOM where they mean to be."""
    from io import BytesIO

    dataset = pydicom.dcmread(BytesIO(e.dicom_file(PATIENT, e.open_sequence(0x00400275, e.open_item(IN_ITEM)))))
    assert dataset.PatientName == "Doe^Jane"
    assert dataset[0x00400275].value[0].CodeValue == "CODE"
