"""An archive that is unmounted, or swapped, in the middle of a run: the step fails, no row is written or lost."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dicom_assets.archive.base import ArchiveError, FolderIdentity
from dicom_assets.archive.identity import Witness
from dicom_assets.archive.local import LocalArchive
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.extract.rows import Wanted, extract_rows
from dicom_assets.extract.source_file import FileKey
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.made_up import index
from dicom_assets_tests.support.scratch import IN_PROCESS, ON_SPARK, build
from dicom_assets_tests.support.whole import contents, put

PREFIXES = ["a", "b"]
NAMES = [table.name for table in DEFAULT_MODEL.extracted]


@pytest.fixture
def source(tmp_path):
    for number in range(40):
        put(tmp_path / "source" / PREFIXES[number % 2] / f"{number}.dcm", number)
    return tmp_path / "source"


@pytest.fixture
def archive(source):
    return LocalArchive(str(source), 1)


def command(*words: str) -> bool:
    """Run a command of the system; returns whether it succeeded."""
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def mount(folder: Path, *options: str) -> None:
    """Mount something on a folder, where that is allowed."""
    if os.geteuid() or shutil.which("mount") is None or not command("mount", *options, str(folder)):
        pytest.skip("this machine does not allow mounting")


def swap(folder: Path) -> None:
    """Put an empty folder in a folder's place, as an unmounted share leaves it."""
    folder.rename(folder.with_name(f"{folder.name} away"))
    folder.mkdir()


@dataclass(frozen=True)
class VanishingArchive(LocalArchive):
    """Is swapped, or unmounted, when a certain file is opened; on whatever worker that is."""

    trigger: str = "20.dcm"
    vanishing: str = ""
    unmounts: bool = False

    def open(self, path: str, listed=None):
        if path.endswith(f"/{self.trigger}") and Path(path).exists():
            if self.unmounts:
                assert command("umount", "-l", self.vanishing)
            else:
                swap(Path(self.vanishing))
        return super().open(path, listed)


def extract(lake: Lake, archive: LocalArchive, mode: UpdateMode = UpdateMode.SYNC, prefixes: Sequence[str] = PREFIXES):
    return converge(ExtractionStep(lake, archive, DEFAULT_EXTRACTORS, prefixes, mode), ON_SPARK, {})


@pytest.mark.parametrize("mode", [UpdateMode.SYNC, UpdateMode.OVERWRITE])
def test_a_root_that_is_swapped_while_files_are_read_fails_the_step_and_writes_no_row(
    spark, archive, source, lake, mode
):
    if mode is UpdateMode.OVERWRITE:
        build(lake, archive, engine=IN_PROCESS)
    else:
        index(lake, archive, PREFIXES)
    before = contents(lake)
    with pytest.raises(Exception, match="not the folder it was when it was listed"):
        extract(lake, VanishingArchive(archive.root, 1, vanishing=str(source)), mode)
    assert contents(lake) == before


def test_a_prefix_folder_that_is_swapped_while_files_are_read_fails_the_step(spark, archive, source, lake):
    index(lake, archive, PREFIXES)
    with pytest.raises(Exception, match=r"prefix a: its folder is not the one it was"):
        extract(lake, VanishingArchive(archive.root, 1, vanishing=str(source / "a")))
    assert contents(lake)[DICOM_HEADERS.name] == []


@pytest.mark.parametrize("mode", [UpdateMode.SYNC, UpdateMode.OVERWRITE])
def test_a_root_that_is_swapped_between_listing_and_reading_fails_the_step(spark, archive, source, lake, mode):
    build(lake, archive, engine=IN_PROCESS)
    put(source / "a" / "new.dcm", 99)
    index(lake, archive, PREFIXES)
    before = contents(lake)
    swap(source)
    with pytest.raises(ArchiveError, match="none of 8 files"):
        extract(lake, archive, mode)
    assert contents(lake) == before


@pytest.mark.parametrize("mode", [UpdateMode.SYNC, UpdateMode.OVERWRITE])
def test_a_prefix_that_is_emptied_between_listing_and_reading_fails_the_step(spark, archive, source, lake, mode):
    if mode is UpdateMode.OVERWRITE:
        build(lake, archive, engine=IN_PROCESS)
    else:
        index(lake, archive, PREFIXES)
    before = contents(lake)
    swap(source / "a")
    with pytest.raises(ArchiveError, match=r"prefix a: 20 of 20 files .* materialize file_index first"):
        extract(lake, archive, mode)
    assert contents(lake) == before


def test_a_few_files_that_are_gone_are_rows(spark, archive, source, lake):
    index(lake, archive, PREFIXES)
    for number in range(0, 20, 2):
        (source / "a" / f"{number}.dcm").unlink()
    extract(lake, archive)
    rows = contents(lake)[DICOM_HEADERS.name]
    assert len(rows) == 40
    assert sum(row["fingerprint"] is None for row in rows) == 10


def test_links_that_lead_nowhere_are_rows_however_many(spark, source, lake):
    (source / "links").mkdir()
    for number in range(5):
        (source / "links" / str(number)).symlink_to(source / "nowhere")
    archive = LocalArchive(str(source), 1)
    for _ in range(2):
        index(lake, archive, ["links"])
        extract(lake, archive, prefixes=["links"])
        assert [row["fingerprint"] for row in contents(lake)[DICOM_HEADERS.name]] == [None] * 5


