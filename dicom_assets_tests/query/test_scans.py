"""What is read of a table: nothing where the log knows, and of each file no more than a query needs."""

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_assets.archive.local import LocalArchive
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import TableLocation
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query import Catalog, opened, scans
from dicom_assets_tests.query.conftest import append, catalog_row
from dicom_assets_tests.support.scratch import IN_PROCESS
from dicom_assets_tests.support.whole import put

PREFIXES = 40


@pytest.fixture(params=["local", "remote"])
def lake(request, tmp_path, monkeypatch):
    if request.param == "remote":
        monkeypatch.setattr(TableLocation, "is_local", False)
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    rows = [
        catalog_row(f"p{number // 2:02}", f"{number}", SOPInstanceUID=f"1.{number % 7}.{number}")
        for number in range(2 * PREFIXES)
    ]
    append(lake, OBJECT_CATALOG, rows)
    return lake


def _data_files(lake):
    return sorted(Path(lake.root, "dicom", "object_catalog").glob("prefix=*/*.parquet"))


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("SELECT count(*) FROM object_catalog", [(2 * PREFIXES,)]),
        ("SELECT count(*) FROM object_catalog WHERE prefix < 'p10'", [(20,)]),
        ("SELECT count(*) FROM object_catalog WHERE prefix LIKE '%7' OR prefix IN ('p01', 'none')", [(10,)]),
        ("SELECT prefix, count(*) FROM object_catalog GROUP BY prefix ORDER BY prefix LIMIT 1", [("p00", 2)]),
        ("SELECT count(DISTINCT prefix) FROM object_catalog", [(PREFIXES,)]),
        ("SELECT count(*) FROM object_catalog WHERE prefix IS NULL", [(0,)]),
        ("WITH x AS (FROM object_catalog) SELECT count(*) + (SELECT count(*) FROM x) FROM x", [(4 * PREFIXES,)]),
    ],
)
def test_rows_are_counted_without_opening_a_data_file(lake, query, answer):
    for file in _data_files(lake):
        file.unlink()
    assert Catalog(lake).sql(query).fetchall() == answer


def test_a_count_that_the_log_does_not_know_is_read(tmp_path):
    folder = f"{tmp_path}/dicom/cohort"
    write_deltalake(folder, pa.table({"day": ["a", "a", "b"], "x": [1, 2, 3]}), partition_by=["day"])
    for entry in Path(folder, "_delta_log").glob("*.json"):
        entry.write_text(entry.read_text().replace("numRecords", "otherRecords"))
    assert DeltaTable(folder).get_add_actions(flatten=True).column("num_records").null_count == 2
    catalog = Catalog(Lake(str(tmp_path)))
    assert catalog.sql("SELECT day, count(*) FROM cohort GROUP BY day ORDER BY day").fetchall() == [("a", 2), ("b", 1)]


def test_a_search_reads_the_other_columns_of_matching_files_only(lake, monkeypatch):
    """Shown by files whose thumbnails cannot be read: they are cut out of the middle of the file."""
    files = _data_files(lake)
    for file in files[1:]:
        content = bytearray(file.read_bytes())
        start = content.find(b"\xff\xd8\xff")
        if start > 0:
            content[start - 64 : start + 64] = bytes(128)
        file.write_bytes(content)
    uid = "1.1.1"
    found = Catalog(lake).sql(f"SELECT path, thumbnail FROM object_catalog WHERE SOPInstanceUID = '{uid}'").fetchall()
    assert [path.rpartition("/")[2] for path, _ in found] == ["1"]
    assert found[0][1].startswith(b"\xff\xd8")


