"""Data files of a table as columns: the same as one by one."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.file_list import FileList
from dicom_assets.delta.files import write_batches
from dicom_assets.tables import FILE_INDEX


def rows(prefix, *names):
    columns = {name: pa.nulls(len(names), FILE_INDEX[name].type) for name in FILE_INDEX.schema.names}
    columns |= {"prefix": pa.repeat(prefix, len(names)), "path": pa.array([f"/{prefix}/{name}" for name in names])}
    return pa.table(columns, schema=FILE_INDEX.schema)


@pytest.fixture
def location(lake):
    """Fill the index of a lake: two data files of one prefix, written in the wrong order, and one of others each."""
    lake.ensure([FILE_INDEX])
    found = lake.location(FILE_INDEX)
    for some in (rows("b", "3", "4"), rows("2024/01", "1"), rows("b", "1"), rows("a*", "x", "y", "z")):
        adds = write_batches(found.filesystem(), FILE_INDEX, some.to_batches())
        commit(found, Change(adds, [], {}))
    return found


def test_all_files_are_in_the_order_of_prefix_and_first_key(location):
    files = FileList.of(location.open()).all()
    assert [(file.prefix, file.first_key, file.rows) for file in files] == [
        ("2024/01", "/2024/01/1", 1),
        ("a*", "/a*/x", 3),
        ("b", "/b/1", 1),
        ("b", "/b/3", 2),
    ]
    held = {entry.path for entry in location.filesystem().get_file_info([file.path for file in files]) if entry.size}
    assert held == {file.path for file in files}


def test_each_prefix_has_its_own(location):
    listed = FileList.of(location.open())
    assert listed.prefixes == ["2024/01", "a*", "b"]
    assert [len(listed.of_prefix(prefix)) for prefix in ("2024/01", "a*", "b")] == [1, 1, 2]
    assert [listed.of_prefix(prefix) for prefix in ("", "a", "2024/02", "c")] == [(), (), (), ()]
    assert listed.rows_by_prefix() == {"2024/01": 1, "a*": 3, "b": 3}
    assert (listed.rows("b"), listed.rows("none")) == (3, 0)


def test_those_of_some_prefixes_are_the_same_as_among_all(location):
    delta = location.open()
    some = FileList.of(delta, frozenset(["b", "none"]))
    assert some.all() == FileList.of(delta).of_prefix("b")
    assert FileList.of(delta, frozenset()).all() == ()


def test_a_table_without_rows_has_none(lake):
    lake.ensure([FILE_INDEX])
    listed = lake.file_list(FILE_INDEX)
    assert (listed.all(), listed.prefixes, listed.rows_by_prefix(), listed.rows("a")) == ((), [], {}, 0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 9)), max_size=12))
def test_rows_are_told_where_the_log_tells_those_of_every_file(stated):
    files = sorted(stated, key=lambda file: file[0])
    columns = {
        "prefix": pa.array([prefix for prefix, _ in files], pa.string()),
        "path": pa.array([str(number) for number in range(len(files))], pa.string()),
        "size": pa.array([1] * len(files), pa.int64()),
        "rows": pa.array([count for _, count in files], pa.int64()),
        "first_key": pa.nulls(len(files), pa.string()),
        "last_key": pa.nulls(len(files), pa.string()),
    }
    listed = FileList(pa.table(columns))
    for prefix in "abcd":
        counts = [count for one, count in files if one == prefix]
        assert listed.rows(prefix) == (None if None in counts else sum(counts))
        assert len(listed.of_prefix(prefix)) == len(counts)
    assert sum(listed.rows_by_prefix().values()) == sum(count or 0 for _, count in files)
