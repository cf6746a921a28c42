"""What a look at the archive finds."""

import threading
import time

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.archive.listing import ListingError
from dicom_assets.archive.local import LocalArchive
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.extract.thumbnails import THUMBNAILS
from dicom_assets.pipeline.catalog_state import CatalogState, digest
from dicom_assets.pipeline.changes import ChangeDetector, ChangeStatus, Detection, detect_change
from dicom_assets.pipeline.deletions import DeletionGuard
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.denied import deny
from dicom_assets_tests.support.made_up import follow, index, replace, write

GUARD = DeletionGuard()


def look(archive, lake, prefix="a", guard=GUARD):
    return detect_change(archive, CatalogState(lake), prefix, guard)


def test_a_new_prefix_has_changed(archive, lake):
    assert look(archive, lake).status is ChangeStatus.CHANGED


def test_what_the_tables_follow_is_settled(archive, lake):
    follow(lake, archive, ["a", "b"])
    assert look(archive, lake).status is ChangeStatus.UNCHANGED


def test_each_kind_of_change_shows(archive, source, lake):
    write(source / "a" / "1", "x", when=1e9)
    follow(lake, archive, ["a"])
    changes = {
        "added with an old time": lambda: write(source / "a" / "3", when=1),
        "replaced by equal size": lambda: write(source / "a" / "1", "y", when=1e9 + 1),
        "removed": (source / "a" / "2").unlink,
        "renamed": lambda: (source / "a" / "1").rename(source / "a" / "9"),
    }
    for kind, change in changes.items():
        change()
        assert look(archive, lake).status is ChangeStatus.CHANGED, kind
        follow(lake, archive, ["a"])
        assert look(archive, lake).status is ChangeStatus.UNCHANGED, kind


def test_changing_back_and_forth_is_a_new_state_each_time(archive, source, lake):
    states = []
    for _ in range(2):
        (source / "b" / "1").rename(source / "kept")
        states.append(look(archive, lake, "b", guard=None).state)
        follow(lake, archive, ["b"])
        (source / "kept").rename(source / "b" / "1")
        states.append(look(archive, lake, "b").state)
        follow(lake, archive, ["b"])
    assert len(set(states)) == 4


def test_a_catalog_that_lags_behind_the_index_shows(archive, lake):
    index(lake, archive, ["a"])
    assert look(archive, lake).status is ChangeStatus.CHANGED


def test_rows_that_are_not_whole_show(archive, lake):
    follow(lake, archive, ["a"])
    rows = lake.snapshot(FILE_INDEX, ["a"]).keys(["fingerprint"])
    replace(lake, OBJECT_CATALOG, ["a"], rows, status="pending")
    assert look(archive, lake).status is ChangeStatus.CHANGED


def test_rows_too_many_in_a_table_show(archive, lake):
    follow(lake, archive, ["a"])
    extra = pa.table({"prefix": ["a"] * 3, "path": ["/1", "/2", "/gone"], "fingerprint": ["1"] * 3})
    replace(lake, THUMBNAILS, ["a"], extra)
    assert look(archive, lake).status is ChangeStatus.CHANGED


def test_kept_rows_of_removed_files_are_settled(archive, source, lake):
    follow(lake, archive, ["a"])
    (source / "a" / "1").unlink()
    follow(lake, archive, ["a"], UpdateMode.APPEND)
    assert lake.snapshot(FILE_INDEX, ["a"]).keys([]).num_rows == 2
    assert look(archive, lake).status is ChangeStatus.UNCHANGED


def test_mass_deletion_is_refused_with_what_to_do(archive, source, lake):
    for number in range(210):
        write(source / "a" / f"{number:03d}")
    follow(lake, archive, ["a"])
    for number in range(120):
        (source / "a" / f"{number:03d}").unlink()
    seen = look(archive, lake)
    assert seen.status is ChangeStatus.REFUSED
    assert "120 of 212 files" in seen.reason
    assert "allow_mass_deletion" in seen.reason
    assert look(archive, lake, guard=None).status is ChangeStatus.CHANGED


def test_a_listing_that_fails_says_nothing_of_files(archive, lake):
    class Failing(LocalArchive):
        def list(self, prefix):
            raise ListingError(f"cannot list {prefix}/deep: Stale file handle")

    follow(lake, archive, ["a"])
    seen = look(Failing(archive.root, 1), lake)
    assert seen.status is ChangeStatus.UNLISTED
    assert seen.reason == "cannot list a/deep: Stale file handle"


def test_what_was_listed_of_a_prefix_that_is_not_whole_is_followed_and_the_rest_is_told(
    archive, source, lake, monkeypatch
):
    write(source / "a" / "deep" / "1")
    follow(lake, archive, ["a"])
    deny(monkeypatch, source / "a" / "deep")
    reason = f"cannot list {source}/a/deep: Permission denied"
    assert look(archive, lake) == Detection("a", ChangeStatus.UNLISTED, reason=reason)
    (source / "a" / "1").unlink()
    assert look(archive, lake).status is ChangeStatus.UNLISTED, "nothing of it is gone before it is listed whole"
    write(source / "a" / "2", "changed")
    seen = look(archive, lake)
    assert (seen.status, seen.reason) == (ChangeStatus.CHANGED, reason)
    follow(lake, archive, ["a"])
    assert look(archive, lake).status is ChangeStatus.UNLISTED
    monkeypatch.undo()
    assert look(archive, lake).status is ChangeStatus.CHANGED
    follow(lake, archive, ["a"])
    assert look(archive, lake).status is ChangeStatus.UNCHANGED


def test_a_key_that_no_prefix_can_have_is_settled(archive, lake):
    assert look(archive, lake, "no/such/depth").status is ChangeStatus.UNCHANGED


rows = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=3), st.sampled_from("12"), max_size=5
)


def versions(pairs):
    schema = pa.schema([("path", pa.string()), ("fingerprint", pa.string())])
    return pa.Table.from_pylist([{"path": path, "fingerprint": text} for path, text in pairs], schema)


@given(rows, rows)
def test_digests_are_equal_when_rows_are_whatever_their_order(left, right):
    assert digest(versions(left.items())) == digest(versions(reversed(left.items())))
    assert (digest(versions(left.items())) == digest(versions(right.items()))) == (left == right)


class SlowArchive(LocalArchive):
    """Lists one prefix only when it is let."""

    gate = threading.Event()
    listed: list[str] = []  # noqa: RUF012 - one archive in one test

    def list(self, prefix):
        self.listed.append(prefix)
        if prefix == "b":
            self.gate.wait(30)
        return super().list(prefix)


def test_a_sweep_ends_in_time_and_goes_on_with_the_listing_under_way(source, lake):
    write(source / "c" / "1")
    archive, watch, state = SlowArchive(str(source), 1), ChangeDetector(), CatalogState(lake)
    started = time.monotonic()
    first = list(watch.sweep(archive, state, ["a", "b", "c"], GUARD, started + 0.5))
    assert time.monotonic() - started < 2
    assert [seen.prefix for seen in first] == ["a"]
    archive.gate.set()
    second = list(watch.sweep(archive, state, ["b", "c"], GUARD, time.monotonic() + 30))
    assert [seen.prefix for seen in second] == ["b", "c"]
    assert archive.listed.count("b") == 1, "the listing was not started anew"


def test_a_sweep_without_time_looks_at_nothing(archive, lake):
    assert list(ChangeDetector().sweep(archive, CatalogState(lake), ["a"], GUARD, time.monotonic())) == []
