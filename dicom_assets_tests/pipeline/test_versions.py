"""Equal size and equal time: another file is seen all the same, and the same file is not read again."""

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.file_systems import InodeNumbers
from dicom_assets.archive.local import LocalArchive
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.metadata import FILE_METADATA
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.changes import ChangeStatus, detect_change
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.pipeline.pending import find_pending
from dicom_assets.pipeline.versions import Verified, mark_of, marked
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.made_up import index
from dicom_assets_tests.support.scratch import build_here as build
from dicom_assets_tests.support.whole import tiny_dicom

PREFIXES = ["a", "b"]
WHEN = 1_700_000_000_000_000_000
DERIVED = [table.name for table in DEFAULT_MODEL.tables if table.name != FILE_INDEX.name]
"""Every image is of a series and study of its own, so that one row of each is made anew with it."""


def put(path: Path, number: int) -> None:
    """Write an image of one size and one time of last modification."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tiny_dicom(number))
    os.utime(path, ns=(WHEN, WHEN))


@pytest.fixture
def source(tmp_path):
    for number, name in enumerate(("a/1", "a/2", "a/3", "b/1", "b/2"), 1):
        put(tmp_path / "source" / name, number)
    return tmp_path / "source"


@pytest.fixture
def archive(source):
    return LocalArchive(str(source), 1)


def patients(lake, table=OBJECT_CATALOG):
    """Return whose header each path has."""
    rows = lake.snapshot(table).keys(["PatientID"]).to_pylist()
    return {"/".join(row["path"].split("/")[-2:]): row["PatientID"] for row in rows}


def verdict(lake, archive, prefix="a"):
    return detect_change(archive, CatalogState(lake), prefix, None).status


def settled(lake, archive):
    return all(verdict(lake, archive, prefix) is ChangeStatus.UNCHANGED for prefix in PREFIXES)


def redone(outcomes):
    """Return how many rows of each table were made for files that are new or other versions."""
    return {name: sum(made.added.values()) + sum(made.changed.values()) for name, made in outcomes.items()}


def nothing_redone(outcomes):
    return not any(redone(outcomes).values())


def swap(one: Path, other: Path) -> None:
    one.rename(one.with_name("aside"))
    other.rename(one)
    one.with_name("aside").rename(other)


def test_two_slices_that_changed_places_get_their_own_headers(lake, archive, source):
    build(lake, archive, PREFIXES)
    swap(source / "a" / "1", source / "a" / "2")
    assert verdict(lake, archive) is ChangeStatus.CHANGED
    outcomes = build(lake, archive, PREFIXES)
    for table in (DICOM_HEADERS, OBJECT_CATALOG):
        assert patients(lake, table) == {"a/1": "P2", "a/2": "P1", "a/3": "P3", "b/1": "P4", "b/2": "P5"}
    assert redone(outcomes) == dict.fromkeys([FILE_INDEX.name, *DERIVED], 2), "two files, and no others"
    assert settled(lake, archive)
    assert not any(outcome.committed for outcome in build(lake, archive, PREFIXES).values())


def test_changing_places_again_and_again_is_seen_each_time(lake, archive, source):
    build(lake, archive, PREFIXES)
    for turn in range(3):
        swap(source / "a" / "1", source / "b" / "1")
        build(lake, archive, PREFIXES)
        found = patients(lake)
        assert (found["a/1"], found["b/1"]) == (("P4", "P1") if turn % 2 == 0 else ("P1", "P4"))
        assert settled(lake, archive)


def test_folders_that_changed_places_are_seen(lake, archive, source):
    """A file's status does not change with its folder's name, but its inode is another at the same path."""
    build(lake, archive, PREFIXES)
    (source / "a" / "3").unlink()
    build(lake, archive, PREFIXES)
    swap(source / "a", source / "b")
    build(lake, archive, PREFIXES)
    assert patients(lake) == {"a/1": "P4", "a/2": "P5", "b/1": "P1", "b/2": "P2"}
    assert settled(lake, archive)


def test_a_file_that_another_was_copied_over_with_its_time_is_seen(lake, archive, source):
    build(lake, archive, PREFIXES)
    shutil.copy2(source / "a" / "2", source / "a" / "1")  # cp -p
    assert verdict(lake, archive) is ChangeStatus.CHANGED
    build(lake, archive, PREFIXES)
    assert patients(lake)["a/1"] == "P2"
    assert settled(lake, archive)


def same_mode(source: Path) -> None:
    for path in source.rglob("*"):
        path.chmod(0o755)


def from_backup(source: Path) -> None:
    shutil.copytree(source, source.with_name("backup"))
    shutil.rmtree(source)
    shutil.copytree(source.with_name("backup"), source)


def moved(source: Path) -> None:
    """Another disk, in effect: what stands at the path of the archive is a link to it."""
    shutil.copytree(source, source.with_name("new"))
    shutil.rmtree(source)
    source.symlink_to(source.with_name("new"))


def hard_linked(source: Path) -> None:
    shutil.copytree(source, source.with_name("snapshot"), copy_function=os.link)


@pytest.mark.parametrize("change", [same_mode, from_backup, moved, hard_linked])
@pytest.mark.parametrize("mode", [UpdateMode.SYNC, UpdateMode.APPEND])
def test_files_that_are_the_same_under_another_status_are_not_read_again(lake, archive, source, change, mode):
    build(lake, archive, PREFIXES)
    before = index_rows(lake)
    change(source)
    assert verdict(lake, archive) is ChangeStatus.CHANGED, "the sensor asks for the run that verifies"
    outcomes = build(lake, archive, PREFIXES, mode)
    assert nothing_redone(outcomes)
    assert outcomes[FILE_INDEX.name].kept == {"a": 3, "b": 2}
    assert [name for name in DERIVED if outcomes[name].committed] == []
    after = index_rows(lake)
    assert [row | {"source_version": None} for row in after] == [row | {"source_version": None} for row in before]
    assert all(row["source_version"] != old["source_version"] for row, old in zip(after, before, strict=True))
    assert settled(lake, archive), "once"
    assert not build(lake, archive, PREFIXES, mode)[FILE_INDEX.name].committed


def index_rows(lake):
    return (
        lake.snapshot(FILE_INDEX)
        .keys([n for n in FILE_INDEX.schema.names if n not in ("prefix", "path")])
        .drop(["_file"])
        .sort_by("path")
        .to_pylist()
    )


def test_one_changed_file_among_those_of_another_status_is_the_only_one_redone(lake, archive, source):
    build(lake, archive, PREFIXES)
    same_mode(source)
    put(source / "b" / "2", 9)
    outcomes = build(lake, archive, PREFIXES)
    assert redone(outcomes) == dict.fromkeys([FILE_INDEX.name, *DERIVED], 1)
    assert patients(lake)["b/2"] == "P9"


def test_what_was_found_other_is_verified_by_its_own_head_from_then_on(lake, archive, source):
    build(lake, archive, PREFIXES)
    put(source / "a" / "1", 9)
    build(lake, archive, PREFIXES)
    same_mode(source)
    assert nothing_redone(build(lake, archive, PREFIXES))
    put(source / "a" / "1", 1)
    build(lake, archive, PREFIXES)
    assert patients(lake)["a/1"] == "P1", "as it was at first"
    assert settled(lake, archive)


def test_a_change_that_only_the_index_saw_is_not_forgotten(lake, archive, source):
    build(lake, archive, PREFIXES)
    put(source / "a" / "1", 9)
    index(lake, archive, PREFIXES)
    assert verdict(lake, archive) is ChangeStatus.CHANGED
    same_mode(source)
    index(lake, archive, PREFIXES, UpdateMode.OVERWRITE)
    build(lake, archive, PREFIXES)
    assert patients(lake)["a/1"] == "P9"
    assert settled(lake, archive)


def test_overwrite_makes_all_anew_and_settles(lake, archive, source):
    build(lake, archive, PREFIXES)
    swap(source / "a" / "1", source / "a" / "2")
    outcomes = build(lake, archive, PREFIXES, UpdateMode.OVERWRITE)
    assert redone(outcomes) == dict.fromkeys([FILE_INDEX.name, *DERIVED], 5)
    assert patients(lake)["a/1"] == "P2"
    assert settled(lake, archive)


def test_append_sees_another_file_where_one_was_removed(lake, archive, source):
    build(lake, archive, PREFIXES)
    (source / "a" / "1").unlink()
    build(lake, archive, PREFIXES, UpdateMode.APPEND)
    put(source / "a" / "1", 9)
    build(lake, archive, PREFIXES, UpdateMode.APPEND)
    assert patients(lake)["a/1"] == "P9"
    assert settled(lake, archive)


def as_of_an_older_release(lake):
    """Write the index as a release without ``source_version`` did."""
    location = lake.location(FILE_INDEX)
    rows = pa.table(location.open().scan()).drop_columns("source_version")
    shutil.rmtree(location.uri)
    write_deltalake(location.uri, rows, partition_by=["prefix"])
    assert "source_version" not in [field.name for field in location.open().schema().fields]


def test_an_existing_lake_takes_the_new_column_and_redoes_nothing(lake, archive, source):
    build(lake, archive, PREFIXES)
    before = index_rows(lake)
    as_of_an_older_release(lake)
    outcomes = build(lake, archive, PREFIXES)
    assert nothing_redone(outcomes)
    assert [name for name in DERIVED if outcomes[name].committed] == []
    assert index_rows(lake) == before, "fingerprints and times of first listing stay"
    assert settled(lake, archive)
    swap(source / "a" / "1", source / "a" / "2")
    build(lake, archive, PREFIXES)
    assert patients(lake)["a/1"] == "P2", "from then on it is seen"


def test_without_metadata_what_may_have_changed_is_read_again(lake, archive, source):
    """A catalog of headers alone has no heads to compare with."""
    build(lake, archive, PREFIXES)
    shutil.rmtree(lake.location(FILE_METADATA).uri)
    same_mode(source)
    outcomes = build(lake, archive, PREFIXES)
    assert sum(outcomes[DICOM_HEADERS.name].changed.values()) == 5
    same_mode(source)
    assert nothing_redone(build(lake, archive, PREFIXES)), "their fingerprints name their heads now"


class Unreadable(LocalArchive):
    """Heads of some files cannot be read."""

    def open(self, path, listed=None):
        if path.endswith("/1"):
            raise PermissionError(13, "Permission denied")
        return super().open(path, listed)


def test_a_file_that_cannot_be_verified_keeps_its_rows_until_it_can(lake, archive, source):
    build(lake, archive, PREFIXES)
    swap(source / "a" / "1", source / "a" / "2")
    build(lake, Unreadable(str(source), 1), PREFIXES)
    assert patients(lake)["a/1"] == "P1"
    states = {detect_change(archive, CatalogState(lake), "a", None).state for _ in range(2)}
    assert states != {""}, "it stays due"
    assert len(states) == 1, "in one state, so that it is asked for once"
    build(lake, archive, PREFIXES)
    assert patients(lake)["a/1"] == "P2"
    assert settled(lake, archive)


def test_an_archive_that_goes_away_while_files_are_verified_is_no_change(lake, archive, source):
    class Gone(LocalArchive):
        def open(self, path, listed=None):
            shutil.rmtree(source, ignore_errors=True)
            return super().open(path, listed)

    build(lake, archive, PREFIXES)
    same_mode(source)
    with pytest.raises(ArchiveError):
        build(lake, Gone(str(source), 1), PREFIXES)
    assert len(index_rows(lake)) == 5


def test_a_step_tells_what_it_verified(lake, archive, source):
    build(lake, archive, PREFIXES)
    same_mode(source)
    put(source / "b" / "2", 9)
    for files, told in ((archive, Verified(4, 1, 0)), (Unreadable(str(source), 1), Verified(2, 1, 2))):
        assert IndexStep(lake, files, PREFIXES).plan().verified == told


def test_who_asks_what_is_pending_reads_no_head(lake, archive, source):
    build(lake, archive, PREFIXES)
    same_mode(source / "a")
    found = find_pending(lake, Unreadable(str(source), 1), DEFAULT_MODEL, PREFIXES, UpdateMode.SYNC, None)
    assert [(entry.prefix, entry.files, entry.removed) for entry in found] == [("a", 3, 0)]


def test_adopting_the_column_is_pending_without_files(lake, archive):
    build(lake, archive, PREFIXES)
    as_of_an_older_release(lake)
    lake.ensure([FILE_INDEX])
    found = find_pending(lake, archive, DEFAULT_MODEL, PREFIXES, UpdateMode.SYNC, None)
    assert [(entry.prefix, entry.files, entry.removed) for entry in found] == [("a", 0, 0), ("b", 0, 0)]


def test_inode_numbers_that_a_file_system_makes_up_make_no_suspects(lake, archive, source, monkeypatch):
    """As on a share that is mounted anew; a swap is seen by the time of status change there, too."""
    monkeypatch.setattr(InodeNumbers, "kept", lambda *_: False)
    build(lake, archive, PREFIXES)
    assert all(row["source_version"].count("-") == 2 for row in index_rows(lake))
    swap(source / "a" / "1", source / "a" / "2")
    build(lake, archive, PREFIXES)
    assert patients(lake)["a/1"] == "P2"


@given(st.integers(0), st.integers(), st.binary(min_size=1).map(bytes.hex))
def test_a_fingerprint_is_marked_only_once(size, when, digest):
    plain = f"{size}-{when}"
    assert mark_of(plain) is None
    assert mark_of(marked(plain, digest)) == digest
