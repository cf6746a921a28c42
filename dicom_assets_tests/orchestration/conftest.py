"""An archive of four prefixes with a file each, and an instance that keeps what its daemon would."""

import dagster as dg
import pytest

from dicom_assets_tests.support.made_up import write


@pytest.fixture
def source(tmp_path):
    for prefix in "abcd":
        write(tmp_path / "source" / prefix / "1")
    return tmp_path / "source"


@pytest.fixture
def instance():
    with dg.DagsterInstance.local_temp() as instance:
        yield instance
