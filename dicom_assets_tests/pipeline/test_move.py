"""Tables follow an archive that was moved, and nothing is read anew."""

import os
from pathlib import Path

import obstore
import pytest
from obstore.store import MemoryStore

from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.local import LocalArchive
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.changes import ChangeStatus, detect_change
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.pipeline.move import move_source
from dicom_assets.pipeline.ownership import SOURCE, SourceMismatchError, claim, recognise
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.killed import killed_move
from dicom_assets_tests.support.made_up import follow, index, write
from dicom_assets_tests.support.scratch import IN_PROCESS
from dicom_assets_tests.support.whole import TABLES_OF_FILES, contents


@pytest.fixture
def cataloged(archive, source, lake):
    write(source / "a" / os.fsdecode(b"\xff"))
    write(source / "top")
    follow(lake, archive, [".", "a", "b"])
    return contents(lake)


def moved_to(archive, place):
    place.parent.mkdir(parents=True, exist_ok=True)
    Path(archive.root).rename(place)
    return LocalArchive(str(place), archive.depth)


def expected(rows, old, new):
    """Return the rows with their paths rewritten, and all else as it was."""
    return {
        name: [{**row, "path": row["path"].replace(str(old), str(new))} for row in table]
        for name, table in rows.items()
    }


def settled(lake, archive):
    mine = recognise(lake, archive)
    return [detect_change(mine, CatalogState(lake), prefix, None).status for prefix in (".", "a", "b")]


def test_all_tables_follow_and_a_sync_has_nothing_to_do(cataloged, archive, lake, tmp_path):
    there = moved_to(archive, tmp_path / "elsewhere" / "source")
    with pytest.raises(SourceMismatchError):
        claim(lake, there)
    before = {table.name: lake.snapshot(table).version for table in DEFAULT_MODEL.tables}
    assert move_source(lake, there, DEFAULT_MODEL.tables, IN_PROCESS)
    assert contents(lake) == expected(cataloged, archive.root, there.root)
    assert {table.name: lake.snapshot(table).version - before[table.name] for table in DEFAULT_MODEL.tables} == {
        table.name: 3 if table is FILE_INDEX else int(table.name in TABLES_OF_FILES) for table in DEFAULT_MODEL.tables
    }, "one commit for each table that has rows, and two of properties"
    assert settled(lake, there) == [ChangeStatus.UNCHANGED] * 3
    assert not index(lake, there, [".", "a", "b"]).committed
    with pytest.raises(SourceMismatchError):
        claim(lake, archive)


def test_below_its_old_place_and_back_again(cataloged, archive, lake, tmp_path):
    aside = moved_to(archive, tmp_path / "aside")
    below = moved_to(aside, tmp_path / "source" / "below")
    move_source(lake, below, DEFAULT_MODEL.tables, IN_PROCESS)
    assert contents(lake) == expected(cataloged, archive.root, below.root)
    moved_to(below, tmp_path / "aside")
    (tmp_path / "source").rmdir()
    moved_to(LocalArchive(str(tmp_path / "aside"), 1), tmp_path / "source")
    move_source(lake, archive, DEFAULT_MODEL.tables, IN_PROCESS)
    assert contents(lake) == cataloged
    assert move_source(lake, archive, DEFAULT_MODEL.tables, IN_PROCESS) is None, "it is there"


@pytest.mark.parametrize("commits", range(6))
def test_killed_at_any_moment_and_repeated(cataloged, archive, lake, tmp_path, monkeypatch, commits):
    there = moved_to(archive, tmp_path / "there")
    with killed_move(monkeypatch, commits, "dicom_assets.pipeline.move.set_properties") as done:
        move_source(lake, there, DEFAULT_MODEL.tables, IN_PROCESS)
    assert len(done) == min(commits, len(TABLES_OF_FILES))
    for mine in (archive, there):
        for door in (claim, recognise):
            with pytest.raises(SourceMismatchError, match="--move-source again"):
                door(lake, mine)
    with pytest.raises(SourceMismatchError, match="is being moved"):
        move_source(lake, LocalArchive(str(tmp_path), 1), DEFAULT_MODEL.tables, IN_PROCESS)
    assert move_source(lake, there, DEFAULT_MODEL.tables, IN_PROCESS)
    assert contents(lake) == expected(cataloged, archive.root, there.root)
    assert settled(lake, there) == [ChangeStatus.UNCHANGED] * 3


def test_a_place_without_the_files_of_the_catalog_is_refused_until_it_is_allowed(cataloged, archive, lake, tmp_path):
    write(tmp_path / "stranger" / "a" / "other")
    stranger = LocalArchive(str(tmp_path / "stranger"), 1)
    with pytest.raises(SourceMismatchError, match=r"5 of 5 files .* are not at .*--allow-mass-deletion"):
        move_source(lake, stranger, DEFAULT_MODEL.tables, IN_PROCESS)
    assert contents(lake) == cataloged
    assert claim(lake, archive) == archive
    assert move_source(lake, stranger, DEFAULT_MODEL.tables, IN_PROCESS, unseen=True)
    assert lake.snapshot(FILE_INDEX).properties[SOURCE] == stranger.root


def test_into_a_bucket_files_are_read_anew_under_their_rows(archive, lake):
    follow(lake, archive, ["a", "b"])
    store, bucket = MemoryStore(), BucketArchive("memory://archive", 1)
    bucket.__dict__["_opened"] = store
    for name in ("a/1", "a/2", "b/1"):
        obstore.put(store, name, b"x")
    move_source(lake, bucket, DEFAULT_MODEL.tables, IN_PROCESS)
    assert lake.snapshot(FILE_INDEX).properties[SOURCE] == "memory://archive"
    outcome = index(lake, bucket, ["a", "b"])
    assert (outcome.added, outcome.changed, outcome.removed) == ({}, {"a": 2, "b": 1}, {})


def test_another_depth_is_no_move(cataloged, archive, lake, tmp_path):
    there = moved_to(archive, tmp_path / "there")
    with pytest.raises(SourceMismatchError, match="depth 1, not of depth 2"):
        move_source(lake, LocalArchive(there.root, 2), DEFAULT_MODEL.tables, IN_PROCESS)
    assert contents(lake) == cataloged


def test_a_run_that_began_before_the_move_commits_nothing_of_the_old_place(cataloged, archive, source, lake, tmp_path):
    write(source / "b" / "2")
    step = IndexStep(lake, archive, ["b"])
    plan = step.plan()
    staged = step.stage(plan, [FILE_INDEX.name], IN_PROCESS)
    there = moved_to(archive, tmp_path / "there")
    move_source(lake, there, DEFAULT_MODEL.tables, IN_PROCESS)

    asked = []

    class Unconfirmed:
        """The plan of that run, which does not look at the archive again."""

        tables = plan.tables

        def confirm(self):
            pass

    class Late:
        """The step of that run, at its commit."""

        def plan(self):
            asked.append(1)
            return Unconfirmed() if len(asked) == 1 else step.plan()

        def stage(self, *_):
            return staged

    with pytest.raises(SourceMismatchError):
        converge(Late(), IN_PROCESS, {})
    assert len(asked) == 2, "it looked again"
    assert contents(lake) == expected(cataloged, archive.root, there.root)


def test_without_a_catalog_there_is_nothing_to_move(archive, lake):
    assert move_source(lake, archive, DEFAULT_MODEL.tables, IN_PROCESS) is None
