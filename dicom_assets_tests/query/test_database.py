import datetime as dt
import gc
import subprocess
import sys
import time

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import TableLocation
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query import Catalog, CatalogError, NoCatalogError, QueryError
from dicom_assets_tests.query.conftest import CT_PREFIX, OTHER_PREFIX, ROWS, append, catalog_row


@pytest.fixture(params=["local", "remote"])
def catalog(request, lake, monkeypatch):
    """The catalog as it is read from a disk, and as it is read from an object store."""
    if request.param == "remote":
        monkeypatch.setattr(TableLocation, "is_local", False)
    return Catalog(lake)


def test_tables_are_those_that_exist(catalog):
    assert catalog.tables() == ("file_index", "object_catalog")


def test_values_of_every_kind_come_out_as_they_went_in(catalog):
    result = catalog.sql("SELECT * FROM object_catalog ORDER BY path").to_arrow_table()
    assert result.select(OBJECT_CATALOG.schema.names).schema.types == OBJECT_CATALOG.schema.types
    expected = {row["path"]: row for row in ROWS}
    for row in result.drop(["SliceThickness"]).to_pylist():
        assert {name: value for name, value in row.items() if value is not None} == {
            name: value
            for name, value in expected[row["path"]].items()
            if value is not None and name != "SliceThickness"
        }


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("Modality = 'CT'", {"a.dcm", "b.dcm"}),
        ("Modality IS NULL", {"notes.txt"}),
        ("Modality <> 'CT'", {"<b>&.dcm"}),
        ("prefix = 'it''s'", {"<b>&.dcm", "notes.txt"}),
        ("prefix IN ('2024/01 50%', 'none')", {"a.dcm", "b.dcm"}),
        ("prefix LIKE '2024/%' AND InstanceNumber >= 2", {"b.dcm"}),
        ("StudyDate = DATE '2024-01-31' AND size < 1000", {"<b>&.dcm"}),
        ("modified_at = TIMESTAMPTZ '2024-01-31 23:59:59.123456+00' AND Modality = 'US'", {"<b>&.dcm"}),
        ("modified_at > TIMESTAMPTZ '2024-02-01 00:59:59+01' AND InstanceNumber = 1", {"a.dcm"}),
        ("PixelSpacing[2] = 0.25 AND InstanceNumber = 1", {"a.dcm"}),
        ("SliceThickness > 1000", {"b.dcm"}),  # NaN is greater than all, and in no statistics
        ("\"Columns\" = 256 AND Rows = 512 AND Modality = 'US'", {"<b>&.dcm"}),
        ("path = '/archive/it''s/notes.txt' OR header_status = 'error'", {"notes.txt"}),
    ],
)
def test_filters_find_exactly_their_rows(catalog, condition, names):
    rows = catalog.sql(f"SELECT relative_path FROM object_catalog WHERE {condition}").fetchall()
    assert {path.rpartition("/")[2] for (path,) in rows} == names


def test_a_table_may_be_read_twice_in_one_query_and_a_result_twice(catalog):
    result = catalog.sql("SELECT count(*) FROM object_catalog a JOIN object_catalog b USING (path)")
    gc.collect()
    assert result.fetchall() == result.fetchall() == [(len(ROWS),)]


def test_limit_ends_a_query_early(catalog):
    assert len(catalog.sql("SELECT * FROM object_catalog LIMIT 1").fetchall()) == 1


def test_an_empty_table_has_its_columns(catalog):
    result = catalog.sql("SELECT * FROM file_index")
    assert "modified_at" in result.columns
    assert result.fetchall() == []


def test_all_tables_are_shown_and_described(catalog):
    shown = {name for (name,) in catalog.sql("SHOW TABLES").fetchall()}
    assert shown == {"file_index", "object_catalog", "dicom_dictionary", *(view.name for view in catalog.views())}
    columns = {name: type_ for name, type_, *_ in catalog.sql("DESCRIBE Object_Catalog").fetchall()}
    assert columns["modified_at"] == "TIMESTAMP WITH TIME ZONE"
    assert columns["StudyDate"] == "DATE"
    assert columns["PixelSpacing"] == "DOUBLE[]"
    assert columns["thumbnail"] == "BLOB"


