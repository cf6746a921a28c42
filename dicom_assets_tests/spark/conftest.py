"""What engines of all kinds are given, and what this process makes of it."""

import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets_tests.support.corpus import copy_files
from dicom_assets_tests.support.scratch import IN_PROCESS, clean
from dicom_assets_tests.support.whole import contents, put

REAL = {"ct": ("CT_small.dcm", "JPEG2000.dcm"), "mr": ("MR_small.dcm", "MR_truncated.dcm"), "rt": ("rtplan.dcm",)}


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    folder = copy_files(tmp_path_factory.mktemp("source"), REAL)
    for number in range(40):
        put(folder / "made" / f"{number}.dcm", number)
    return folder


@pytest.fixture(scope="session")
def expected(source, tmp_path_factory):
    """All rows of a catalog that was made without Spark."""
    return contents(clean(LocalArchive(str(source), 1), tmp_path_factory.mktemp("expected"), engine=IN_PROCESS))
