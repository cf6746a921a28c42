"""DICOM files in gzip files are read like plain ones."""

import gzip
import tracemalloc
import zlib

import numpy as np
import pytest

from dicom_assets.dicom.header import header_json, read_header
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.dicom.thumbnail import render_thumbnail
from dicom_assets_tests.extract.test_cuts import extract
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.dicom import compressed as c
from dicom_assets_tests.support.dicom import encoding as e
from dicom_assets_tests.support.dicom.images import file_bytes, image

NAMES = [
    "CT_small.dcm",
    "JPEG2000.dcm",
    "MR_small_RLE.dcm",
    "image_dfl.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "rtplan.dcm",
    "test-SR.dcm",
    "MR_small_bigendian.dcm",
]


def same_rows(packed, plain):
    for table in ("dicom_headers", "thumbnails"):
        for column in packed[table].keys() - {"path", "fingerprint"}:
            assert packed[table][column] == plain[table][column], column


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("members", [1, 3])
def test_a_gzipped_file_has_the_rows_of_the_file_in_it(tmp_path, name, members):
    content = (PYDICOM_FILES / name).read_bytes()
    step = -(-len(content) // members)
    parts = [content[start : start + step] for start in range(0, len(content), step)]
    (tmp_path / "plain.dcm").write_bytes(content)
    (tmp_path / "packed.dcm.gz").write_bytes(b"".join(map(gzip.compress, parts)))
    plain, packed = extract(tmp_path, "plain.dcm"), extract(tmp_path, "packed.dcm.gz")
    same_rows(packed, plain)
    assert packed["file_metadata"]["media_type"] == "application/dicom+gzip"
    assert packed["file_metadata"]["is_dicom"] is True
    assert plain["file_metadata"]["media_type"] == "application/dicom"


@pytest.mark.parametrize("syntax", [c.EXPLICIT, c.JPEG_BASELINE, c.RLE, c.DEFLATED])
def test_a_large_gzipped_file_has_them_too(tmp_path, syntax):
    content = c.compressed_file(syntax, 3, (400, 300))
    (tmp_path / "plain.dcm").write_bytes(content)
    (tmp_path / "packed.dcm.gz").write_bytes(gzip.compress(content))
    same_rows(extract(tmp_path, "packed.dcm.gz"), extract(tmp_path, "plain.dcm"))


def test_what_else_is_in_a_gzip_file_is_not_dicom(tmp_path):
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(bytes(100_000)))
    rows = extract(tmp_path, "x.nii.gz")
    assert rows["file_metadata"]["media_type"] == "application/gzip"
    assert rows["file_metadata"]["is_dicom"] is False
    assert rows["dicom_headers"]["status"] == "not_dicom"
    assert rows["dicom_headers"]["error"] is None


def test_a_damaged_gzip_file_is_a_row_with_a_reason(tmp_path):
    content = c.compressed_file(c.EXPLICIT, 1, (400, 300))
    packed = gzip.compress(content)
    (tmp_path / "noise.gz").write_bytes(packed[:10] + b"\xff" * 500)
    noise = extract(tmp_path, "noise.gz")["dicom_headers"]
    assert (noise["status"], noise["error"]) == ("not_dicom", "the gzip file is damaged or ends too early")
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 2])
    cut = extract(tmp_path, "cut.gz")
    assert cut["dicom_headers"]["PatientID"] == "ID-1"
    assert cut["dicom_headers"]["status"] == "issues"
    assert {issue["code"] for issue in cut["dicom_headers"]["issues"]} == {"bad_gzip", "pixel_data_cut"}
    assert cut["thumbnails"]["status"] == "partial"
    assert {row["fingerprint"] for row in cut.values()} == {"f1"}
    report = e.dicom_file(*[e.explicit(0x00091000 + n, "LO", b"%08d" % (n * 7919)) for n in range(3000)])
    (tmp_path / "report.gz").write_bytes(gzip.compress(report)[:-9000])
    header = extract(tmp_path, "report.gz")["dicom_headers"]
    assert (header["status"], header["error"]) == ("truncated", "the gzip file is damaged or ends too early")
    assert header["header"] is not None


def test_a_wrong_checksum_costs_an_issue_and_nothing_else():
    packed = bytearray(gzip.compress((PYDICOM_FILES / "CT_small.dcm").read_bytes()))
    packed[-7] ^= 1
    header = read_header(BytesSource(bytes(packed)))
    plain = read_header(BytesSource((PYDICOM_FILES / "CT_small.dcm").read_bytes()))
    assert header_json(header) == header_json(plain)
    assert [issue.code for issue in header.issues][-1] == "bad_gzip"
    assert render_thumbnail(header).data == render_thumbnail(plain).data


def test_a_gzip_bomb_is_bounded_in_time_and_memory():
    compressor = zlib.compressobj(wbits=31)
    dataset = image(np.zeros((8, 8), np.uint8), PatientID="ID-1")
    dataset.PixelData = b""
    front = file_bytes(dataset)[:-12] + e.explicit(0x7FE00010, "OW", b"", length=0xFFFFFFF0)
    packed = compressor.compress(front)
    packed += b"".join(compressor.compress(bytes(1 << 20)) for _ in range(96)) + compressor.flush()
    tracemalloc.start()
    header = read_header(BytesSource(packed), HeaderLimits(max_read_bytes=32 << 20))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert header.status is HeaderStatus.UNSUPPORTED
    assert "limit" in header.error
    assert header.first("00100020") == "ID-1"
    assert peak < 4 << 20