def test_only_files_that_may_match_are_opened_and_only_columns_asked_for(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, [catalog_row("ct", "1"), catalog_row("us", "1", Modality="US")])
    table = tmp_path / "dicom" / "object_catalog"
    next(table.glob("prefix=us/*.parquet")).unlink()

    catalog = Catalog(lake)
    assert catalog.sql("SELECT count(*) FROM object_catalog WHERE Modality = 'CT'").fetchall() == [(1,)]
    assert catalog.sql("SELECT count(*) FROM object_catalog WHERE prefix = 'ct'").fetchall() == [(1,)]
    with pytest.raises(Exception, match="No such file"):
        catalog.sql("SELECT count(Modality) FROM object_catalog").fetchall()

    plan = Catalog(lake).sql("EXPLAIN SELECT Modality FROM object_catalog WHERE size > 1").fetchall()[0][1]
    assert "Modality" in plan
    assert "thumbnail" not in plan


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", r'Parser Error: syntax error at or near "SELEC"'),
        ("SELECT * FROM objects", r"Table with name objects does not exist! Tables here: file_index, object_catalog\."),
        ("SELECT Modalty FROM object_catalog", r'"Modalty" not found .*"Modality"'),
        ("SELECT * FROM query", r"Tables here"),
        (" ", "the query is empty"),
        ("-- nothing", "the query is empty"),
        ("SELECT '\udc80'", "no UTF-8"),
    ],
)
def test_a_bad_query_gets_one_clear_line(catalog, query, message):
    with pytest.raises(QueryError, match=message) as caught:
        catalog.sql(query)
    assert "\n" not in str(caught.value)


def test_no_lake_and_an_empty_folder_are_told(tmp_path):
    for root in (tmp_path, tmp_path / "none"):
        with pytest.raises(NoCatalogError, match=r"there is no catalog at .*/dicom"):
            Catalog(Lake(str(root))).sql("SELECT 1")


def test_tables_of_users_beside_the_catalog_are_found(lake, tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, ROWS)
    location = f"{tmp_path}/dicom/my-cohort"
    (tmp_path / "dicom" / "not_a_table").mkdir()
    data = pa.table({"path": [ROWS[0]["path"], "x"], "day": [dt.date(2024, 1, 31), None], "score": [1, 2]})
    write_deltalake(location, data, partition_by=["day"])
    catalog = Catalog(lake)

    assert catalog.tables() == ("object_catalog", "my-cohort")
    joined = catalog.sql('SELECT score, day FROM "my-cohort" JOIN object_catalog USING (path)')
    assert joined.fetchall() == [(1, dt.date(2024, 1, 31))]
    assert catalog.sql('SELECT score FROM "my-cohort" WHERE day IS NULL').fetchall() == [(2,)]


def test_a_column_added_later_is_null_in_older_files(tmp_path):
    folder = tmp_path / "dicom" / "cohort"
    write_deltalake(str(folder), pa.table({"a": [1]}))
    write_deltalake(str(folder), pa.table({"a": [2], "b": ["x"]}), mode="append", schema_mode="merge")
    rows = Catalog(Lake(str(tmp_path))).sql("SELECT a, b FROM cohort ORDER BY a").fetchall()
    assert rows == [(1, None), (2, "x")]


def test_a_catalog_of_the_past(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, [ROWS[0]])
    time.sleep(0.01)
    before = dt.datetime.now(dt.UTC)
    time.sleep(0.01)
    append(lake, OBJECT_CATALOG, [ROWS[2]])
    query = "SELECT prefix FROM object_catalog ORDER BY prefix"
    assert Catalog(lake, as_of=before).sql(query).fetchall() == [(CT_PREFIX,)]
    assert Catalog(lake).sql(query).fetchall() == [(CT_PREFIX,), (OTHER_PREFIX,)]


def test_a_table_that_needs_more_than_its_files_is_refused(tmp_path):
    folder = tmp_path / "dicom" / "cohort"
    write_deltalake(str(folder), pa.table({"a": [1]}), configuration={"delta.enableDeletionVectors": "true"})
    assert "deletionVectors" in DeltaTable(str(folder)).protocol().reader_features
    with pytest.raises(CatalogError, match="deletionVectors"):
        Catalog(Lake(str(tmp_path))).sql("FROM cohort")


def test_variables_of_the_caller_are_no_tables(catalog):
    cohort = pa.table({"a": [1]})
    with pytest.raises(QueryError, match="cohort"):
        catalog.sql("FROM cohort")
    assert cohort.num_rows == 1


def test_a_short_process_leaves_no_noise(lake):
    program = (
        "import sys; from dicom_assets.query import Catalog; from dicom_assets.delta.lake import Lake\n"
        "print(len(Catalog(Lake(sys.argv[1])).sql('FROM object_catalog LIMIT 1').fetchall()))"
    )
    command = [sys.executable, "-c", program, lake.root]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")
