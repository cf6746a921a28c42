"""An archive of ten patients, and its catalog."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from dicom_assets.delta.lake import Lake
from dicom_assets.query.database import Catalog
from dicom_assets_tests.support.patients import catalog_of, fill


@dataclass
class Place:
    """An archive with its catalog, which a test may change."""

    archive: Path
    root: Path

    @property
    def catalog(self) -> Catalog:
        return Catalog(Lake(str(self.root)))

    def update(self) -> Catalog:
        return catalog_of(self.archive, self.root)


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("patients")
    fill(folder / "archive")
    (folder / "archive" / "p0" / "notes.txt").write_text("no DICOM")
    return folder


@pytest.fixture
def place(made, tmp_path) -> Place:
    """A copy of the archive for the test alone, with its catalog."""
    shutil.copytree(made / "archive", tmp_path / "archive")
    place = Place(tmp_path / "archive", tmp_path / "lake")
    place.update()
    return place


@pytest.fixture(scope="session")
def still(made) -> Place:
    """The archive and a catalog that tests do not change; they may make cohorts of names of their own."""
    place = Place(made / "archive", made / "lake")
    place.update()
    return place
