"""``import dicom_assets``: cheap, and all that it offers is there."""

import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import dicom_assets
from dicom_assets.query.database import Catalog
from dicom_assets_tests.support.rows import append, index_rows

PROJECT = Path(__file__).parents[1]
HEAVY = ("pyspark", "dagster", "pyarrow", "duckdb", "numpy", "pandas", "pydicom", "deltalake", "typer")
IMPORT = """
import sys, time
start = time.perf_counter()
import dicom_assets
print(time.perf_counter() - start)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
PUBLIC = {
    "DicomAssetsError",
    "DicomCatalogComponent",
    "__version__",
    "build_cohort",
    "build_definitions",
    "check_catalog",
    "create_cohort",
    "list_cohorts",
    "open_catalog",
    "open_cohort",
    "read_header",
    "render_thumbnail",
    "update_catalog",
}


def in_a_new_process(code):
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60, cwd=PROJECT
    ).stdout.splitlines()


def test_the_import_is_cheap_and_loads_no_library():
    seconds, modules = in_a_new_process(IMPORT)
    assert not set(HEAVY) & set(modules.split())
    assert float(seconds) < 1, "a hundredth of that on an idle machine"


def test_what_is_offered_has_a_home():
    assert set(dicom_assets.__all__) == PUBLIC
    assert set(dicom_assets._HOMES) == PUBLIC - {"__version__"}
    assert set(dir(dicom_assets)) >= PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_name_resolves_and_is_kept(name):
    dicom_assets.__dict__.pop(name, None)
    value = getattr(dicom_assets, name)
    assert dicom_assets.__dict__[name] is value
    assert getattr(value, "__name__", name) == name


def test_what_is_not_offered_is_no_attribute():
    with pytest.raises(AttributeError, match="has no attribute 'open_catalogue'"):
        _ = dicom_assets.open_catalogue
    assert not hasattr(dicom_assets, "Catalog")


def test_the_version_is_that_of_the_distribution():
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert dicom_assets.__version__ == importlib.metadata.version("dicom-assets") == declared


def test_definitions_can_be_built_without_an_environment():
    (line,) = in_a_new_process(
        "import os, dicom_assets as d; os.environ.pop('DICOM_ASSETS_SOURCE', None); "
        "print(sorted(key.to_user_string() for key in d.build_definitions().resolve_all_asset_keys()))"
    )
    assert "object_catalog" in line


def test_a_catalog_is_opened_by_its_address(lake):
    append(lake, index_rows("a", ["1", "2"]))
    by_uri = dicom_assets.open_catalog(Path(lake.root).as_uri())
    assert by_uri == dicom_assets.open_catalog(lake.root)
    assert isinstance(by_uri, Catalog)
    assert by_uri.sql("SELECT count(*) FROM file_index").fetchall() == [(2,)]


def test_a_catalog_that_is_not_there_is_told_at_the_first_query(tmp_path):
    catalog = dicom_assets.open_catalog(str(tmp_path))
    with pytest.raises(dicom_assets.DicomAssetsError, match="there is no catalog"):
        catalog.sql("SELECT 1")
