"""Volumes of real catalogs: values, places and refusals."""

import os
import shutil

import numpy as np
import pydicom
import pytest

from dicom_assets import open_catalog, update_catalog
from dicom_assets.dicom.pixels.errors import PixelError
from dicom_assets.query.errors import CatalogError, ChangedFileError, NotAVolumeError, NotInCatalogError
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.corpus import CORPUS, PYDICOM_FILES, files_below
from dicom_assets_tests.support.dicom.slices import SIDE, SPACING, modality_values, write_series


@pytest.fixture
def place(tmp_path):
    return tmp_path / "archive" / "p"


@pytest.fixture
def cataloged(tmp_path):
    def catalog():
        update_catalog(str(tmp_path / "archive"), str(tmp_path / "lake"), engine=InProcess())
        return open_catalog(str(tmp_path / "lake"))

    return catalog


def test_slices_are_in_the_order_of_their_places_in_hounsfield_units(place, cataloged):
    places = [3.0, -1.0, 7.0, 1.0, 5.0]
    series = write_series(place, places)
    volume = cataloged().volume(series)
    order = np.argsort(places)
    assert [os.path.basename(path) for path in volume.paths] == [f"{number:04}.dcm" for number in order]  # noqa: PTH119
    assert volume.numbers == (1,) * 5
    expected = np.stack([modality_values(path) for path in sorted(place.iterdir())])[order]
    np.testing.assert_allclose(volume.array, expected, rtol=1e-6)
    assert volume.array.dtype == np.float32
    assert volume.spacing == (2.0, *SPACING)
    assert (volume.series_uid, volume.stack) == (series, 0)
    assert repr(volume) == f"<Volume of 5 x {SIDE} x {SIDE + 2} voxels of 2 x 0.5 x 0.75 mm>"


def test_the_affine_leads_from_a_voxel_to_where_its_file_says_it_is(place, cataloged):
    series = write_series(place, [4.0, 2.0, 0.0])
    volume = cataloged().volume(series)
    for number, path in enumerate(volume.paths):
        dataset = pydicom.dcmread(path)
        row, column = 3, 11
        origin, (along_row, along_column) = np.array(dataset.ImagePositionPatient), ([1, 0, 0], [0, 1, 0])
        expected = origin + np.multiply(along_row, column * SPACING[1]) + np.multiply(along_column, row * SPACING[0])
        np.testing.assert_allclose(volume.affine @ [column, row, number, 1], [*expected, 1])
        assert volume.array[number, row, column] == pytest.approx(modality_values(path)[row, column])


def test_a_series_of_two_prefixes_is_one_volume(tmp_path, place, cataloged):
    series = write_series(place, [0.0, 2.0])
    write_series(tmp_path / "archive" / "q", [1.0, 3.0], series=series)
    assert cataloged().volume(series).spacing[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("places", "reason"),
    [
        ([0.0], "single_slice"),
        ([0.0, 1.0, 2.0, 5.0, 6.0], "gaps"),
        ([0.0, 1.0, 2.4, 3.0], "not_uniform"),
    ],
)
def test_what_is_no_volume_is_refused_with_its_reason(place, cataloged, places, reason):
    series = write_series(place, places)
    with pytest.raises(NotAVolumeError, match=rf"no volume \({reason}\): .+"):
        cataloged().volume(series)


def test_of_several_stacks_one_is_chosen(place, cataloged):
    series = write_series(place, [0.0, 1.0, 2.0], AcquisitionNumber=1)
    write_series(place, [0.0, 1.0, 2.0], series=series, AcquisitionNumber=2)
    catalog = cataloged()
    with pytest.raises(NotAVolumeError, match="2 stacks, told apart by AcquisitionNumber: choose one with stack="):
        catalog.volume(series)
    for stack in (0, 1):
        volume = catalog.volume(series, stack=stack)
        assert volume.stack == stack
        assert {pydicom.dcmread(path).AcquisitionNumber for path in volume.paths} == {stack + 1}
        np.testing.assert_allclose(volume.array[1], modality_values(volume.paths[1]), rtol=1e-6)
    for stack in (2, -1):
        with pytest.raises(NotAVolumeError, match="no stack"):
            catalog.volume(series, stack=stack)


def test_copies_count_once_as_long_as_they_are_copies(tmp_path, place, cataloged):
    series = write_series(place, [0.0, 1.0, 2.0])
    shutil.copytree(place, tmp_path / "archive" / "copy")
    volume = cataloged().volume(series)
    assert volume.array.shape[0] == 3
    other = tmp_path / "archive" / "copy" / "0001.dcm"
    content = bytearray(other.read_bytes())
    content[-50] ^= 1
    other.write_bytes(content)
    with pytest.raises(NotAVolumeError, match="different pixels"):
        cataloged().volume(series)
    dataset = pydicom.dcmread(other)
    dataset.ImagePositionPatient = [0, 0, 0]
    dataset.save_as(other)
    with pytest.raises(NotAVolumeError, match="different headers"):
        cataloged().volume(series)


