"""What pydicom makes of a file is what the walker makes of it, value by value."""

import gzip
import struct

import pytest

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.limits import DEFAULT_LIMITS
from dicom_assets.dicom.header.pydicom_fallback import MOST_BYTES, read_by_pydicom
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.support.corpus import PYDICOM_FILES, pydicom_files
from dicom_assets_tests.support.dicom import encoding as e


def both(content):
    source = BytesSource(content)
    return read_header(source), read_by_pydicom(source, DEFAULT_LIMITS)


UNKNOWN_TAGS = {
    *("17106", "17136", "17166", "17196", "UN_sequence.dcm", "meta_missing_tsyntax.dcm", "nested_priv_SQ.dcm"),
    "waveform_ecg.dcm",
}
"""Files with tags that no dictionary knows, or private elements without a creator."""


@pytest.mark.parametrize("path", pydicom_files(), ids=lambda path: path.name)
def test_real_files(path):
    content = path.read_bytes()
    if path.suffix == ".gz":
        # The fallback is given what is in it.
        content = gzip.decompress(content)
    ours, theirs = both(content)
    if ours.status not in {HeaderStatus.OK, HeaderStatus.ISSUES} or len(content) > MOST_BYTES:
        pytest.skip("no complete header, or more of it than pydicom gets to see")
    if ours.transfer_syntax == e.DEFLATED or path.name in UNKNOWN_TAGS:
        assert theirs is None
        return
    for tag, element in theirs.dataset.items():
        if path.name != "examples_overlay.dcm" or tag != "00880200":
            # There pydicom has no position for the pixels of the icon, so that they are inlined.
            assert element == ours.dataset[tag]
    assert len(theirs.dataset) == len(ours.dataset)
    assert theirs.file_meta == ours.file_meta
    assert (theirs.reader, theirs.status) == ("pydicom", HeaderStatus.ISSUES)
    assert theirs.issues[0].code == IssueCode.STRUCTURE
    assert theirs.pixel == ours.pixel
    assert theirs.little_endian == ours.little_endian
    # Where VRs are missing although they are due, pydicom notices at each element anew.
    assert theirs.implicit_vr == ours.implicit_vr or path.name == "SC_rgb_jpeg.dcm"


def test_bad_values_are_issues_too():
    content = e.dicom_file(
        e.explicit(0x00080005, "CS", b"ISO_IR 144"),
        e.sequence(0x00400275, e.item(e.explicit(0x00180050, "DS", b"1,5 "))),
        e.explicit(0x00400280, "ST", b"\xe9 "),
        e.sequence(0x00400555),
        head=b"",
    )
    ours, theirs = both(content)
    assert [(issue.path, issue.code) for issue in theirs.issues[1:]] == [("00400275[0].00180050", IssueCode.BAD_NUMBER)]
    assert theirs.dataset == ours.dataset
    assert theirs.first("00400280") == "щ"


def test_long_values_are_bulk_too():
    ours, theirs = both(e.dicom_file(e.explicit(0x00282000, "OB", bytes(5000))))
    assert "BulkData" in theirs.dataset["00282000"]
    assert theirs.dataset == ours.dataset


def test_noise_is_refused():
    noise = b"".join(e.implicit(tag, b"noise!") for tag in (0x4D4C0F1E, 0x52331234))
    assert read_by_pydicom(BytesSource(noise), DEFAULT_LIMITS) is None


def test_truncated_value_is_left_out():
    content = e.dicom_file(e.explicit(0x00400280, "ST", b"abc", length=8))
    header = read_by_pydicom(BytesSource(content), DEFAULT_LIMITS)
    assert (header.status, header.error) == (HeaderStatus.TRUNCATED, "the file ends inside element 00400280")
    assert list(header.dataset) == ["00080016", "00080018"]


def test_long_encapsulated_pixel_data_is_no_hindrance():
    fragments = e.item() + e.item(bytes(2 * MOST_BYTES)) + e.SEQUENCE_END
    content = e.dicom_file(e.explicit(0x7FE00010, "OB", fragments, length=e.UNDEFINED))
    ours, theirs = both(content)
    assert theirs.pixel == ours.pixel
    assert theirs.dataset == ours.dataset


def test_what_pydicom_raises_stays_inside():
    assert read_by_pydicom(BytesSource(b""), DEFAULT_LIMITS) is None


def test_pydicom_is_silent(caplog, recwarn):
    content = e.dicom_file(e.explicit(0x00280010, "US", b"Doe"), e.explicit(0x00280011, "US", struct.pack("<H", 4)))
    read_by_pydicom(BytesSource(content), DEFAULT_LIMITS)
    read_by_pydicom(BytesSource((PYDICOM_FILES / "rtplan_truncated.dcm").read_bytes()), DEFAULT_LIMITS)
    assert not caplog.records
    assert not list(recwarn)
