"""One archive of one prefix, as a folder and through the interface of object stores."""

import obstore
import pytest
from obstore.store import MemoryStore

from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.containers.archive import ContainerArchive
from dicom_assets.archive.local import LocalArchive


@pytest.fixture
def root(tmp_path):
    (tmp_path / "a").mkdir()
    return tmp_path


@pytest.fixture
def archive(root):
    return ContainerArchive(LocalArchive(str(root), 1))


@pytest.fixture(params=["folder", "bucket"])
def either(request, root):
    """An archive, and what puts a file into it."""
    if request.param == "folder":
        return ContainerArchive(LocalArchive(str(root), 1)), lambda name, data: (root / name).write_bytes(data)
    bucket, store = BucketArchive("s3://bucket", 1), MemoryStore()
    bucket.__dict__["_opened"] = store
    return ContainerArchive(bucket), lambda name, data: obstore.put(store, name, data)