def test_a_file_that_changed_or_went_since_gives_no_volume(place, cataloged):
    series = write_series(place, [0.0, 1.0, 2.0])
    catalog = cataloged()
    path = place / "0001.dcm"
    os.utime(path, (1, 1))
    with pytest.raises(ChangedFileError, match=r"p/0001.dcm has changed"):
        catalog.volume(series)
    path.unlink()
    with pytest.raises(ChangedFileError, match=r"p/0001.dcm is not in the archive"):
        catalog.volume(series)


def test_a_file_that_is_cut_is_named(place, cataloged):
    series = write_series(place, [0.0, 1.0, 2.0])
    path = place / "0002.dcm"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(PixelError, match=r"p/0002.dcm: frame 1 is cut short"):
        cataloged().volume(series)


def test_headers_of_another_version_than_the_index_are_refused(tmp_path, place, cataloged):
    series = write_series(place, [0.0, 1.0, 2.0])
    catalog = cataloged()
    shutil.copytree(tmp_path / "lake" / "dicom" / "dicom_headers", tmp_path / "headers")
    os.utime(place / "0001.dcm", (1, 1))
    cataloged()
    shutil.rmtree(tmp_path / "lake" / "dicom" / "dicom_headers")
    shutil.copytree(tmp_path / "headers", tmp_path / "lake" / "dicom" / "dicom_headers")
    with pytest.raises(CatalogError, match="another version of the file"):
        catalog.volume(series)


def test_the_verdict_is_that_of_the_table(place, cataloged):
    place.mkdir(parents=True)
    for path in files_below(PYDICOM_FILES):
        shutil.copy(path, place / path.relative_to(PYDICOM_FILES).as_posix().replace("/", "-"))
    for number, places in enumerate(([0.0, 1.0, 2.0], [0.0, 1.0, 3.0, 4.0])):
        write_series(place / f"made-{number}", places)
    catalog = cataloged()
    rows = catalog.series("SeriesInstanceUID IS NOT NULL", ["SeriesInstanceUID", "is_volume", "not_volume_reason"])
    verdicts = {True: 0, False: 0}
    for row in rows.to_arrow().to_pylist():
        verdicts[row["is_volume"]] += 1
        if row["is_volume"]:
            assert catalog.volume(row["SeriesInstanceUID"], stack=0).array.ndim == 3
        else:
            with pytest.raises(CatalogError) as caught:
                catalog.volume(row["SeriesInstanceUID"])
            assert f"({row['not_volume_reason']})" in str(caught.value) or "one SOP Instance UID" in str(caught.value)
    assert min(verdicts.values()) > 0, verdicts


def test_an_unknown_series_and_one_without_places_are_told(place, cataloged):
    place.mkdir(parents=True)
    shutil.copy(PYDICOM_FILES / "rtplan.dcm", place)
    catalog = cataloged()
    with pytest.raises(NotInCatalogError, match=r"no images of a series 1\.2\.3"):
        catalog.volume("1.2.3")
    with pytest.raises(NotAVolumeError, match="no_position"):
        catalog.volume(pydicom.dcmread(PYDICOM_FILES / "rtplan.dcm").SeriesInstanceUID)


def test_a_dose_grid_of_one_file_is_a_volume_in_gray(place, cataloged):
    place.mkdir(parents=True)
    shutil.copy(PYDICOM_FILES / "rtdose.dcm", place)
    dataset = pydicom.dcmread(PYDICOM_FILES / "rtdose.dcm")
    volume = cataloged().volume(dataset.SeriesInstanceUID)
    expected = dataset.pixel_array * float(dataset.DoseGridScaling)
    if float(dataset.GridFrameOffsetVector[1]) < float(dataset.GridFrameOffsetVector[0]):
        expected = expected[::-1]
    np.testing.assert_allclose(volume.array, expected, rtol=1e-6)
    assert volume.array.dtype == np.float64
    assert sorted(volume.numbers) == list(range(1, len(expected) + 1))


def test_a_real_series_is_what_pydicom_reads_of_its_files(tmp_path):
    source = CORPUS / "FNNDSC+SAG-anon"
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and path.read_bytes()[128:132] == b"DICM"]
    if not files:
        pytest.skip(f"no corpus at {CORPUS}")
    update_catalog(str(source), str(tmp_path / "lake"), engine=InProcess())
    catalog = open_catalog(str(tmp_path / "lake"))
    volume = catalog.volume(pydicom.dcmread(files[0], stop_before_pixels=True).SeriesInstanceUID)
    assert len(volume.paths) == len(files)
    for slice_, path in zip(volume.array, volume.paths, strict=True):
        np.testing.assert_array_equal(slice_, pydicom.dcmread(path).pixel_array)
