"""A cohort as a data set: in this process, and in workers that were forked or spawned."""

import importlib.util
import multiprocessing
import pickle
import shutil
from collections import Counter

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from dicom_assets import create_cohort, open_cohort
from dicom_assets.cohorts.errors import CohortError
from dicom_assets.query.errors import NotAVolumeError
from dicom_assets.torch import CohortDataset, ItemError
from dicom_assets_tests.support.dicom.slices import write_series
from dicom_assets_tests.support.fresh import in_fresh_process
from dicom_assets_tests.support.patients import WHEN, catalog_of
from dicom_assets_tests.support.whole import put


@pytest.fixture
def halves(still):
    create_cohort(still.catalog, "halves", split={"train": 0.5, "test": 0.5}, seed=1)
    return open_cohort(still.catalog, "halves")


@pytest.fixture(scope="session")
def multi_frame(tmp_path_factory):
    """A cohort of single-frame and multi-frame images, and of one object without pixels."""
    folder = tmp_path_factory.mktemp("frames")
    names = ("CT_small.dcm", "emri_small.dcm", "emri_small_RLE.dcm", "color3d_jpeg_baseline.dcm", "rtplan.dcm")
    (folder / "archive" / "a").mkdir(parents=True)
    for name in names:
        shutil.copy(get_testdata_file(name, download=False), folder / "archive" / "a")
    catalog = catalog_of(folder / "archive", folder / "lake")
    create_cohort(catalog, "frames")
    return open_cohort(catalog, "frames")


def doubled(pixels):
    return pixels.astype(np.float32) * 2


def read(dataset, number):
    item = dataset[number]
    return number, item["SOPInstanceUID"], float(item["pixels"].sum())


def test_items_are_the_frames_of_a_split(halves):
    datasets = [CohortDataset(halves, split) for split in ("train", "test")]
    seen = [[item["SOPInstanceUID"] for item in (dataset[n] for n in range(len(dataset)))] for dataset in datasets]
    assert Counter(seen[0] + seen[1]) == Counter(halves.members(["SOPInstanceUID"])["SOPInstanceUID"].to_pylist())
    assert len(CohortDataset(halves)) == 40


def test_pixels_are_the_stored_values(halves):
    item = CohortDataset(halves)[3]
    expected = pydicom.dcmread(item["path"])
    assert item["SOPInstanceUID"] == expected.SOPInstanceUID
    np.testing.assert_array_equal(item["pixels"], expected.pixel_array)
    np.testing.assert_array_equal(CohortDataset(halves, transform=doubled)[3]["pixels"], expected.pixel_array * 2.0)
    assert item["pixels"].flags.writeable


def test_frames_of_several_files_are_numbered_through(multi_frame):
    dataset = CohortDataset(multi_frame)
    rows = multi_frame.members(["path", "NumberOfFrames", "Rows"]).to_pylist()
    expected = [(row["path"], n + 1) for row in rows if row["Rows"] for n in range(row["NumberOfFrames"] or 1)]
    assert len(dataset) == len(expected) > 10
    found = [dataset[number] for number in range(len(dataset))]
    assert [(item["path"], item["frame"]) for item in found] == expected
    for item in found:
        if "emri_small.dcm" in item["path"]:
            np.testing.assert_array_equal(item["pixels"], pydicom.dcmread(item["path"]).pixel_array[item["frame"] - 1])
    assert dataset[-1]["frame"] == expected[-1][1]


def test_numbers_that_are_none_end_a_loop(halves):
    dataset = CohortDataset(halves)
    for number in (40, -41):
        with pytest.raises(IndexError):
            dataset[number]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_see_the_same_items(halves, method):
    dataset = CohortDataset(halves, transform=doubled)
    expected = [read(dataset, number) for number in range(len(dataset))]
    assert in_fresh_process(read_by_workers, dataset, method) == expected


