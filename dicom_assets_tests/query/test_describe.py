from pathlib import Path

import pytest

from dicom_assets.dicom.status import HeaderStatus, ThumbnailStatus
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.query.describe import BEGIN, END, main, tables_page, type_name, with_columns

ROOT = Path(__file__).parents[2]
REMEDY = "stale: run `python -m dicom_assets.query.describe`"


def test_readme_is_in_step_with_the_tables():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_columns(readme) == readme, REMEDY


def test_page_of_tables_is_in_step_with_the_tables():
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == tables_page(), REMEDY


def test_page_names_every_column_and_every_state():
    page = tables_page()
    assert all(f"| `{column.name}` |" in page for table in DEFAULT_MODEL.tables for column in table)
    assert all(f"| `{state}` |" in page for state in (*HeaderStatus, *ThumbnailStatus))
    assert "| `Modality` | string | (0008,0060) |" in page


def test_stale_columns_are_replaced_and_the_rest_is_kept(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n", encoding="utf-8")
    main(tmp_path)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n\n| Column")
    assert text.endswith(f"{END}\nafter\n")
    assert "stale" not in text
    assert text.count("\n| `") == len(OBJECT_CATALOG.columns)
    assert (tmp_path / "docs" / "tables.md").read_text(encoding="utf-8") == tables_page()


def test_a_text_without_markers_is_refused():
    with pytest.raises(ValueError, match="columns:begin"):
        with_columns("no markers")


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
