"""Which files changed between two versions: exact, whatever maintenance did to the data files between them."""

import datetime as dt
import shutil
import time
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom_assets.delta.lake import Lake
from dicom_assets.delta.maintenance import MaintenanceOptions, compact
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query import Catalog, NoCatalogError
from dicom_assets.query.as_of import VersionError, read_moment
from dicom_assets.query.version_changes import changes_between
from dicom_assets_tests.query.conftest import append, catalog_row
from dicom_assets_tests.support.made_up import replace

_NAMES = ("a/1", "a/2", "a/3", "b/1", "b/2")
_STATES = st.dictionaries(st.sampled_from(_NAMES), st.sampled_from(["x", "y", None]))


def _rows(state: dict[str, str | None], root: str = "/archive") -> pa.Table:
    names = sorted(state)
    return pa.table(
        {
            "prefix": pa.array([name.partition("/")[0] for name in names], pa.string()),
            "path": pa.array([f"{root}/{name}" for name in names], pa.string()),
            "relative_path": pa.array(names, pa.string()),
            "fingerprint": pa.array([state[name] for name in names], pa.string()),
            "SOPInstanceUID": pa.array([f"1.{name[0] == 'b':d}.{name[2]}" for name in names], pa.string()),
            "SOPClassUID": pa.array(["1.2.840.10008.5.1.4.1.1.2"] * len(names), pa.string()),
        }
    )


def _put(lake: Lake, state: dict[str, str | None], root: str = "/archive") -> int:
    """Make the catalog hold some files, and return the version."""
    replace(lake, OBJECT_CATALOG, ["a", "b"], _rows(state, root))
    return _version(lake)


def _version(lake: Lake) -> int:
    return lake.location(OBJECT_CATALOG).open().version()


def _told(lake: Lake, since, until=None) -> dict[str, str]:
    rows = changes_between(Catalog(lake), since, until).rows.read_all().to_pylist()
    assert all(row["SOPInstanceUID"] and row["SOPClassUID"] for row in rows)
    return {row["relative_path"]: row["change"] for row in rows}


def _expected(before: dict, after: dict) -> dict[str, str]:
    changed = {name: "changed" for name in before.keys() & after.keys() if before[name] != after[name]}
    added = dict.fromkeys(after.keys() - before.keys(), "added")
    return changed | added | dict.fromkeys(before.keys() - after.keys(), "removed")


@pytest.fixture
def lake(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    lake.ensure([OBJECT_CATALOG])
    return lake


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_STATES, min_size=2, max_size=4), st.booleans())
def test_any_two_versions_differ_by_what_their_rows_say(tmp_path, states, compacts):
    shutil.rmtree(tmp_path / "any", ignore_errors=True)
    lake = Lake(str(tmp_path / "any"))
    lake.ensure([OBJECT_CATALOG])
    versions = []
    for state in states:
        versions.append(_put(lake, state))
        if compacts:
            compact(lake.location(OBJECT_CATALOG), MaintenanceOptions(small_files=1))
    for older, before in enumerate(states):
        for newer in range(older, len(states)):
            told = _told(lake, versions[older], versions[newer])
            assert told == _expected(before, states[newer])


def test_compaction_and_the_same_rows_written_anew_change_nothing(lake):
    rows = [catalog_row("a", f"{number}", SOPInstanceUID="1.2", SOPClassUID="1.3") for number in range(4)]
    for row in rows:
        append(lake, OBJECT_CATALOG, [row])
    before = _version(lake)
    merged, *_ = compact(lake.location(OBJECT_CATALOG), MaintenanceOptions(small_files=2))
    assert merged == 4
    assert _version(lake) > before
    assert _told(lake, before) == {}
    append(lake, OBJECT_CATALOG, [catalog_row("b", "new", SOPInstanceUID="1.9", SOPClassUID="1.3")])
    assert _told(lake, before) == {"b/new": "added"}


