"""Files that end too early, through the real extraction: the header survives, and nothing is left to do."""

import random

import numpy as np
import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.source import BytesSource
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.extract.rows import Wanted, extract_rows
from dicom_assets.extract.source_file import HEAD_BYTES, FileKey
from dicom_assets_tests.support.dicom.images import encapsulated, file_bytes, image

NAMES = frozenset(table.name for table in DEFAULT_MODEL.extracted)
EXTRACTORS = DEFAULT_EXTRACTORS


def extract(root, name):
    key = FileKey("p", str(root / name), name, "f1")
    return extract_rows(LocalArchive(str(root), 0), EXTRACTORS, Wanted(key, NAMES))


@pytest.fixture(scope="module")
def many_frames():
    """An image of 200 frames without an offset table, of 300 kB."""
    rng = random.Random(4)
    frames = [b"\xff\xd8\xff" + rng.randbytes(1497) for _ in range(200)]
    dataset = image(np.zeros((200, 8, 8), np.uint8), NumberOfFrames=200, PatientID="ID-1")
    return file_bytes(encapsulated(dataset, frames, "1.2.840.10008.1.2.4.50", table=False))


@pytest.mark.parametrize("end", [HEAD_BYTES - 4, HEAD_BYTES, HEAD_BYTES + 1, 100_000, 100_006, 200_001, 299_990])
def test_an_image_cut_behind_its_head_is_no_fault_of_the_storage(tmp_path, many_frames, end):
    (tmp_path / "x.dcm").write_bytes(many_frames[:end])
    rows = extract(tmp_path, "x.dcm")
    assert rows["dicom_headers"]["PatientID"] == "ID-1"
    assert rows["file_metadata"]["status"] == "ok"
    for row in rows.values():
        assert row["fingerprint"] == "f1", "so that a second run has nothing to do"
        assert "cannot be read" not in (row["error"] or "")


@pytest.mark.parametrize("length", [70_000, 0x7FFFFFFF, 0xFFFFFFF0])
def test_an_element_longer_than_the_file_is_no_fault_of_the_storage(tmp_path, length):
    dataset = image(np.zeros((300, 300), np.uint16), PatientID="ID-1")
    content = bytearray(file_bytes(dataset))
    pixel = read_header(BytesSource(bytes(content))).pixel
    content[pixel.offset - 4 : pixel.offset] = length.to_bytes(4, "little")
    (tmp_path / "x.dcm").write_bytes(content[: HEAD_BYTES + 3])
    rows = extract(tmp_path, "x.dcm")
    assert rows["dicom_headers"]["PatientID"] == "ID-1"
    assert {row["fingerprint"] for row in rows.values()} == {"f1"}
