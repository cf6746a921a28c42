"""Cohorts of archives in a bucket, in lakes in a bucket."""

import multiprocessing
import uuid

import obstore
import pydicom
import pytest
from obstore.store import from_url

from dicom_assets import create_cohort, open_cohort
from dicom_assets.cohorts.copying import Mode
from dicom_assets.cohorts.errors import CohortError, ExportError
from dicom_assets.torch import CohortDataset
from dicom_assets_tests.support.fresh import in_fresh_process
from dicom_assets_tests.support.patients import catalog_of
from dicom_assets_tests.support.whole import tiny_dicom


@pytest.fixture(scope="module")
def root(bucket_uri):
    return f"{bucket_uri}/{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def catalog(root):
    store = from_url(f"{root}/archive")
    for number in range(6):
        data = tiny_dicom(
            number, PatientID=f"P{number % 2}", StudyInstanceUID=f"1.{number % 2}", SeriesInstanceUID="1.9"
        )
        obstore.put(store, f"a/{number}.dcm", data)
    return catalog_of(f"{root}/archive", f"{root}/lake")


def read(dataset, number):
    return int(dataset[number]["pixels"].sum())


def test_members_are_copied_and_verified(root, catalog, tmp_path):
    assert create_cohort(catalog, "all").is_new
    assert not create_cohort(catalog, "all").is_new
    cohort = open_cohort(f"{root}/lake", "all")
    assert cohort.verify(files=True).ok
    with pytest.raises(ExportError, match="cannot be linked"):
        cohort.export(tmp_path / "links", Mode.SYMLINK)
    assert cohort.export(tmp_path).files == 6
    assert sorted(int(pydicom.dcmread(path).InstanceNumber) for path in tmp_path.rglob("*.dcm")) == list(range(6))
    assert cohort.export(tmp_path).present == 6


def test_workers_that_were_spawned_read_it_and_forked_ones_say_why_not(catalog):
    create_cohort(catalog, "all")
    dataset = CohortDataset(open_cohort(catalog, "all"))
    expected = [read(dataset, number) for number in range(6)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.starmap_async(read, [(dataset, number) for number in range(6)]).get(120) == expected
    with pytest.raises(CohortError, match="spawn"):
        in_fresh_process(read_by_a_forked_worker, dataset)


FORKED = []


def read_forked(number):
    return read(FORKED[0], number)


def read_by_a_forked_worker(dataset):
    FORKED[:] = [dataset]
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply_async(read_forked, (0,)).get(120)


def test_objects_that_changed_are_left_out(root, catalog, tmp_path):
    create_cohort(catalog, "later")
    cohort = open_cohort(catalog, "later")
    store = from_url(f"{root}/archive")
    obstore.put(store, "a/0.dcm", tiny_dicom(77, PatientID="P0"))
    obstore.delete(store, ["a/1.dcm"])
    found = cohort.verify(files=True)
    assert dict(zip(found.rows["path"].to_pylist(), found.rows["fate"].to_pylist(), strict=True)) == {
        f"{root}/archive/a/0.dcm": "changed",
        f"{root}/archive/a/1.dcm": "gone",
    }
    done = cohort.export(tmp_path)
    assert (done.files, sorted(done.left_out["fate"].to_pylist())) == (4, ["changed", "gone"])
