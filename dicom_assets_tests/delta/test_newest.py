"""Tables are read again when they have moved on, and only then."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from dicom_assets.delta import newest as module
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import LakeError, TableLocation
from dicom_assets.delta.newest import newest
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.rows import append, index_rows, paths

Reads = Callable[[], int]


@pytest.fixture
def reads(monkeypatch) -> Reads:
    """Return what counts how often a log was read since it was last asked."""
    read = TableLocation.open
    seen: list[str] = []

    def counted(location: TableLocation, version: int | None = None) -> DeltaTable:
        seen.append(location.uri)
        return read(location, version)

    def count() -> int:
        number = len(seen)
        seen.clear()
        return number

    monkeypatch.setattr(TableLocation, "open", counted)
    monkeypatch.setattr(module, "_TABLES", module._Tables())
    return count


def _elsewhere(location: TableLocation, **properties: str) -> None:
    """Change a table as another process does, of which this one is told nothing."""
    DeltaTable(location.uri).alter.set_table_properties(properties, raise_if_not_exists=False)


def test_a_table_that_stays_is_read_once(lake, reads):
    append(lake, index_rows("a", ["1"]))
    location = lake.location(FILE_INDEX)
    newest(location)
    reads()
    assert newest(location) is newest(location)
    assert paths(lake) == ["/archive/a/1"]
    assert reads() == 0


def test_what_was_committed_here_is_not_read_again(lake, reads):
    append(lake, index_rows("a", ["1"]))
    version = append(lake, index_rows("a", ["2"]))
    reads()
    assert newest(lake.location(FILE_INDEX)).version() == version
    assert reads() == 0


def test_what_another_process_committed_is_seen_at_once(lake, reads):
    append(lake, index_rows("a", ["1"]))
    location = lake.location(FILE_INDEX)
    for number in range(3):
        before = newest(location)
        _elsewhere(location, **{"dicom_assets.mark": str(number)})
        after = newest(location)
        assert after.version() == before.version() + 1
        assert after.metadata().configuration["dicom_assets.mark"] == str(number)
        assert before.metadata().configuration.get("dicom_assets.mark") != str(number), "read by others: it stays"


def test_a_table_made_anew_at_the_same_version_is_another(lake, reads):
    append(lake, index_rows("a", ["1"]))
    location = lake.location(FILE_INDEX)
    known = newest(location)
    shutil.rmtree(location.uri)
    append(lake, index_rows("b", ["2", "3"]))
    assert newest(location).version() == known.version()
    assert paths(lake) == ["/archive/b/2", "/archive/b/3"]


def test_a_table_that_is_gone_is_told(lake, reads):
    append(lake, index_rows("a", ["1"]))
    location = lake.location(FILE_INDEX)
    newest(location)
    shutil.rmtree(location.uri)
    with pytest.raises(TableNotFoundError):
        newest(location)


def test_a_log_that_was_shortened_is_read_again(lake, reads):
    append(lake, index_rows("a", ["1"]))
    location = lake.location(FILE_INDEX)
    delta = newest(location)
    delta.create_checkpoint()
    for commit in Path(location.uri, "_delta_log").glob("*.json"):
        commit.unlink()
    reads()
    assert newest(location).version() == delta.version()
    assert reads() == 1


@pytest.mark.parametrize(
    "fault", [DeltaError("Generic S3 error: connection refused"), OSError(5, "Input/output error")]
)
def test_a_lake_out_of_reach_is_told_in_the_words_of_who_opens_it(lake, monkeypatch, fault):
    append(lake, index_rows("a", ["1"]))
    location = lake.location(FILE_INDEX)
    newest(location)

    def unreachable(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(TableLocation, "filesystem", unreachable)
    assert newest(location).version() == 1, "the log can be read: nothing is amiss"
    monkeypatch.setattr(TableLocation, "open", _refusing)
    with pytest.raises(LakeError, match="the words"):
        newest(location)


def _refusing(*_: object) -> None:
    raise LakeError("the words")


def test_other_options_of_the_store_are_another_way_to_it(lake, reads):
    append(lake, index_rows("a", ["1"]))
    location = lake.location(FILE_INDEX)
    newest(location)
    reads()
    newest(TableLocation(location.uri, {"timeout": "30s"}))
    assert reads() == 1


def test_what_is_kept_is_bounded_and_the_oldest_goes_first(tmp_path, reads, monkeypatch):
    monkeypatch.setattr(module, "_FILES_KEPT", 3)
    lakes = [Lake(str(tmp_path / name)) for name in "abc"]
    for one in lakes:
        append(one, index_rows("x", ["1"]))
    locations = [one.location(FILE_INDEX) for one in lakes]
    append(lakes[2], index_rows("y", ["1"]))
    reads()
    newest(locations[1])
    newest(locations[2])
    assert reads() == 0, "three data files"
    newest(locations[0])
    assert reads() == 1, "let go for the second of the third table"
    newest(locations[2])
    assert reads() == 0
    newest(locations[1])
    assert reads() == 1


def test_a_table_that_is_too_large_by_itself_is_not_kept(lake, reads, monkeypatch):
    monkeypatch.setattr(module, "_FILES_KEPT", 1)
    append(lake, index_rows("x", ["1"]))
    append(lake, index_rows("y", ["1"]))
    reads()
    newest(lake.location(FILE_INDEX))
    newest(lake.location(FILE_INDEX))
    assert reads() == 2
