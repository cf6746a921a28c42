"""Views: by what names they are found, what hides them, what is told where they cannot be read, and what they say."""

import re
import tarfile
import time
from datetime import UTC, datetime

import pyarrow as pa
import pydicom
import pytest
from deltalake import write_deltalake

from dicom_assets.delta.lake import Lake
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query import Catalog, QueryError
from dicom_assets.query import database as database_module
from dicom_assets.query.dictionary import DICTIONARY
from dicom_assets.query.relations import Relations
from dicom_assets.query.view import View
from dicom_assets.query.views import VIEWS
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.query.conftest import append, catalog_row
from dicom_assets_tests.support.corpus import PYDICOM_FILES, copy_files
from dicom_assets_tests.support.snippets import PROJECT

FILES = ("CT_small.dcm", "rtplan.dcm", "badVR.dcm", "MR_truncated.dcm", "README.txt", "nested_priv_SQ.dcm")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    update_catalog(str(copy_files(folder / "archive", {"a": FILES})), str(folder / "lake"), engine=InProcess())
    return Catalog(Lake(str(folder / "lake")))


def _names(rows):
    return {path.rpartition("/")[2] for (path, *_) in rows}


def test_views_are_listed_beside_tables(catalog):
    shown = {name for (name,) in catalog.sql("SHOW TABLES").fetchall()}
    assert shown == {*catalog.tables(), *(view.name for view in catalog.views()), DICTIONARY}
    assert {"issues", "problems", "elements"} <= shown
    found = catalog.sql("SELECT table_name FROM information_schema.tables WHERE table_name = 'issues'").fetchall()
    assert found == [("issues",)]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_is_described_and_read(catalog, view):
    columns = [name for name, *_ in catalog.sql(f"DESCRIBE {view.name}").fetchall()]
    assert columns == catalog.sql(f"FROM {view.name}").columns
    assert len(columns) > 3
    catalog.sql(f"FROM {view.name}").fetchall()
    catalog.sql(f"EXPLAIN FROM {view.name}").fetchall()
    assert catalog.sql(f"SELECT count(*) FROM Main.{view.name.upper()}").fetchall()


def test_issues_have_a_row_a_value(catalog):
    ((listed,),) = catalog.sql("SELECT sum(len(issues)) FROM dicom_headers").fetchall()
    rows = catalog.sql("SELECT path, element, tag, keyword, vr, code, meaning, raw FROM issues").fetchall()
    assert len(rows) == listed > 0
    for _, element, tag, keyword, _, code, meaning, _ in rows:
        assert element is None or element.endswith(tag)
        assert code in list(IssueCode)
        assert meaning != code
        assert keyword is None or re.fullmatch(r"\w+", keyword)
    assert any(keyword for _, _, _, keyword, *_ in rows)


def test_problems_are_the_files_that_are_not_well(catalog):
    rows = catalog.sql("SELECT path, status, reason FROM problems").fetchall()
    assert {"README.txt", "MR_truncated.dcm"} <= _names(rows)
    assert not {"CT_small.dcm", "rtplan.dcm"} & _names(rows)
    assert all(status not in ("ok", "no_image") and reason and reason != status for _, status, reason in rows)


def test_a_problem_without_a_reason_of_its_own_is_what_its_status_means(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, [catalog_row("p", "1", status="not_dicom"), catalog_row("p", "2", status="of-later")])
    rows = Catalog(lake).sql("SELECT reason FROM problems ORDER BY status").fetchall()
    assert rows == [("The content is something else, or nothing.",), ("of-later",)]


def test_elements_are_those_that_pydicom_finds(catalog):
    for name in ("CT_small.dcm", "nested_priv_SQ.dcm", "rtplan.dcm"):
        query = f"SELECT element, tag, keyword, vr, value FROM elements WHERE path LIKE '%/{name}'"
        found = {
            element: (tag, keyword, vr, value) for element, tag, keyword, vr, value in catalog.sql(query).fetchall()
        }
        dataset = pydicom.dcmread(PYDICOM_FILES / name)
        expected = dict(_walk(dataset.file_meta, "")) | dict(_walk(dataset, ""))
        for element in ("7FE00010", "FFFCFFFC"):
            expected.pop(element, None)
        assert set(found) - {"00020000"} == set(expected) - {"00020000"}
        for element, (tag, keyword, vr, value) in found.items():
            if element in expected:
                assert (tag, keyword or "", vr) == expected[element][:3], element
                assert expected[element][3] is None or value == expected[element][3], element


def _walk(dataset, way):
    """Yield what the view should have of each element: where it is, tag, keyword, VR, and the value of some VRs."""
    for element in dataset:
        tag = f"{int(element.tag):08X}"
        text = str(element.value) or None if element.VR in ("LO", "CS", "UI", "PN") and element.VM == 1 else None
        yield f"{way}{tag}", (tag, element.keyword, element.VR, text)
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from _walk(item, f"{way}{tag}[{number}].")