def test_an_archive_that_moved_has_not_changed(lake):
    before = _put(lake, {"a/1": "x", "b/1": "y"})
    after = _put(lake, {"a/1": "x", "b/1": "z"}, root="/elsewhere")
    (row,) = changes_between(Catalog(lake), before, after).rows.read_all().to_pylist()
    assert (row["relative_path"], row["change"], row["path"]) == ("b/1", "changed", "/elsewhere/b/1")
    assert (row["fingerprint_before"], row["fingerprint"]) == ("y", "z")


def test_rows_kept_of_removed_files_are_removed_files(lake):
    before = _put(lake, {"a/1": "x", "a/2": "x"})
    rows = _rows({"a/1": "x", "a/2": "x"})
    gone = pa.array([dt.datetime.now(dt.UTC), None], pa.timestamp("us", "UTC"))
    replace(lake, OBJECT_CATALOG, ["a"], rows.append_column("removed_at", gone))
    assert _told(lake, before) == {"a/1": "removed"}


def test_a_time_stands_for_the_version_of_then(lake):
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    _put(lake, {"a/1": "x"})
    time.sleep(0.05)
    between = dt.datetime.now(dt.UTC)
    time.sleep(0.05)
    _put(lake, {"a/1": "x", "a/2": "x"})
    assert _told(lake, between) == {"a/2": "added"}
    assert _told(lake, start) == {"a/1": "added", "a/2": "added"}, "before there was a table"
    assert _told(lake, start, between) == {"a/1": "added"}


def test_a_version_that_is_no_longer_kept_is_one_clear_error(lake):
    first = _put(lake, {"a/1": "x"})
    second = _put(lake, {"a/1": "y"})
    _put(lake, {"a/1": "z"})
    delta = DeltaTable(lake.location(OBJECT_CATALOG).uri)
    delta.vacuum(0, dry_run=False, enforce_retention_duration=False)
    for since in (first, second):
        with pytest.raises(VersionError, match=f"version {since} of object_catalog is no longer kept") as caught:
            _told(lake, since)
        assert "\n" not in str(caught.value)


def test_a_log_that_was_shortened_says_where_it_begins(lake):
    _put(lake, {"a/1": "x"})
    newest = _put(lake, {"a/1": "y"})
    delta = DeltaTable(lake.location(OBJECT_CATALOG).uri)
    delta.create_checkpoint()
    folder = Path(delta.table_uri.removeprefix("file://")) / "_delta_log"
    for version in range(newest):
        (folder / f"{version:020d}.json").unlink()
    with pytest.raises(VersionError, match=f"begins with {newest}"):
        _told(lake, 0)
    with pytest.raises(VersionError, match="does not reach back"):
        _told(lake, dt.datetime.now(dt.UTC) - dt.timedelta(days=1))


def test_versions_that_are_not_there_or_the_wrong_way_round(lake):
    _put(lake, {"a/1": "x"})
    for since, until, message in ((99, None, "no version 99"), (1, 0, "older one")):
        with pytest.raises(VersionError, match=message):
            _told(lake, since, until)


def test_a_lake_without_a_catalog(tmp_path):
    with pytest.raises(NoCatalogError):
        changes_between(Catalog(Lake(str(tmp_path))), 0)


@pytest.mark.parametrize(
    ("asked", "moment"),
    [
        ("7", 7),
        ("2024-01-31", dt.datetime(2024, 1, 31, tzinfo=dt.UTC)),
        ("2024-01-31T12:00", dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC)),
        ("2024-01-31T12:00+02:00", dt.datetime(2024, 1, 31, 10, tzinfo=dt.UTC)),
    ],
)
def test_a_version_or_a_time_is_read(asked, moment):
    assert read_moment(asked) == moment


@pytest.mark.parametrize("asked", ["yesterday", "-1", "", "1.5"])
def test_what_is_neither_is_one_line(asked):
    with pytest.raises(VersionError, match="neither a version nor a time"):
        read_moment(asked)
