"""The rows of a catalog move to other prefixes, and nothing is read or made anew."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from dicom_assets.archive.containers.archive import ContainerArchive
from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.delta.commit import Change, CommitConflictError, commit
from dicom_assets.delta.files import DataFile, write_batches
from dicom_assets.delta.format import FORMAT
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.changes import ChangeStatus, detect_change
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.pipeline.move import move_source
from dicom_assets.pipeline.move_prefixes import move_prefixes
from dicom_assets.pipeline.ownership import FENCES, SourceMismatchError, claim, recognise
from dicom_assets.pipeline.regroup_files import regroupings
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.containers import tar_of, zip_of
from dicom_assets_tests.support.killed import killed_move
from dicom_assets_tests.support.made_up import follow, index, write
from dicom_assets_tests.support.scratch import IN_PROCESS
from dicom_assets_tests.support.slices import put_volume, series_of
from dicom_assets_tests.support.whole import TABLES_OF_FILES, contents, paths_of

FILES = ("top", "abc/1", "abc/deep/2", "abd/deep/3", "ab/4", "xyz/5", "x*/6", "ü1/7", "ü2/7", "ü2/8")
CUTS = {
    "whole": (1, 0),
    "two characters": (1, 2),
    "one": (1, 1),
    "deeper": (2, 0),
    "deeper, cut": (2, 2),
    "all": (0, 0),
}


@pytest.fixture
def source(tmp_path):
    for name in FILES:
        write(tmp_path / "source" / name)
    write(tmp_path / "source" / "abc" / os.fsdecode(b"\xff"))
    write(tmp_path / "source" / os.fsdecode(b"\xfe\xfd") / "9")
    return tmp_path / "source"


def cut(source: Path, name: str) -> LocalArchive:
    depth, chars = CUTS[name]
    return LocalArchive(str(source), depth, chars=chars)


def cataloged(folder: Path, archive: LocalArchive) -> Lake:
    lake = Lake(str(folder))
    follow(lake, archive, list(archive.prefixes()))
    return lake


def moved(lake: Lake, archive: LocalArchive):
    return move_prefixes(lake, archive, DEFAULT_MODEL, IN_PROCESS)


def kept(lake: Lake) -> dict[str, object]:
    """Return what the index says of when files were seen, by path."""
    rows = lake.snapshot(FILE_INDEX).keys(["indexed_at", "made_at"]).to_pylist()
    return {row["path"]: (row["indexed_at"], row["made_at"]) for row in rows}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("whole", "two characters"),
        ("two characters", "whole"),
        ("one", "two characters"),
        ("two characters", "one"),
        ("whole", "deeper"),
        ("deeper", "whole"),
        ("deeper", "deeper, cut"),
        ("deeper, cut", "one"),
        ("all", "two characters"),
        ("two characters", "all"),
        ("whole", "whole"),
    ],
)
def test_the_catalog_is_as_if_it_had_been_cut_so_from_the_start(source, tmp_path, old, new):
    before, after = cut(source, old), cut(source, new)
    lake = cataloged(tmp_path / "lake", before)
    seen = kept(lake)
    done = moved(lake, after)
    assert (done is None) == (old == new)
    assert contents(lake) == contents(cataloged(tmp_path / "scratch", after))
    assert kept(lake) == seen, "rows are what they were"
    prefixes = list(after.prefixes())
    assert not index(lake, after, prefixes).committed
    state = CatalogState(lake)
    assert {detect_change(after, state, prefix, None).status for prefix in prefixes} == {ChangeStatus.UNCHANGED}
    assert state.prefixes == set(prefixes)
    if old != new:
        for door in (claim, recognise):
            with pytest.raises(SourceMismatchError, match="--move-prefixes"):
                door(lake, before)


def test_members_of_containers_move_with_them(source, tmp_path):
    nested = zip_of({"deep/inner.tar": tar_of({"far/down/1": b"one"}), "there/2": b"two"})
    (source / "abc" / "scans.zip").write_bytes(nested)
    before, after = (ContainerArchive(cut(source, name)) for name in ("whole", "deeper"))
    lake = cataloged(tmp_path / "lake", before)
    assert any("!/deep/inner.tar!/far/down/1" in path for path in kept(lake))
    moved(lake, after)
    assert contents(lake) == contents(cataloged(tmp_path / "scratch", after))
    assert not index(lake, after, list(after.prefixes())).committed


@pytest.mark.parametrize("commits", [0, 2, 5])
def test_killed_at_any_moment_every_table_is_whole_and_the_same_move_ends_it(source, tmp_path, monkeypatch, commits):
    before, after = cut(source, "whole"), cut(source, "two characters")
    lake = cataloged(tmp_path / "lake", before)
    paths = paths_of(lake)
    with killed_move(monkeypatch, commits, "dicom_assets.pipeline.move_prefixes._conclude") as done:
        moved(lake, after)
    assert len(done) == min(commits, len(TABLES_OF_FILES))
    assert {name: sorted(found) for name, found in paths_of(lake).items()} == {
        name: sorted(found) for name, found in paths.items()
    }
    for archive in (before, after):
        for door in (claim, recognise):
            with pytest.raises(SourceMismatchError, match="--prefix-chars 2 and --move-prefixes again"):
                door(lake, archive)
    for other in (before, cut(source, "one")):
        with pytest.raises(SourceMismatchError, match="are being moved"):
            moved(lake, other)
    with pytest.raises(SourceMismatchError, match="are being moved"):
        move_source(lake, LocalArchive(str(tmp_path), 1), DEFAULT_MODEL.tables, IN_PROCESS)
    assert moved(lake, after)
    assert contents(lake) == contents(cataloged(tmp_path / "scratch", after))
    assert moved(lake, after) is None


def test_a_run_that_began_before_writes_nothing_even_of_a_prefix_that_no_table_had(source, tmp_path):
    lake = cataloged(tmp_path / "lake", cut(source, "whole"))
    write(source / "new" / "1")
    step = IndexStep(lake, cut(source, "whole"), ["new"])
    plan = step.plan()
    staged = step.stage(plan, [FILE_INDEX.name], IN_PROCESS)
    after = cut(source, "one")
    moved(lake, after)
    rows = contents(lake)
    asked = []

    class Late:
        """The step of that run, at its commit."""

        def plan(self):
            asked.append(1)
            return plan if len(asked) == 1 else step.plan()

        def stage(self, *_):
            return staged

    with pytest.raises(SourceMismatchError):
        converge(Late(), IN_PROCESS, {})
    assert len(asked) == 2, "it looked again"
    assert contents(lake) == rows


def test_rows_that_were_made_of_files_before_are_not_added_to_any_table_after(source, tmp_path):
    lake = cataloged(tmp_path / "lake", cut(source, "whole"))
    snapshot = lake.snapshot(OBJECT_CATALOG, ["new"])
    fences = {name: snapshot.properties.get(name, "") for name in FENCES}
    rows = snapshot.table.schema.empty_table()
    held = next(iter(lake.snapshot(OBJECT_CATALOG).rows(OBJECT_CATALOG.schema.names)))[1].slice(0, 1)
    adds = write_batches(snapshot.location.filesystem(), OBJECT_CATALOG, [*rows.to_batches(), held])
    moved(lake, cut(source, "one"))
    with pytest.raises(CommitConflictError, match="moved"):
        commit(snapshot.location, Change(adds, (), snapshot.writes, fences=fences))


def test_series_and_studies_are_grouped_anew(tmp_path):
    source = tmp_path / "source"
    put_volume(source / "a1", "1.10.1", [1, 2, 3])
    put_volume(source / "a2", "1.10.1", [4, 5, 6])
    put_volume(source / "b1", "1.11.1")
    before, after = LocalArchive(str(source), 1), LocalArchive(str(source), 1, chars=1)
    lake, scratch = Lake(str(tmp_path / "lake")), Lake(str(tmp_path / "scratch"))
    update_catalog(before, lake, engine=IN_PROCESS)
    assert set(series_of(lake)) == {("a1", "1.10.1"), ("a2", "1.10.1"), ("b1", "1.11.1")}
    moved(lake, after)
    assert set(series_of(lake)) == {("a*", "1.10.1"), ("b*", "1.11.1")}
    update_catalog(after, scratch, engine=IN_PROCESS)
    assert contents(lake) == contents(scratch)
    assert not update_catalog(after, lake, engine=IN_PROCESS).committed


def test_many_small_data_files_become_one(tmp_path):
    source = tmp_path / "source"
    for number in range(20):
        write(source / f"pat{number:02}" / "1")
    lake = cataloged(tmp_path / "lake", LocalArchive(str(source), 1))
    assert len(lake.snapshot(FILE_INDEX).files) == 20
    moved(lake, LocalArchive(str(source), 1, chars=3))
    (file,) = lake.snapshot(FILE_INDEX).files
    assert (file.prefix, file.rows) == ("pat*", 20)


def test_no_more_become_one_than_one_task_takes(source, tmp_path, monkeypatch):
    snapshot = cataloged(tmp_path / "lake", cut(source, "whole")).snapshot(FILE_INDEX)
    files = [DataFile(f"prefix=a{number}/x", f"a{number}", size) for number, size in enumerate([3, 3, 4, 1, 12, 2, 8])]
    monkeypatch.setattr("dicom_assets.pipeline.regroup_files._BYTES_TOGETHER", 10)
    found = regroupings(replace(snapshot, files=tuple(files)), str(source), PrefixCut(1), PrefixCut(1, 1))
    assert [[file.size for file in one.files] for one in found] == [[3, 3, 4], [1], [12], [2, 8]]
    assert {one.prefix for one in found} == {"a*"}


def test_an_older_package_is_kept_out_while_names_are_cut(source, tmp_path):
    lake = cataloged(tmp_path / "lake", cut(source, "whole"))
    before = lake.snapshot(FILE_INDEX).properties[FORMAT]
    moved(lake, cut(source, "one"))
    assert lake.snapshot(FILE_INDEX).properties[FORMAT] == "3"
    assert claim(cataloged(tmp_path / "other", cut(source, "one")), cut(source, "one"))
    assert Lake(str(tmp_path / "other")).snapshot(FILE_INDEX).properties[FORMAT] == "3"
    moved(lake, cut(source, "whole"))
    assert lake.snapshot(FILE_INDEX).properties[FORMAT] == before


def test_the_archive_need_not_be_in_reach_but_it_must_be_the_one(source, tmp_path):
    lake = cataloged(tmp_path / "lake", cut(source, "whole"))
    with pytest.raises(SourceMismatchError, match="belongs to the source"):
        moved(lake, LocalArchive(str(tmp_path), 1, chars=1))
    source.rename(tmp_path / "unmounted")
    assert moved(lake, cut(source, "one"))


def test_without_a_catalog_there_is_nothing_to_move(source, tmp_path):
    assert moved(Lake(str(tmp_path / "lake")), cut(source, "one")) is None