def test_long_values_of_many_files_are_not_read_into_memory(tmp_path, monkeypatch):
    """Shown by headers that cannot be read: by their statistics, all files may hold the instance."""
    monkeypatch.setattr(scans, "_GROUP_ROWS", PREFIXES)
    folder = tmp_path / "dicom" / "headers"
    uids = [f"1.{number % 2}.{number:03}" for number in range(2 * PREFIXES)]
    table = pa.table({"p": [n // 2 for n in range(len(uids))], "uid": uids, "header": [f"text {uid}" for uid in uids]})
    statistics = {"delta.dataSkippingStatsColumns": "uid"}
    write_deltalake(str(folder), table, partition_by=["p"], configuration=statistics)
    for file in folder.glob("p=*/*.parquet"):
        if file.parent.name != "p=39":
            chunk = pq.read_metadata(file).row_group(0).column(1)
            assert chunk.path_in_schema == "header"
            content = bytearray(file.read_bytes())
            start = chunk.dictionary_page_offset or chunk.data_page_offset
            content[start : start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
            file.write_bytes(content)
    found = Catalog(Lake(str(tmp_path))).sql("SELECT header FROM headers WHERE uid = '1.0.078'").fetchall()
    assert found == [("text 1.0.078",)]


def test_rows_that_the_log_does_not_count_may_be_many(tmp_path, monkeypatch):
    monkeypatch.setattr(scans.TableDataset, "_whole", None)
    folder = tmp_path / "dicom" / "cohort"
    days = [f"{number:02}" for number in range(PREFIXES)]
    write_deltalake(str(folder), pa.table({"day": days, "x": range(PREFIXES)}), partition_by=["day"])
    for entry in (folder / "_delta_log").glob("*.json"):
        entry.write_text(entry.read_text().replace("numRecords", "otherRecords"))
    assert Catalog(Lake(str(tmp_path))).sql("SELECT sum(x) FROM cohort").fetchall() == [(780,)]


@settings(max_examples=40, deadline=None)
@given(numbers=st.sets(st.integers(-5, 90), max_size=60), columns=st.sampled_from(["path", "prefix", "*", "count(*)"]))
def test_a_filter_finds_the_same_rows_whatever_is_asked_of_them(many, numbers, columns):
    uids = ", ".join(f"'1.{number}'" for number in sorted(numbers)) or "'none'"
    rows = many.sql(f"SELECT {columns} FROM object_catalog WHERE SOPInstanceUID IN ({uids})").fetchall()
    expected = sum(number in range(80) for number in numbers)
    assert (rows[0][0] if columns == "count(*)" else len(rows)) == expected


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    lake.ensure([OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, [catalog_row(f"p{n % 40}", f"{n}", SOPInstanceUID=f"1.{n}") for n in range(80)])
    return Catalog(lake)


# What stays open between queries.

COUNT = "SELECT count(*), max(path) FROM object_catalog"


@pytest.fixture
def read(monkeypatch):
    """The tables that are read from the log, one entry each time."""
    read = []
    as_dataset = opened.as_dataset
    monkeypatch.setattr(opened, "as_dataset", lambda *given: read.append(given[0].uri) or as_dataset(*given))
    return read


def test_a_log_is_read_again_only_when_it_has_moved_on(lake, read):
    catalog = Catalog(lake)
    first = catalog.sql(COUNT).fetchall()
    assert catalog.sql(COUNT).fetchall() == first
    assert len(read) == 1
    append(lake, OBJECT_CATALOG, [catalog_row("q", "new")])
    assert catalog.sql(COUNT).fetchall() == [(2 * PREFIXES + 1, "/archive/q/new")]
    assert len(read) == 2
    assert catalog.sql(f"{COUNT} WHERE Modality = 'CT'").fetchall() == catalog.sql(COUNT).fetchall()
    assert len(read) == 3, "statistics of another column"


def test_a_table_that_was_made_anew_is_read_anew(tmp_path):
    folder = tmp_path / "dicom" / "cohort"
    catalog = Catalog(Lake(str(tmp_path)))
    write_deltalake(str(folder), pa.table({"a": [1]}))
    assert catalog.sql("SELECT a FROM cohort").fetchall() == [(1,)]
    shutil.rmtree(folder)
    write_deltalake(str(folder), pa.table({"b": ["x", "y"]}))
    assert catalog.sql("SELECT b FROM cohort").fetchall() == [("x",), ("y",)]


def test_a_log_without_its_commits_is_read_every_time(tmp_path, read):
    folder = tmp_path / "dicom" / "cohort"
    write_deltalake(str(folder), pa.table({"a": [1]}))
    DeltaTable(str(folder)).create_checkpoint()
    (folder / "_delta_log" / f"{0:020}.json").unlink()
    catalog = Catalog(Lake(str(tmp_path)))
    assert catalog.sql("SELECT a FROM cohort").fetchall() == [(1,)]
    assert catalog.sql("SELECT a FROM cohort").fetchall() == [(1,)]
    assert len(read) == 2


def test_a_table_that_is_gone_is_one_clear_error(tmp_path):
    folder = tmp_path / "dicom" / "cohort"
    write_deltalake(str(folder), pa.table({"a": [1]}))
    catalog = Catalog(Lake(str(tmp_path)))
    assert catalog.sql("FROM cohort").fetchall() == [(1,)]
    write_deltalake(str(tmp_path / "dicom" / "other"), pa.table({"a": [1]}))
    shutil.rmtree(folder)
    with pytest.raises(Exception, match="cohort"):
        catalog.sql("FROM cohort").fetchall()


def test_a_result_of_an_earlier_version_stays_readable_beside_a_later_one(lake):
    catalog = Catalog(lake)
    earlier = catalog.sql(COUNT)
    append(lake, OBJECT_CATALOG, [catalog_row("q", "new")])
    later = catalog.sql(COUNT)
    assert later.fetchall()[0][0] == earlier.fetchall()[0][0] + 1


def test_big_tables_are_not_kept(lake, monkeypatch):
    monkeypatch.setattr(opened, "_FILES_KEPT", 5)
    catalog = Catalog(lake)
    assert catalog.sql(COUNT).fetchall() == catalog.sql(COUNT).fetchall()
    assert all(entry.dataset is None for entry in catalog._open._opened.values())


def test_what_is_open_belongs_to_its_process(many):
    copy = pickle.loads(pickle.dumps(many))
    assert copy == many
    assert copy.sql(COUNT).fetchall() == many.sql(COUNT).fetchall()


def test_a_session_has_nothing_of_another(many):
    assert many.sql("FROM problems").fetchall() == []
    left = "SELECT view_name FROM duckdb_views() WHERE NOT internal AND view_name <> 'dicom_dictionary'"
    assert sorted(many.sql(left).fetchall()) == sorted(many.sql(left).fetchall())
    assert many.sql("SELECT dicom(header, 'StudyID') FROM object_catalog LIMIT 1").fetchall() == [(None,)]
    assert many.sql("SELECT dicom(header, 'PatientID') FROM object_catalog LIMIT 1").fetchall() == [(None,)]


def test_a_small_table_of_many_files_is_kept_and_followed(tmp_path):
    source, lake = tmp_path / "archive", Lake(str(tmp_path / "lake"))
    for prefix in range(40):
        put(source / f"p{prefix:02}" / "1.dcm", prefix)
    update_catalog(LocalArchive(str(source), 1), lake, engine=IN_PROCESS)
    catalog = Catalog(lake)
    query = "SELECT count(DISTINCT SeriesInstanceUID), sum(files) FROM all_series"
    first = catalog.sql(query).fetchall()
    for file in list((tmp_path / "lake/dicom/series").rglob("*.parquet")):
        file.rename(file.with_suffix(".away"))
    assert catalog.sql(query).fetchall() == first == [(40, 40)], "no data file is opened again"
    for file in list((tmp_path / "lake/dicom/series").rglob("*.away")):
        file.rename(file.with_suffix(".parquet"))
    put(source / "p00" / "2.dcm", 100)
    update_catalog(LocalArchive(str(source), 1), lake, engine=IN_PROCESS)
    assert catalog.sql(query).fetchall() == [(41, 41)]


@pytest.mark.parametrize("rows", [1, 3, 1000])
def test_long_columns_are_read_group_by_group_and_whole(lake, monkeypatch, rows):
    monkeypatch.setattr(scans, "_GROUP_ROWS", rows)
    query = "SELECT path, fingerprint FROM object_catalog WHERE path NOT LIKE '%/7' ORDER BY path"
    expected = [f"/archive/p{number // 2:02}/{number}" for number in range(2 * PREFIXES) if number != 7]
    assert Catalog(lake).sql(query).fetchall() == [(path, "1") for path in sorted(expected)]


def test_few_files_of_a_small_table_are_read_without_the_others(lake, monkeypatch):
    monkeypatch.setattr(scans, "_SCATTERED_FILES", 4)
    for file in _data_files(lake)[6:]:
        file.unlink()
    query = "SELECT path FROM object_catalog WHERE prefix < 'p06' ORDER BY path"
    assert Catalog(lake).sql(query).fetchall() == sorted((f"/archive/p{n // 2:02}/{n}",) for n in range(12))


_AT_ONCE = """\
import sys
from threading import Thread
import pyarrow.dataset as ds
from deltalake import DeltaTable
from dicom_assets.delta.location import TableLocation
from dicom_assets.query import scans
from dicom_assets.query.dataset import as_dataset
scans._FOOTERS_KEPT = 0
table = as_dataset(TableLocation(sys.argv[1]), DeltaTable(sys.argv[1]), lambda column: True)
condition = (ds.field("number") >= 100) & (ds.field("c3") < 400)
def scan():
    for _ in range(15):
        assert table.scanner(["number", "c1"], condition).to_reader().read_all().num_rows == 12 * 300
threads = [Thread(target=scan) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_scans_at_once_of_a_table_whose_footers_are_not_kept(tmp_path):
    """In a process of its own: Arrow ends the process where one scan drops what another reads."""
    numbers = list(range(500))
    for part in range(12):
        rows = {"prefix": [str(part)] * 500, "number": numbers, **{f"c{column}": numbers for column in range(40)}}
        write_deltalake(str(tmp_path), pa.table(rows), partition_by=["prefix"], mode="append")
    done = subprocess.run([sys.executable, "-c", _AT_ONCE, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
