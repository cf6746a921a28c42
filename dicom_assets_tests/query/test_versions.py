"""A catalog at a version of object_catalog: every table as it was then."""

import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from dicom_assets import open_catalog, update_catalog
from dicom_assets.query import CatalogError
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.corpus import PYDICOM_FILES


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake whose catalog got a second file, with a table of a user that was written after each update."""
    folder = tmp_path_factory.mktemp("versions")
    (folder / "archive" / "ct").mkdir(parents=True)
    for number, name in enumerate(("CT_small.dcm", "MR_small.dcm"), start=1):
        shutil.copy(PYDICOM_FILES / name, folder / "archive" / "ct")
        update_catalog(str(folder / "archive"), str(folder / "lake"), engine=InProcess())
        write_deltalake(str(folder / "lake" / "dicom" / "mine"), pa.table({"files": [number]}), mode="overwrite")
    return str(folder / "lake")


def newest(lake):
    return DeltaTable(f"{lake}/dicom/object_catalog").version()


def counts(catalog):
    tables = ("object_catalog", "file_index", "dicom_headers", "thumbnails")
    return {catalog.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in tables}


def test_each_version_shows_all_tables_as_they_were(lake):
    last = newest(lake)
    first = open_catalog(lake, version=last - 1)
    assert counts(first) == {1}
    assert counts(open_catalog(lake, version=last)) == counts(open_catalog(lake)) == {2}


def test_the_version_that_is_read_is_told(lake):
    assert open_catalog(lake).current_version() == newest(lake)
    assert open_catalog(lake, version=1).current_version() == 1


def test_tables_made_of_the_catalog_are_the_last_ones_before_the_next_version(lake):
    last = newest(lake)
    query = "SELECT files FROM mine"
    assert open_catalog(lake, version=last - 1).sql(query).fetchall() == [(1,)]
    assert open_catalog(lake, version=last).sql(query).fetchall() == [(2,)]


def test_rewrites_of_rows_do_not_change_what_a_version_shows(lake):
    last = newest(lake)
    DeltaTable(f"{lake}/dicom/dicom_headers").optimize.compact()
    assert counts(open_catalog(lake, version=last - 1)) == {1}


@pytest.mark.parametrize("version", [-1, 99])
def test_a_version_that_is_not_there_is_refused(lake, version):
    for table in ("object_catalog", "dicom_headers"):
        with pytest.raises(CatalogError, match="object_catalog has no version"):
            open_catalog(lake, version=version).sql(f"SELECT * FROM {table}")


def test_a_table_that_was_not_there_yet_is_told(lake):
    with pytest.raises(CatalogError, match="there was no table mine at version 0"):
        open_catalog(lake, version=0).sql("SELECT * FROM mine")


def test_a_time_and_a_version_are_one_too_many():
    with pytest.raises(CatalogError, match="give one"):
        open_catalog("/nowhere", as_of=datetime.now(UTC), version=1)
