"""From a file to its rows, whatever the file does."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.local import LocalArchive
from dicom_assets.dicom.source import StorageError
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.metadata import FILE_METADATA, MetadataExtractor
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.extract.rows import Wanted, extract_rows, to_batch
from dicom_assets.extract.source_file import FileKey, SourceFile
from dicom_assets.extract.thumbnails import THUMBNAILS, ThumbnailExtractor
from dicom_assets.isolation import IsolationError
from dicom_assets_tests.support.corpus import PYDICOM_FILES

NAMES = frozenset(table.name for table in DEFAULT_MODEL.extracted)
EXTRACTORS = DEFAULT_EXTRACTORS


def _extract(root: Path, name: str, extractors=EXTRACTORS, tables=NAMES):
    archive = LocalArchive(str(root), 1)
    return extract_rows(archive, extractors, Wanted(FileKey("p", str(root / name), f"p/{name}", "f1"), tables))


def test_an_image_gives_three_rows():
    rows = _extract(PYDICOM_FILES, "CT_small.dcm")
    assert {name: row["status"] for name, row in rows.items()} == {
        "file_metadata": "ok",
        "dicom_headers": rows["dicom_headers"]["status"],
        "thumbnails": "ok",
    }
    assert rows["dicom_headers"]["Modality"] == "CT"
    assert rows["dicom_headers"]["StudyDate"].isoformat() == "2004-01-19"
    assert rows["thumbnails"]["thumbnail"][:3] == b"\xff\xd8\xff"
    assert all(row["fingerprint"] == "f1" for row in rows.values())


def test_only_the_tables_that_lack_a_row_get_one():
    assert set(_extract(PYDICOM_FILES, "CT_small.dcm", tables=frozenset({"thumbnails"}))) == {"thumbnails"}


@pytest.mark.parametrize(
    ("content", "media_type", "header"),
    [
        (b"", "application/octet-stream", "empty"),
        (b"Just words.\n", "text/plain", "not_dicom"),
        (b"%PDF-1.7\n...", "application/pdf", "not_dicom"),
        (b"PK\x03\x04" + bytes(40), "application/zip", "not_dicom"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "image/png", "not_dicom"),
        (bytes(range(256)) * 4, "application/octet-stream", "not_dicom"),
    ],
)
def test_what_is_not_dicom_is_told_from_its_content(tmp_path, content, media_type, header):
    (tmp_path / "x.dcm").write_bytes(content)
    rows = _extract(tmp_path, "x.dcm")
    assert rows["file_metadata"]["media_type"] == media_type
    assert rows["file_metadata"]["is_dicom"] is False
    assert rows["dicom_headers"]["status"] == header
    assert rows["thumbnails"]["status"] == "not_dicom"


def test_a_file_that_is_gone_is_a_row_without_a_fingerprint(tmp_path):
    for row in _extract(tmp_path, "gone.dcm").values():
        assert row["status"] == "error"
        assert row["error"] == "cannot be read: No such file or directory"
        assert row["fingerprint"] is None, "so that it is tried again"


def test_no_file_of_an_archive_that_is_gone_is_a_row(tmp_path):
    with pytest.raises(ArchiveError):
        _extract(tmp_path / "unmounted", "gone.dcm")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_a_row(tmp_path):
    (tmp_path / "x.dcm").touch(mode=0)
    assert _extract(tmp_path, "x.dcm")["dicom_headers"]["error"] == "cannot be read: Permission denied"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("replace", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(path)])
def test_what_is_no_file_any_more_is_a_row_at_once(tmp_path, replace, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("a second attempt mends nothing"))
    replace(tmp_path / "replaced")
    rows = _extract(tmp_path, "replaced")
    (error,) = {row["error"] for row in rows.values()}
    assert error in ("cannot be read: not a regular file", "cannot be read: Too many levels of symbolic links")
    assert {row["fingerprint"] for row in rows.values()} == {None}


@dataclass(frozen=True)
class Failing(Extractor):
    """An extractor that meets something its author did not think of."""

    error: Exception
    table: ExtractedTable = FILE_METADATA
    version: str = "failing-1"
    limits: None = None

    def extract(self, file: SourceFile) -> dict[str, Any]:
        raise self.error

    def unread(self, file: SourceFile) -> dict[str, Any]:
        return {"file_name": "known"}


def test_an_unforeseen_error_costs_one_row_and_tells_nothing_of_the_patient():
    rows = _extract(PYDICOM_FILES, "CT_small.dcm", (Failing(ValueError("bad value: Doe^Jane")), *EXTRACTORS[1:]))
    broken = rows["file_metadata"]
    assert broken["status"] == "error"
    assert broken["error"].startswith("ValueError at test_rows.py:")
    assert "Doe" not in broken["error"]
    assert broken["file_name"] == "known"
    assert rows["thumbnails"]["status"] == "ok"


def test_a_file_on_a_bad_sector_costs_its_rows(tmp_path):
    (tmp_path / "x.dcm").write_bytes(b"x")
    (row,) = _extract(tmp_path, "x.dcm", (Failing(StorageError(5, "Input/output error")),)).values()
    assert row["error"] == "cannot be read: Input/output error"
    assert row["fingerprint"] is None


@pytest.mark.parametrize(
    "error", [OSError(22, "Invalid argument"), OSError("image file is truncated"), OverflowError("too large")]
)
def test_arithmetic_and_codecs_are_no_storage(tmp_path, error):
    (tmp_path / "x.dcm").write_bytes(b"x")
    (row,) = _extract(tmp_path, "x.dcm", (Failing(error),)).values()
    assert row["status"] == "error"
    assert row["error"].startswith(f"{type(error).__name__} at test_rows.py:")
    assert row["fingerprint"] == "f1", "so that it is not tried again"


def test_what_is_raised_by_reading_is_the_storages(tmp_path, monkeypatch):
    (tmp_path / "x.dcm").write_bytes(b"x")

    def broken(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", broken)
    for row in _extract(tmp_path, "x.dcm").values():
        assert row["error"] == "cannot be read: Input/output error"
        assert row["fingerprint"] is None


def test_a_storage_that_is_gone_is_no_row(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "x.dcm").write_bytes(b"x")
    archive = LocalArchive(str(tmp_path / "root"), 1)
    (tmp_path / "root").rmdir()
    wanted = Wanted(FileKey("p", str(tmp_path / "x.dcm"), "x.dcm", "1"), NAMES)
    with pytest.raises(ArchiveError):
        extract_rows(archive, (Failing(StorageError(107, "Transport endpoint is not connected")),), wanted)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), IsolationError("no decoder process")])
def test_a_machine_that_is_short_of_something_is_no_row(tmp_path, error):
    (tmp_path / "x.dcm").write_bytes(b"x")
    with pytest.raises(OSError, match=str(error)[:8].replace("[", ".")):
        _extract(tmp_path, "x.dcm", (Failing(error),))


def test_only_the_wanted_tables_have_rows():
    rows = _extract(PYDICOM_FILES, "CT_small.dcm", tables=frozenset({"thumbnails"}))
    assert set(rows) == {"thumbnails"}


@pytest.mark.parametrize("extractor", EXTRACTORS, ids=lambda extractor: extractor.table.name)
def test_rows_become_batches_of_their_table(extractor):
    table = extractor.table
    row = _extract(PYDICOM_FILES, "CT_small.dcm")[table.name]
    batch = to_batch([row, row], table)
    assert batch.schema.equals(table.schema)
    assert batch.to_pylist() == [{name: row.get(name) for name in table.schema.names}] * 2


@pytest.mark.parametrize("value", ["seven", 1 << 40, b"7", [7]])
def test_a_value_that_its_column_cannot_hold_costs_its_row_and_no_other(value):
    row = _extract(PYDICOM_FILES, "CT_small.dcm")["thumbnails"]
    bad, good = to_batch([{**row, "frame_number": value}, row], THUMBNAILS).to_pylist()
    assert (bad["status"], bad["error"]) == ("error", "the value of frame_number is no int32")
    assert (bad["path"], bad["fingerprint"], bad["thumbnail"]) == (row["path"], "f1", None)
    assert (good["status"], good["frame_number"]) == ("ok", 1)


def test_a_number_that_is_not_whole_is_not_cut_to_one(tmp_path):
    class Half(ThumbnailExtractor):
        def extract(self, file):
            return {"frame_number": 7.5}

    row = _extract(PYDICOM_FILES, "CT_small.dcm", (Half(),))["thumbnails"]
    assert (row["status"], row["error"]) == ("error", "the value of frame_number is no int32")


def test_the_name_of_a_file_tells_tags():
    row = _extract(PYDICOM_FILES, "CT_small.dcm")["file_metadata"]
    assert row["file_name"] == "CT_small.dcm"
    assert row["extension"] == "dcm"
    assert row["path_tags"] == ["p", "CT", "small"]


def test_hashing_is_of_the_whole_file_and_off_by_default():
    assert _extract(PYDICOM_FILES, "CT_small.dcm")["file_metadata"]["sha256"] is None
    hashed = _extract(PYDICOM_FILES, "CT_small.dcm", [MetadataExtractor(sha256=True)])["file_metadata"]
    assert hashed["sha256"] == "3dd31e5cc835b3f2cdd46c9da1982f59251e78518fefa8163d914631c66437d6"
    assert hashed["extractor_version"] != EXTRACTORS[0].version


def test_a_header_reads_the_head_of_a_file_only(tmp_path):
    """Selecting headers alone must not read pixel data."""
    reads = []

    class Counting:
        size = (PYDICOM_FILES / "JPEG2000.dcm").stat().st_size

        def read(self, offset, length):
            reads.append((offset, length))
            return (PYDICOM_FILES / "JPEG2000.dcm").read_bytes()[offset : offset + length]

    file = SourceFile(FileKey("p", "x", "x", "1"), Counting())
    EXTRACTORS[1].extract(file)
    assert reads == [(0, 65536)]
