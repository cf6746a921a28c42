"""A real client over a real socket: every call of dicomweb-client that reads."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from dicom_assets.serve.site import Site
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.serving import served

api = pytest.importorskip("dicomweb_client.api", reason="dicomweb-client is not installed")


@pytest.fixture(scope="module")
def remote(served_lake):
    with served(Site(served_lake)) as address:
        yield api.DICOMwebClient(f"{address}/dicom-web")


@pytest.fixture(scope="module")
def ct():
    return pydicom.dcmread(PYDICOM_FILES / "CT_small.dcm")


def uids(dataset):
    return dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID


def test_searches(remote, ct):
    (study,) = remote.search_for_studies(search_filters={"PatientID": "1CT1"}, fields=["StudyDescription"], limit=5)
    assert Dataset.from_json(study).StudyInstanceUID == ct.StudyInstanceUID
    assert len(remote.search_for_studies(get_remaining=True)) == len(remote.search_for_studies())
    (series,) = remote.search_for_series(ct.StudyInstanceUID)
    assert Dataset.from_json(series).Modality == "CT"
    (instance,) = remote.search_for_instances(*uids(ct)[:2])
    assert Dataset.from_json(instance).SOPInstanceUID == ct.SOPInstanceUID
    assert remote.search_for_studies(search_filters={"PatientID": "nobody"}) == []


def test_metadata(remote, ct):
    (study,) = remote.retrieve_study_metadata(ct.StudyInstanceUID)
    (series,) = remote.retrieve_series_metadata(*uids(ct)[:2])
    instance = remote.retrieve_instance_metadata(*uids(ct))
    assert study == series == instance
    assert Dataset.from_json(instance).PatientName == ct.PatientName


def test_objects(remote, ct):
    assert remote.retrieve_instance(*uids(ct)).PixelData == ct.PixelData
    assert [one.SOPInstanceUID for one in remote.retrieve_series(*uids(ct)[:2])] == [ct.SOPInstanceUID]
    assert len(remote.retrieve_study("1.2.9.0")) == 4
    assert sum(1 for _ in remote.iter_study("1.2.9.0")) == 4


def test_frames(remote, ct):
    (frame,) = remote.retrieve_instance_frames(*uids(ct), frame_numbers=[1])
    assert frame == ct.PixelData
    dose = pydicom.dcmread(PYDICOM_FILES / "rtdose_rle.dcm")
    frames = remote.retrieve_instance_frames(
        *uids(dose), frame_numbers=[2, 15], media_types=(("application/octet-stream", "1.2.840.10008.1.2.1"),)
    )
    expected = dose.pixel_array.astype("<u4")
    assert np.array_equal(np.frombuffer(b"".join(frames), "<u4"), expected[[1, 14]].ravel())
    assert len(list(remote.iter_instance_frames(*uids(dose), frame_numbers=[1, 2, 3]))) == 3


def test_pictures(remote, ct):
    assert remote.retrieve_instance_rendered(*uids(ct), media_types=("image/jpeg",))[:2] == b"\xff\xd8"
    picture = remote.retrieve_instance_frames_rendered(*uids(ct), frame_numbers=[1], media_types=("image/png",))
    assert picture[:4] == b"\x89PNG"


def test_bulk_data(remote):
    ecg = pydicom.dcmread(PYDICOM_FILES / "waveform_ecg.dcm")
    metadata = remote.retrieve_instance_metadata(*uids(ecg))
    address = metadata["54000100"]["Value"][0]["54001010"]["BulkDataURI"]
    assert remote.retrieve_bulkdata(address)[0] == ecg.WaveformSequence[0].WaveformData


def test_a_client_that_hangs_up_leaves_no_trace(remote, ct):
    frames = remote.iter_instance_frames(*uids(ct), frame_numbers=[1])
    next(frames)
    frames.close()
    assert remote.search_for_studies(limit=1)