@dataclass(frozen=True)
class SwappedByListing(LocalArchive):
    """Is swapped when a prefix was listed, or is about to be."""

    when: str = "after"

    def list(self, prefix: str):
        if prefix == "b" and self.when == "before":
            swap(Path(self.root))
        listing = super().list(prefix)
        if prefix == "b" and self.when == "after":
            swap(Path(self.root))
        return listing


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_root_that_is_swapped_while_it_is_listed_takes_no_row_away(archive, source, lake, when):
    index(lake, archive, PREFIXES)
    before = contents(lake)
    with pytest.raises(ArchiveError, match=r"unmounted, or replaced|cannot list the archive root"):
        index(lake, SwappedByListing(archive.root, 1, when=when), PREFIXES)
    assert contents(lake) == before


def test_a_root_that_is_swapped_between_listing_and_commit_takes_no_row_away(archive, source, lake):
    index(lake, archive, PREFIXES)
    before = contents(lake)
    (source / "a" / "0.dcm").unlink()
    put(source / "b" / "new.dcm", 99)

    class Swapping(IndexStep):
        def stage(self, plan, names, engine):
            swap(source)
            return IndexStep.stage(self, plan, names, engine)

    with pytest.raises(ArchiveError, match="unmounted, or replaced"):
        converge(Swapping(lake, archive, PREFIXES), IN_PROCESS, {})
    assert contents(lake) == before


def wanted(path):
    return Wanted(FileKey("a", str(path), f"a/{path.name}", "1"), frozenset(NAMES))


def test_on_another_machine_a_known_file_proves_what_numbers_cannot(archive, source, tmp_path):
    """Device numbers, and inodes of some shares, are those of one machine."""
    here = Witness.of(archive, ["a"], {"a": [str(source / "a" / "0.dcm")]})
    assert here.root is not None
    elsewhere = replace(here, root=FolderIdentity("another machine", here.root.device + 1, here.root.inode + 1))
    gone = wanted(source / "a" / "gone.dcm")
    extractors = DEFAULT_EXTRACTORS
    assert extract_rows(archive, extractors, gone, elsewhere)[DICOM_HEADERS.name]["status"] == "error"
    swap(source)
    with pytest.raises(ArchiveError):
        extract_rows(archive, extractors, gone, elsewhere)
    with pytest.raises(ArchiveError):
        extract_rows(archive, extractors, gone, here)


def test_a_prefix_that_was_deleted_or_made_anew_is_nothing_unusual(archive, source):
    witness = Witness.of(archive, ["a"], {"a": [str(source / "a" / "0.dcm")]})
    (source / "a").rename(source / "kept")
    witness.confirm(archive, ["a"])
    shutil.copytree(source / "kept", source / "a")
    witness.confirm(archive, ["a"])


@pytest.fixture
def mounted(tmp_path):
    """Mount a file system of its own for an archive, where that is allowed."""
    root = tmp_path / "mounted"
    root.mkdir()
    mount(root, "-t", "tmpfs", "none")
    yield root
    command("umount", "-l", str(root))


def fill(root):
    for number in range(40):
        put(root / PREFIXES[number % 2] / f"{number}.dcm", number)


@pytest.mark.parametrize("mode", [UpdateMode.SYNC, UpdateMode.OVERWRITE])
def test_a_share_that_is_unmounted_while_files_are_read_fails_the_step_and_writes_no_row(spark, mounted, lake, mode):
    fill(mounted)
    archive = LocalArchive(str(mounted), 1)
    if mode is UpdateMode.OVERWRITE:
        build(lake, archive, engine=IN_PROCESS)
    else:
        index(lake, archive, PREFIXES)
    before = contents(lake)
    with pytest.raises(Exception, match="unmounted, or replaced"):
        extract(lake, VanishingArchive(archive.root, 1, vanishing=str(mounted), unmounts=True), mode)
    assert not any(mounted.iterdir())
    assert contents(lake) == before


def test_a_share_mounted_below_the_root_that_is_unmounted_fails_the_step(spark, tmp_path, lake):
    root = tmp_path / "mounted" / "a"
    root.mkdir(parents=True)
    mount(root, "-t", "tmpfs", "none")
    try:
        fill(tmp_path / "mounted")
        archive = LocalArchive(str(tmp_path / "mounted"), 1)
        index(lake, archive, PREFIXES)
        with pytest.raises(Exception, match="prefix a: its folder is not the one"):
            extract(lake, VanishingArchive(archive.root, 1, vanishing=str(root), unmounts=True))
    finally:
        command("umount", "-l", str(root))
    assert all(not contents(lake)[table.name] for table in DEFAULT_MODEL.tables if table is not FILE_INDEX)


def test_a_source_that_is_mounted_at_two_places_is_one(mounted, lake, tmp_path):
    fill(mounted)
    (tmp_path / "bound").mkdir()
    mount(tmp_path / "bound", "--bind", str(mounted))
    try:
        index(lake, LocalArchive(str(mounted), 1), PREFIXES)
        assert not index(lake, LocalArchive(str(tmp_path / "bound"), 1), PREFIXES).committed
    finally:
        command("umount", "-l", str(tmp_path / "bound"))
