import re
from pathlib import Path

import pytest

from dicom_assets.dicom.status import HeaderStatus, ThumbnailStatus
from dicom_assets.extract.column_lineage import column_sources
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.query.describe import lineage_page, main, tables_page, type_name

ROOT = Path(__file__).parents[2]
REMEDY = "stale: run `python -m dicom_assets.query.describe`"


def test_every_column_that_the_readme_names_is_there():
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("The columns that most queries")[2]
    named = re.findall(r"`(\w+)`", section.partition("\n\n")[0])
    columns = [name for name in named if name not in {"object_catalog", *CatalogStatus}]
    assert len(columns) >= 12
    assert set(columns) <= set(OBJECT_CATALOG.schema.names)


def test_page_of_tables_is_in_step_with_the_tables():
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == tables_page(), REMEDY


def test_page_of_column_lineage_is_in_step_with_the_tables():
    assert (ROOT / "docs" / "lineage.md").read_text(encoding="utf-8") == lineage_page(), REMEDY
    assert "| `Modality` | `dicom_headers.Modality` | Modality (0008,0060) |" in lineage_page()


def test_every_column_of_the_catalog_comes_from_columns_that_are_there():
    sources = column_sources(DEFAULT_MODEL)
    assert list(sources) == OBJECT_CATALOG.schema.names
    assert {name for name, found in sources.items() if not found} == {"run_id", "made_at"}
    for source in (source for found in sources.values() for source in found):
        assert source.column in DEFAULT_MODEL.table(source.table).schema.names


def test_page_names_every_column_and_every_state():
    page = tables_page()
    assert all(f"| `{column.name}` |" in page for table in DEFAULT_MODEL.tables for column in table)
    assert all(f"| `{state}` |" in page for state in (*HeaderStatus, *ThumbnailStatus))
    assert "| `Modality` | string | (0008,0060) |" in page


def test_a_stale_page_is_replaced(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "tables.md").write_text("stale", encoding="utf-8")
    main(tmp_path)
    assert (tmp_path / "docs" / "tables.md").read_text(encoding="utf-8") == tables_page()
    assert (tmp_path / "docs" / "lineage.md").read_text(encoding="utf-8") == lineage_page()
    assert [path.name for path in tmp_path.iterdir()] == ["docs"]


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("StudyDate", "date"),
        ("PixelSpacing", "list<double>"),
        ("issues", "list<struct<path, vr, code, raw>>"),
        ("Rows", "int32"),
    ],
)
def test_types_are_named_as_users_know_them(column, name):
    assert type_name(DICOM_HEADERS[column].type) == name
