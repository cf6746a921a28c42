"""Columns in memory are those of the data files, whatever versions came before, and only new files are read."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_assets.query import keeping, kept
from dicom_assets.query.kept import Kept, TooLargeError

TEXTS = st.one_of(st.none(), st.sampled_from(["CT", "MR", "", "Zoë"]))
FILES = st.lists(TEXTS, max_size=5)
VERSIONS = st.lists(st.sets(st.integers(0, 12)), min_size=1, max_size=5)


def table(number, modalities):
    count = len(modalities)
    return pa.table(
        {
            "path": pa.array([f"{number}/{place}" for place in range(count)], pa.string()),
            "Modality": pa.array(modalities, pa.string()),
            "size": pa.array(range(count), pa.int64()),
        }
    )


def rows_of(found):
    return [] if found is None else sorted(found.to_pylist(), key=lambda row: row["path"])


class Stored:
    """Data files, and which of them were read."""

    def __init__(self, contents):
        self.tables = {f"part-{number}": table(number, content) for number, content in enumerate(contents)}
        self.asked = []

    def read(self, paths):
        self.asked.extend(paths)
        return (self.tables[path] for path in paths)


@settings(max_examples=60, deadline=None)
@given(contents=st.lists(FILES, min_size=13, max_size=13), versions=VERSIONS, size=st.sampled_from([2, 6, 1000]))
def test_each_version_has_its_rows_and_reads_what_is_new(contents, versions, size):
    stored, now, before = Stored(contents), Kept(), set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "_BLOCK_ROWS", size)
        for version in versions:
            files = {f"part-{number}": None for number in sorted(version)}
            stored.asked.clear()
            now = now.followed(files, stored.read, {"Modality"})
            assert set(stored.asked) == set(files) - before
            assert now.files == set(files)
            assert rows_of(now.rows) == rows_of(pa.concat_tables([table(0, []), *map(stored.tables.get, files)]))
            before = set(files)


def test_another_version_leaves_the_one_before_as_it_is():
    stored = Stored([["CT"] * 3, ["MR"] * 3])
    first = Kept().followed({"part-0": None}, stored.read, {"Modality"})
    second = first.followed({"part-1": None}, stored.read, {"Modality"})
    assert first.rows["Modality"].to_pylist() == ["CT"] * 3
    assert second.rows["Modality"].to_pylist() == ["MR"] * 3


def test_texts_that_rows_share_are_kept_once():
    stored = Stored([["a long description of a series"] * 1000])
    once = Kept().followed({"part-0": None}, stored.read, {"Modality"})
    each = Kept().followed({"part-0": None}, stored.read)
    assert once.nbytes < each.nbytes - 20_000


def test_more_than_may_be_kept_is_said_before_all_is_read(monkeypatch):
    monkeypatch.setattr(kept, "_BLOCK_ROWS", 10)
    stored = Stored([["CT"] * 10] * 50)
    read = []

    def one_by_one(paths):
        for path in paths:
            read.append(path)
            yield stored.tables[path]

    with pytest.raises(TooLargeError):
        Kept().followed(dict.fromkeys(stored.tables), one_by_one, (), 1_000)
    assert len(read) < 10


class Dataset:
    """What a keeper sees of a table."""

    def __init__(self, stored, failing=False):
        self._stored, self._failing = stored, failing
        self.fragments = dict.fromkeys(stored.tables)
        self.schema = table(0, []).schema

    def read(self, paths, names):
        if self._failing:
            raise OSError("a data file is gone")
        return (part.select(names) for part in self._stored.read(paths))


COLUMNS = keeping.Columns(("path", "Modality", "absent"), frozenset({"path"}), 1 << 20)


def test_few_files_are_read_at_once_and_many_behind_the_back(monkeypatch):
    stored = Stored([["CT"]] * 5)
    keeper = keeping.Keeper(COLUMNS)
    monkeypatch.setattr(keeping, "_AT_ONCE", 4)
    assert keeper.rows(Dataset(stored)) is None
    keeper.wait()
    rows = keeper.rows(Dataset(stored))
    assert rows.column_names == ["path", "Modality"]
    assert (rows.num_rows, len(stored.asked)) == (5, 5)


def test_what_fails_behind_the_back_is_tried_again(monkeypatch):
    stored = Stored([["CT"]] * 5)
    keeper = keeping.Keeper(COLUMNS)
    monkeypatch.setattr(keeping, "_AT_ONCE", 4)
    assert keeper.rows(Dataset(stored, failing=True)) is None
    keeper.wait()
    assert keeper.rows(Dataset(stored)) is None
    keeper.wait()
    assert keeper.rows(Dataset(stored)).num_rows == 5


def test_a_table_that_takes_too_much_is_not_tried_again_until_it_shrinks():
    stored, smaller = Stored([["CT"] * 1000] * 3), Stored([["CT"]])
    keeper = keeping.Keeper(keeping.Columns(COLUMNS.names, COLUMNS.unique, 100))
    assert keeper.rows(Dataset(stored)) is None
    stored.asked.clear()
    assert keeper.rows(Dataset(stored)) is None
    assert not stored.asked
    assert keeper.rows(Dataset(smaller)).num_rows == 1
