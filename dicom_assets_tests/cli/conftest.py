"""A catalog of real files, small enough to be made for the tests of the command line."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dicom_assets.cli.main import app
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.corpus import copy_files

ARCHIVE = {
    "ct": ("CT_small.dcm", "JPEG2000.dcm"),
    "mr": ("MR_small.dcm", "MR_truncated.dcm"),
    "rt": ("rtplan.dcm", "README.txt"),
}


@dataclass(frozen=True)
class Made:
    """An archive and its lake."""

    source: Path
    lake: Path

    def copied(self, folder: Path) -> "Made":
        """Return a copy of both that a test may change; the catalog still follows the first archive."""
        shutil.copytree(self.lake, folder / "lake")
        return Made(self.source, folder / "lake")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    update_catalog(str(copy_files(folder / "dicom", ARCHIVE)), str(folder / "lake"), engine=InProcess())
    return Made(folder / "dicom", folder / "lake")


@pytest.fixture
def call(made, monkeypatch):
    """Call a command on that catalog and return what it printed, to both outputs."""
    monkeypatch.setenv("COLUMNS", "80")

    def of(*arguments, code=0, lake=None, **options):
        monkeypatch.setenv("DICOM_ASSETS_LAKE", str(lake or made.lake))
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], **options)
        assert result.exit_code == code, result.output
        return result.output

    return of
