"""An archive of four prefixes with a file each, and an instance that keeps what its daemon would."""

import pytest

from dicom_assets_tests.support.instances import temporary_instance
from dicom_assets_tests.support.made_up import write


@pytest.fixture
def source(tmp_path):
    for prefix in "abcd":
        write(tmp_path / "source" / prefix / "1")
    return tmp_path / "source"


@pytest.fixture
def instance():
    with temporary_instance() as instance:
        yield instance
