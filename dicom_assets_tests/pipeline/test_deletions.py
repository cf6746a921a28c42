"""Files that are gone at once, as of a share that is not mounted, stay in the index until it is allowed."""

import shutil

import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.changes import ChangeStatus, detect_change, refuse_mass_deletion
from dicom_assets.pipeline.deletions import DeletionGuard, MassDeletionError
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.pending import find_pending
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.endless import EndlessArchive
from dicom_assets_tests.support.made_up import follow, index, write

GUARD = DeletionGuard()
PREFIXES = [f"p{number}" for number in range(6)]


@pytest.fixture
def source(tmp_path):
    for prefix in PREFIXES:
        for number in range(10):
            write(tmp_path / "source" / prefix / "deep" / str(number))
    return tmp_path / "source"


@pytest.fixture
def archive(source, lake):
    archive = LocalArchive(str(source), 1)
    follow(lake, archive, PREFIXES)
    return archive


def held(lake):
    return lake.snapshot(FILE_INDEX).keys([]).num_rows


def empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def seen(lake, archive, prefixes=PREFIXES):
    state = CatalogState(lake)
    looked = [detect_change(archive, state, prefix, GUARD) for prefix in prefixes]
    return {one.prefix: one for one in refuse_mass_deletion(looked, archive, state, archive.prefixes(), GUARD)}


@pytest.mark.parametrize("mode", [UpdateMode.SYNC, UpdateMode.OVERWRITE])
def test_prefix_folders_that_are_there_and_empty_are_refused(archive, source, lake, mode):
    for prefix in PREFIXES:
        empty(source / prefix)
    with pytest.raises(MassDeletionError, match=r"p0, p1, p2, p3, p4 and 1 more: .* knows 60 files") as refused:
        index(lake, archive, PREFIXES, mode, guard=GUARD)
    assert "allow_mass_deletion: true" in str(refused.value)
    assert held(lake) == 60
    assert {one.status for one in seen(lake, archive).values()} == {ChangeStatus.REFUSED}
    assert index(lake, archive, PREFIXES, mode, guard=None).committed
    assert held(lake) == 0


def test_one_empty_prefix_folder_is_refused_until_it_is_removed(archive, source, lake):
    empty(source / "p3")
    with pytest.raises(MassDeletionError, match=r"prefix p3: the folder is there and empty"):
        index(lake, archive, ["p3"], guard=GUARD)
    verdicts = {prefix: one.status for prefix, one in seen(lake, archive).items()}
    assert verdicts == dict.fromkeys(PREFIXES, ChangeStatus.UNCHANGED) | {"p3": ChangeStatus.REFUSED}
    (source / "p3").rmdir()
    assert index(lake, archive, ["p3"], guard=GUARD).removed == {"p3": 10}


def test_a_prefix_of_empty_folders_is_empty_too(archive, source, lake):
    empty(source / "p3" / "deep")
    with pytest.raises(MassDeletionError, match="prefix p3"):
        index(lake, archive, ["p3"], guard=GUARD)


def test_an_archive_of_depth_0_that_is_suddenly_empty_is_refused(source, lake):
    archive = LocalArchive(str(source), 0)
    index(lake, archive, ["."])
    empty(source)
    with pytest.raises(MassDeletionError, match=r"prefix \.: the folder is there and empty"):
        index(lake, archive, ["."], guard=GUARD)


def test_prefixes_that_vanish_count_together_though_each_run_takes_one(archive, source, lake):
    for prefix in PREFIXES[:4]:
        shutil.rmtree(source / prefix)
    for prefix in PREFIXES[:4]:
        with pytest.raises(MassDeletionError, match="40 of 60 files of the catalog"):
            index(lake, archive, [prefix], guard=GUARD)
    assert held(lake) == 60
    found = seen(lake, archive, ["p1", "p5"])
    assert found["p1"].status is ChangeStatus.REFUSED
    assert "40 of 60 files" in found["p1"].reason
    assert found["p5"].status is ChangeStatus.UNCHANGED


def test_what_only_grew_is_followed_while_deletions_are_refused(archive, source, lake):
    for prefix in PREFIXES[:4]:
        shutil.rmtree(source / prefix)
    write(source / "p5" / "new")
    found = seen(lake, archive)
    assert {prefix for prefix, one in found.items() if one.status is ChangeStatus.CHANGED} == {"p5"}
    assert len([one for one in found.values() if one.reason]) == 1, "said once"
    assert index(lake, archive, ["p5"], guard=GUARD).added == {"p5": 1}


def test_parts_of_many_prefixes_that_vanish_are_added_up(archive, source, lake):
    for prefix in PREFIXES:
        for number in range(7):
            (source / prefix / "deep" / str(number)).unlink()
    with pytest.raises(MassDeletionError, match="42 of 60 files"):
        index(lake, archive, PREFIXES, guard=GUARD)
    assert {one.status for one in seen(lake, archive).values()} == {ChangeStatus.REFUSED}
    pending = find_pending(lake, archive, DEFAULT_MODEL, ["p1"], UpdateMode.SYNC, GUARD)
    assert [entry.gone for entry in pending] == [7]


def test_ordinary_deletions_go_through_unasked(archive, source, lake):
    shutil.rmtree(source / "p0")
    assert index(lake, archive, ["p0"], guard=GUARD).removed == {"p0": 10}, "a study"
    for number in range(6):
        (source / "p1" / "deep" / str(number)).unlink()
    (source / "p2" / "deep").rename(source / "p2" / "renamed")
    assert index(lake, archive, PREFIXES, guard=GUARD).committed, "files of two studies, 16 of 50"


@pytest.mark.parametrize("files", [1, 2, 3])
def test_a_file_of_a_small_catalog_goes_through_unasked(tmp_path, lake, files):
    source = tmp_path / "small"
    for number in range(files):
        write(source / "a" / str(number))
    write(source / "a" / "0")
    archive = LocalArchive(str(source), 1)
    index(lake, archive, ["a"])
    (source / "a" / "0").rename(source / "a" / "another")
    assert index(lake, archive, ["a"], guard=GUARD).removed == {"a": 1}


def test_an_object_store_has_no_empty_folders(lake):
    files = {prefix: frozenset(range(10)) for prefix in "abc"}
    index(lake, EndlessArchive(files), list("abc"))
    some = EndlessArchive({**files, "a": frozenset()})
    assert index(lake, some, ["a"], guard=GUARD).removed == {"a": 10}
    with pytest.raises(MassDeletionError, match="20 of 20 files"):
        index(lake, EndlessArchive({}), ["b", "c"], guard=GUARD)


def test_kept_rows_are_no_deletions(archive, source, lake):
    for prefix in PREFIXES:
        empty(source / prefix)
    assert index(lake, archive, PREFIXES, UpdateMode.APPEND, guard=GUARD).committed
    assert held(lake) == 60
