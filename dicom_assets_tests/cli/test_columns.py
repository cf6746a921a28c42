"""``dicom-assets columns``, and ``catalog --column`` and ``--pixel-hash``."""

import shutil

import pytest
from typer.testing import CliRunner

from dicom_assets.cli.main import app
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.opening import open_catalog
from dicom_assets_tests.support.corpus import copy_files
from dicom_assets_tests.support.scratch import IN_PROCESS

PRODUCT = 'Product=(0009,"GEMS_IDEN_01",01)'


@pytest.fixture
def source(tmp_path):
    return copy_files(tmp_path / "archive", {"a": ("CT_small.dcm", "MR_small.dcm")})


@pytest.fixture
def call(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("DAGSTER_HOME", "")

    def call(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def lake(source, tmp_path):
    update_catalog(str(source), str(tmp_path / "lake"), engine=IN_PROCESS)
    return tmp_path / "lake"


def refused(done):
    assert (done.exit_code, done.output.count("\n")) == (2, 1), done.output
    return done.output


def test_columns_are_shown_added_and_removed_without_the_archive(call, source, lake):
    shutil.rmtree(source)
    assert "no columns of your own" in call("columns", "--lake", lake).output
    added = call("columns", "--lake", lake, "--add", "PatientWeight", "--add", PRODUCT, "--add", "T=ImageType[0]")
    assert added.exit_code == 0, added.output
    assert "2 rows made anew" in added.output
    shown = call("columns", "--lake", lake).output
    assert PRODUCT.partition("=")[2] in shown
    assert "ImageType[0]" in shown
    found = open_catalog(str(lake)).sql("SELECT count(PatientWeight), count(Product), max(T) FROM object_catalog")
    assert found.fetchall() == [(2, 1, "ORIGINAL")]
    removed = call("columns", "--lake", lake, "--remove", "T", "--remove", "Product")
    assert removed.exit_code == 0, removed.output
    assert "Product" not in call("columns", "--lake", lake).output


def test_what_cannot_be_is_one_line(call, lake, tmp_path):
    assert "PatientWeight" in refused(call("columns", "--lake", lake, "--add", "PatientWieght"))
    assert "PatientID already" in refused(call("columns", "--lake", lake, "--add", "patientid=PatientWeight"))
    assert "no column" in refused(call("columns", "--lake", lake, "--remove", "PatientID"))
    refused(call("columns", "--lake", tmp_path / "nothing", "--add", "PatientWeight"))


def test_a_catalog_is_made_with_columns_and_pixel_hashes_and_keeps_the_columns(call, source, tmp_path):
    lake = tmp_path / "new"
    done = call("catalog", source, "--lake", lake, "--column", "Weight=PatientWeight:number", "--pixel-hash")
    assert done.exit_code == 0, done.output
    found = open_catalog(str(lake)).sql("SELECT count(Weight), count(pixel_hash) FROM object_catalog")
    assert found.fetchall() == [(2, 2)]
    again = call("catalog", source, "--lake", lake, "--pixel-hash")
    assert "Nothing was changed" in again.output
    assert "Weight" in call("columns", "--lake", lake).output
    assert "--remove Weight" in refused(
        call("catalog", source, "--lake", lake, "--column", "Weight=PatientWeight:text")
    )
