"""An archive of three files in two prefixes."""

import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets_tests.support.made_up import write


@pytest.fixture
def source(tmp_path):
    for name in ("a/1", "a/2", "b/1"):
        write(tmp_path / "source" / name)
    return tmp_path / "source"


@pytest.fixture
def archive(source):
    return LocalArchive(str(source), 1)
