"""Selections: every way out of them says the same, and what a notebook shows of them."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query import Catalog, CatalogError, QueryError, Selection
from dicom_assets.query.selection import SHOWN_ROWS, MissingLibraryError
from dicom_assets_tests.query.conftest import ROWS, append, catalog_row

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def catalog(lake):
    return Catalog(lake)


def test_every_way_out_has_the_same_rows(catalog):
    selection = catalog.select("Modality = 'CT'", ["relative_path", "Rows", "Columns", "StudyDate", "PixelSpacing"])
    assert selection.columns == ("relative_path", "Rows", "Columns", "StudyDate", "PixelSpacing")
    table = selection.to_arrow()
    assert selection.count() == table.num_rows == 2
    assert isinstance(selection.to_pandas(), pd.DataFrame)
    assert isinstance(selection.to_polars(), pl.DataFrame)
    assert selection.to_pandas()["Rows"].tolist() == selection.to_polars()["Rows"].to_list() == [512, 512]
    batches = list(selection.batches(1))
    assert [batch.num_rows for batch in batches] == [1, 1]
    assert pa.Table.from_batches(batches).to_pylist() == table.to_pylist()


def test_a_selection_can_be_taken_twice_and_stays_what_it_was(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    lake.ensure([OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, ROWS[:1])
    selection = Catalog(lake).select(columns=["path"])
    append(lake, OBJECT_CATALOG, ROWS[1:2])
    assert selection.count() == selection.count() == 1


def test_all_columns_but_the_large_ones_are_the_default(catalog):
    names = set(catalog.select().columns)
    assert names == set(OBJECT_CATALOG.schema.names) - {"header", "thumbnail"}


def test_columns_may_be_expressions(catalog):
    selection = catalog.select("relative_path LIKE '%a.dcm' -- the first", ['"Rows" * 2 AS twice', "upper(Modality)"])
    assert selection.to_arrow().to_pylist() == [{"twice": 1024, "upper(Modality)": "CT"}]


@pytest.mark.parametrize("where", ["Modalty = 'CT'", "Modality = ", "true) OR (true; SELECT 1"])
def test_a_condition_that_cannot_be_meant_is_one_line(catalog, where):
    with pytest.raises(QueryError) as caught:
        catalog.select(where)
    assert "\n" not in str(caught.value)


def test_a_value_that_the_query_fails_on_is_one_line(catalog):
    selection = catalog.select(columns=["CAST(relative_path AS INTEGER) AS number"])
    for taken in (selection.to_pandas, selection.to_arrow, selection.to_polars, lambda: list(selection.batches())):
        with pytest.raises(QueryError) as caught:
            taken()
        assert "\n" not in str(caught.value)


def test_series_and_studies_say_what_is_missing_where_there_are_none(catalog):
    for asked in (catalog.series, catalog.studies):
        with pytest.raises(CatalogError):
            asked()


def test_polars_is_asked_for_where_it_is_missing(catalog, monkeypatch):
    monkeypatch.setattr("dicom_assets.query.selection.find_spec", lambda _: None)
    with pytest.raises(MissingLibraryError, match="pip install polars"):
        catalog.select(columns=["path"]).to_polars()


def test_a_notebook_shows_thumbnails_but_none_with_text_burned_in(catalog):
    shown = catalog.select(columns=["relative_path", "thumbnail"])
    assert shown.columns == ("relative_path", "thumbnail")
    page = shown._repr_html_()
    assert page.count("data:image/jpeg;base64,") == 2
    assert page.count("not shown") == 1
    assert shown.to_html(burned_in=True).count("data:image/jpeg;base64,") == 3
    assert "_burned_in_annotation" not in page
    assert shown.to_arrow().column_names == ["relative_path", "thumbnail"]


def test_a_query_of_ones_own_shows_thumbnails_only_where_it_tells_that_it_may(catalog):
    untold = Selection(catalog.sql("SELECT thumbnail FROM object_catalog"))
    assert "data:image" not in untold._repr_html_()
    told = Selection(catalog.sql("SELECT thumbnail, BurnedInAnnotation, header_status FROM object_catalog"))
    assert told._repr_html_().count("data:image/jpeg;base64,") == 2


def test_text_is_escaped_and_rows_are_bounded(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    lake.ensure([OBJECT_CATALOG])
    rows = [catalog_row("p", f"{number:02}", PatientID=HOSTILE) for number in range(SHOWN_ROWS + 5)]
    rows[0] |= {"thumbnail": b'\xff\xd8\xff"><script>', "Modality": "\u202eTC", "StudyDescription": "x" * 10_000}
    append(lake, OBJECT_CATALOG, rows)
    page = Catalog(lake).select(columns=["PatientID", "Modality", "StudyDescription", "thumbnail"])._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;alert(" in page
    assert "\u202e" not in page
    assert "x" * 100 not in page
    assert page.count("<tr>") == SHOWN_ROWS + 1
    assert f"the first {SHOWN_ROWS} rows" in page


def test_names_of_columns_are_escaped_and_need_not_be_different(catalog):
    page = catalog.select(columns=['Modality AS "<b>"', "size", "size"]).to_html(1)
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_a_representation_holds_no_values(catalog):
    selection = catalog.select(columns=["PatientName", "path"])
    assert repr(selection) == "<Selection of 2 columns: PatientName, path>"
    assert "Secret^Name" in str(selection)
