"""Bytes belong to a fingerprint: a file that is not the one that was listed has no version in any table."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.versions import Listed
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.extract.rows import Wanted, extract_rows
from dicom_assets.extract.source_file import FileKey, SourceFile
from dicom_assets.extract.status import CHANGED, CatalogStatus, PartState, summarize
from dicom_assets_tests.support.whole import tiny_dicom

EXTRACTORS = DEFAULT_EXTRACTORS
WHEN = 1_700_000_000_000_000_000


@dataclass
class Files:
    """An image that is listed, and another of equal size and time that takes its place."""

    root: Any

    def __post_init__(self):
        self.path, self.other = self.root / "p" / "image.dcm", self.root / "other.dcm"
        self.path.parent.mkdir()
        for path, number in ((self.path, 1), (self.other, 2)):
            path.write_bytes(tiny_dicom(number))
            os.utime(path, ns=(WHEN, WHEN))
        assert self.path.stat().st_size == self.other.stat().st_size
        self.archive = LocalArchive(str(self.root), 1)
        (row,) = self.archive.list("p").to_pylist()
        listed = Listed(row["size"], row["source_version"])
        key = FileKey("p", row["path"], row["relative_path"], row["fingerprint"], listed)
        self.wanted = Wanted(key, frozenset(table.name for table in DEFAULT_MODEL.extracted))

    def swap(self) -> None:
        """Let the files change places, as `mv` does."""
        self.path.rename(self.root / "aside.dcm")
        self.other.rename(self.path)
        (self.root / "aside.dcm").rename(self.other)

    def rows(self, extractors=EXTRACTORS):
        return extract_rows(self.archive, extractors, self.wanted)


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


@dataclass(frozen=True)
class After(Extractor):
    """An extractor, and what happens to the archive once it has read."""

    table: ExtractedTable
    version: str
    real: Any
    act: Callable[[], None]
    limits: None = None

    def extract(self, file: SourceFile) -> dict[str, Any]:
        columns = self.real.extract(file)
        self.act()
        return columns

    def unread(self, file: SourceFile) -> dict[str, Any]:
        return self.real.unread(file)


def assert_left_for_the_next_run(rows):
    assert set(rows) == {table.name for table in DEFAULT_MODEL.extracted}
    for row in rows.values():
        assert row["status"] == "error"
        assert row["error"] == CHANGED
        assert row["fingerprint"] is None
        assert row.get("header") is None
        assert row.get("thumbnail") is None


def test_another_file_in_place_of_the_listed_one_gives_no_row_of_its_fingerprint(files):
    files.swap()
    assert_left_for_the_next_run(files.rows())


def test_rows_belong_to_the_fingerprint_when_nothing_changes(files):
    rows = files.rows()
    assert {row["fingerprint"] for row in rows.values()} == {files.wanted.key.fingerprint}
    assert rows["dicom_headers"]["PatientID"] == "P1"


@pytest.mark.parametrize("position", range(len(EXTRACTORS)))
def test_a_file_that_changes_between_two_tables_gives_rows_of_neither(files, position):
    """What was read before the change is of no use either: nobody knows when the change began."""

    def overwrite():
        files.path.write_bytes(tiny_dicom(2))
        os.utime(files.path, ns=(WHEN, WHEN))

    extractors = list(EXTRACTORS)
    real = extractors[position]
    extractors[position] = After(real.table, real.version, real, overwrite)
    assert_left_for_the_next_run(files.rows(extractors))


def test_the_catalog_waits_for_a_file_that_changed_and_says_so():
    states = [PartState(table.meanings["error"], CHANGED, unread=True) for table in DEFAULT_MODEL.extracted]
    assert summarize(states) == (CatalogStatus.PENDING, CHANGED)