def read_by_workers(dataset, method):
    dataset[0]
    work = [(dataset, number) for number in range(len(dataset))]
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.starmap_async(read, work, len(work) // 2).get(120)


FORKED = []


def read_by_forked_workers(dataset, numbers, workers):
    dataset[numbers[0]]
    FORKED[:] = [dataset]
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        return pool.map_async(read_forked, numbers, 1).get(120)


def read_by_one_forked_worker(dataset):
    FORKED[:] = [dataset]
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply_async(read_forked, (0,)).get(120)


def read_forked(number):
    return read(FORKED[0], number)


def test_forked_workers_share_nothing_that_is_open(halves):
    """What a loader of PyTorch does on Linux: the data set is inherited, not pickled."""
    dataset = CohortDataset(halves)
    expected = [read(dataset, number) for number in range(len(dataset))]
    assert in_fresh_process(read_by_forked_workers, dataset, range(len(dataset)), 3) == expected


def test_it_is_small_when_it_is_pickled(halves):
    assert len(pickle.dumps(CohortDataset(halves))) < 40 * 1024


def test_files_that_are_not_what_they_were_are_refused(place):
    create_cohort(place.catalog, "p1", "PatientID = 'P1'")
    cohort = open_cohort(place.catalog, "p1")
    dataset = CohortDataset(cohort)
    put(place.archive / "p1" / "0-0.dcm", 1, WHEN + 1, PatientID="P1")
    with pytest.raises(ItemError, match="not the version"):
        dataset[0]
    (place.archive / "p1" / "0-1.dcm").unlink()
    with pytest.raises(ItemError, match="cannot be read"):
        dataset[1]
    place.update()
    with pytest.raises(CohortError, match="of 4 members, 1 changed, 1 gone"):
        CohortDataset(cohort)
    assert len(CohortDataset(cohort, skip_missing=True)) == 2


def test_what_is_no_data_set_is_refused(halves, still):
    with pytest.raises(CohortError, match="has no split 'val'; it has train, test"):
        CohortDataset(halves, "val")
    with pytest.raises(CohortError, match="is no unit"):
        CohortDataset(halves, unit="slice")
    create_cohort(still.catalog, "whole")
    with pytest.raises(CohortError, match="it has none"):
        CohortDataset(open_cohort(still.catalog, "whole"), "train")


def test_volumes_are_not_asked_for_in_forked_workers(halves):
    dataset = CohortDataset(halves, unit="volume")
    assert len(dataset) == 20
    with pytest.raises(CohortError, match="spawn"):
        in_fresh_process(read_by_one_forked_worker, dataset)


def test_volumes_are_those_of_the_catalog(tmp_path):
    series = write_series(tmp_path / "archive" / "a", [4.0, 0.0, 2.0])
    catalog = catalog_of(tmp_path / "archive", tmp_path / "lake")
    create_cohort(catalog, "volumes", "is_volume", level="series")
    dataset = CohortDataset(open_cohort(catalog, "volumes"), unit="volume", transform=doubled)
    expected = catalog.volume(series)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        elsewhere = pool.apply(dataset.__getitem__, (0,))
    for item in (dataset[0], elsewhere):
        assert item["SeriesInstanceUID"] == series
        np.testing.assert_array_equal(item["pixels"], expected.array * 2)
        np.testing.assert_array_equal(item["affine"], expected.affine)


def test_a_series_that_is_no_volume_is_refused_with_the_reason(halves):
    with pytest.raises(NotAVolumeError):  # images of 8 x 8 pixels without a position
        CohortDataset(halves, unit="volume")[0]


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_loader_of_pytorch_takes_it(halves, method):
    from torch.utils.data import DataLoader, Dataset

    dataset = CohortDataset(halves, transform=doubled)
    assert isinstance(dataset, Dataset)
    loader = DataLoader(dataset, batch_size=4, num_workers=2, multiprocessing_context=method)
    batches = list(loader)
    assert [tuple(batch["pixels"].shape) for batch in batches] == [(4, 8, 8)] * 10
    assert [uid for batch in batches for uid in batch["SOPInstanceUID"]] == [
        dataset[number]["SOPInstanceUID"] for number in range(40)
    ]