def test_the_dictionary_is_a_table(catalog):
    rows = catalog.sql(
        f"SELECT keyword, vr FROM {DICTIONARY} WHERE tag IN ('00101030', '60020010') ORDER BY 1"
    ).fetchall()
    assert rows == [("OverlayRows", "US"), ("PatientWeight", "DS")]
    assert catalog.sql(f"SELECT count(*) = count(DISTINCT tag) FROM {DICTIONARY}").fetchall() == [(True,)]


def test_a_filter_on_a_view_skips_data_files(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, [catalog_row("ct", "1", status="damaged"), catalog_row("us", "1", status="damaged")])
    next((tmp_path / "dicom" / "object_catalog").glob("prefix=us/*.parquet")).unlink()
    assert Catalog(lake).sql("SELECT count(path) FROM problems WHERE prefix = 'ct'").fetchall() == [(1,)]


def test_a_table_of_the_lake_hides_a_view_of_its_name(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    write_deltalake(f"{tmp_path}/dicom/Problems", pa.table({"mine": [1]}))
    catalog = Catalog(lake)
    assert catalog.sql("FROM problems").fetchall() == [(1,)]
    assert "problems" not in {view.name for view in catalog.views()}


def test_an_expression_of_the_query_hides_a_view(catalog):
    assert catalog.sql("WITH issues AS (SELECT 1) FROM issues").fetchall() == [(1,)]


def test_a_view_whose_tables_are_missing_says_so_and_harms_no_other_query(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    catalog = Catalog(lake)
    with pytest.raises(QueryError, match="the view issues reads the table dicom_headers, which this catalog does not"):
        catalog.sql("FROM issues")
    with pytest.raises(QueryError, match="the view issues reads the table dicom_headers"):
        catalog.sql("EXPLAIN FROM issues")
    assert catalog.sql("SELECT issues FROM object_catalog").fetchall() == []
    assert catalog.sql("EXPLAIN SELECT issues FROM object_catalog").fetchall()
    shown = {name for (name,) in catalog.sql("SHOW TABLES").fetchall()}
    assert shown == {"object_catalog", "problems", "duplicates", DICTIONARY}
    with pytest.raises(QueryError, match=r"Tables here: object_catalog\. Views: problems, duplicates\."):
        catalog.sql("FROM nothing")


def test_a_view_on_tables_of_an_older_release_says_what_to_do(tmp_path):
    write_deltalake(f"{tmp_path}/dicom/object_catalog", pa.table({"path": ["x"], "prefix": ["p"]}))
    catalog = Catalog(Lake(str(tmp_path)))
    with pytest.raises(QueryError, match="bring them up to date with `dicom-assets catalog`") as caught:
        catalog.sql("FROM problems")
    assert "\n" not in str(caught.value)
    assert catalog.sql("SELECT count(*) FROM object_catalog").fetchall() == [(1,)]
    assert catalog.sql("SHOW TABLES").fetchall() == [(DICTIONARY,), ("object_catalog",)]


def test_the_views_read_a_lake_of_the_first_release(tmp_path):
    with tarfile.open(PROJECT / "dicom_assets_tests" / "data" / "lake-0.1.0.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    catalog = Catalog(Lake(str(tmp_path / "lake")))
    for name in ("issues", "problems", "elements"):
        assert catalog.sql(f"SELECT count(*) FROM {name}").fetchall()[0][0] > 0, name


def test_a_view_of_the_past(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, [catalog_row("p", "1", status="damaged")])
    time.sleep(0.01)
    before = datetime.now(UTC)
    time.sleep(0.01)
    append(lake, OBJECT_CATALOG, [catalog_row("p", "2", status="damaged")])
    assert Catalog(lake, as_of=before).sql("SELECT count(*) FROM problems").fetchall() == [(1,)]
    assert Catalog(lake).sql("SELECT count(*) FROM problems").fetchall() == [(2,)]


SMALL = View("small", "Small files.", "SELECT path, size, dicom(header, 'PatientWeight') AS kg FROM object_catalog",
             ("object_catalog",))  # fmt: skip
SMALLER = View("smaller", "Smaller files.", "SELECT path, kg FROM small WHERE size < 1000", ("small",))


def test_views_stand_on_views_and_may_use_words(catalog, monkeypatch):
    monkeypatch.setattr(database_module, "VIEWS", (SMALLER, SMALL))
    assert [view.name for view in catalog.views()] == ["small", "smaller"]
    query = "SELECT path, kg, dicom(header, 'StudyID') FROM smaller JOIN object_catalog USING (path)"
    assert (
        len(catalog.sql(query).fetchall())
        == catalog.sql("SELECT count(*) FROM object_catalog WHERE size < 1000").fetchall()[0][0]
    )


def test_a_view_lacks_what_those_below_it_lack():
    relations = Relations.of(["file_index"], (SMALLER, SMALL))
    assert relations.lacking(SMALLER) == "object_catalog"
    assert relations.readable() == ()


def test_every_view_states_what_it_needs(catalog):
    known = {*(table.name for table in DEFAULT_MODEL.tables), *(view.name for view in VIEWS), DICTIONARY}
    for view in VIEWS:
        assert set(view.needs) <= known, view.name
        assert view.name == view.name.lower()
        assert view.description.endswith(".")
    assert DICOM_HEADERS.name in known
