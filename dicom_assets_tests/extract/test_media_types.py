"""What a file is, told from its first bytes."""

import bz2
import gzip
import lzma

import pytest

from dicom_assets.extract.media_type import media_type

NIFTI = (348).to_bytes(4, "little") + bytes(340) + b"n+1\0" + bytes(100)
NIFTI_BIG = (348).to_bytes(4, "big") + bytes(340) + b"ni1\0" + bytes(100)
NIFTI_2 = (540).to_bytes(4, "little") + b"n+2\0\r\n\x1a\n" + bytes(600)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"II*\0" + bytes(60), "image/tiff"),
        (b"MM\0*" + bytes(60), "image/tiff"),
        (b"II+\0\x08\0\0\0" + bytes(60), "image/tiff"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(60), "image/jpeg"),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0" + bytes(60), "image/bmp"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(60), "image/jp2"),
        (b"\xff\x4f\xff\x51" + bytes(60), "image/j2c"),
        (b"%PDF-1.7\n", "application/pdf"),
        (NIFTI, "application/x-nifti"),
        (NIFTI_BIG, "application/x-nifti"),
        (NIFTI_2, "application/x-nifti"),
        (b"NRRD0004\n# comment\n", "application/x-nrrd"),
        (b"\0\0\0\x18ftypisom" + bytes(50), "video/mp4"),
        (b"PK\x03\x04" + bytes(40), "application/zip"),
        (gzip.compress(b"hello", mtime=0), "application/gzip"),
        (bz2.compress(b"hello"), "application/x-bzip2"),
        (lzma.compress(b"hello"), "application/x-xz"),
        (b"\x28\xb5\x2f\xfd" + bytes(40), "application/zstd"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "application/x-hdf5"),
        (b'<?xml version="1.0"?><a/>', "application/xml"),
        (b"\xef\xbb\xbf  <study id='1'>\n</study>\n", "application/xml"),
        (b"<!DOCTYPE html><html>", "text/html"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">', "image/svg+xml"),
        (b'{"00100010": {}}', "application/json"),
        (b"\n[1, 2, 3]\n", "application/json"),
        (b"[1] a footnote", "text/plain"),
        (b"[section]\nkey = value\n", "text/plain"),
        (b"BM is how this text begins", "text/plain"),
        (b"a,b\n1,2\n", "text/plain"),
        ("Größe\n".encode(), "text/plain"),
        (bytes(500), "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_what_a_file_is_shows_in_its_first_bytes(content, expected):
    assert media_type(content) == expected
