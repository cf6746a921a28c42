"""Frames and volumes of an archive in a real object store: read by range, and held against its entity tags."""

import uuid

import numpy as np
import obstore
import pydicom
import pytest
from obstore.store import from_url

from dicom_assets import open_catalog, update_catalog
from dicom_assets.archive.bucket import BucketSource
from dicom_assets.archive.opening import open_archive
from dicom_assets.query.errors import ChangedFileError
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.dicom.slices import modality_values, write_series


@pytest.fixture
def bucket(bucket_uri, tmp_path):
    """A store with a series and a dose, its catalog, and the series."""
    root = f"{bucket_uri}/{uuid.uuid4().hex}"
    series = write_series(tmp_path / "p", [2.0, 0.0, 1.0])
    store = from_url(root)
    for path in [*(tmp_path / "p").iterdir(), PYDICOM_FILES / "rtdose.dcm"]:
        obstore.put(store, f"p/{path.name}", path.read_bytes())
    update_catalog(root, str(tmp_path / "lake"), engine=InProcess())
    return store, open_catalog(str(tmp_path / "lake")), series


def test_only_the_header_and_the_frames_are_fetched(bucket, monkeypatch):
    _, catalog, _ = bucket
    fetched = []
    read = BucketSource.read

    def counted(self, offset, length):
        data = read(self, offset, length)
        fetched.append(len(data))
        return data

    monkeypatch.setattr(BucketSource, "read", counted)
    found = catalog.frames("p/rtdose.dcm", [15])
    dataset = pydicom.dcmread(PYDICOM_FILES / "rtdose.dcm")
    np.testing.assert_array_equal(found[0], dataset.pixel_array[14])
    assert sum(fetched) <= (64 << 10) + found.nbytes


def test_a_volume_of_a_bucket(bucket, bucket_uri, tmp_path):
    _, catalog, series = bucket
    volume = catalog.volume(series)
    expected = [modality_values(tmp_path / "p" / f"{number:04}.dcm") for number in (1, 2, 0)]
    np.testing.assert_allclose(volume.array, expected, rtol=1e-6)
    given = open_archive(f"{bucket_uri}/{volume.paths[0].split('/')[3]}", 1)
    again = open_catalog(str(tmp_path / "lake"), archive=given).volume(series)
    np.testing.assert_array_equal(again.array, volume.array)


def test_an_object_that_was_replaced_or_deleted_gives_no_pixels(bucket):
    store, catalog, series = bucket
    content = bytearray(obstore.get(store, "p/0001.dcm").bytes())
    content[-10] ^= 1
    obstore.put(store, "p/0001.dcm", bytes(content))
    for take in (lambda: catalog.volume(series), lambda: catalog.frames("p/0001.dcm")):
        with pytest.raises(ChangedFileError, match="has changed"):
            take()
    obstore.delete(store, "p/0001.dcm")
    for take in (lambda: catalog.volume(series), lambda: catalog.frames("p/0001.dcm")):
        with pytest.raises(ChangedFileError, match="is not in the archive"):
            take()
