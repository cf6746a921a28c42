"""Headers, thumbnails and frames of a real catalog by path and UID, and what is said where there are none."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pydicom
import pytest
from PIL import Image

from dicom_assets import open_catalog, update_catalog
from dicom_assets.archive import opening
from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.local import LocalArchive
from dicom_assets.dicom.pixels.errors import NoPixelDataError, PixelError
from dicom_assets.query import CatalogError
from dicom_assets.query.errors import ChangedFileError, NotInCatalogError
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.corpus import PYDICOM_FILES, copy_files

NAMES = ("CT_small.dcm", "rtdose_rle.dcm", "rtplan.dcm", "README.txt", "SC_rgb_jpeg_dcmtk.dcm")


def fill(folder):
    copy_files(folder, {"p": NAMES})
    shutil.copy2(PYDICOM_FILES / "MR_small.dcm", folder / "p" / "one.dcm")
    shutil.copy2(PYDICOM_FILES / "MR_small.dcm", folder / "p" / "other.dcm")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An archive and its lake; tests that change something take a copy of their own."""
    folder = tmp_path_factory.mktemp("objects")
    update_catalog(str(fill(folder / "archive")), str(folder / "lake"), engine=InProcess())
    return folder


@pytest.fixture
def catalog(made):
    return open_catalog(str(made / "lake"))


@pytest.fixture
def own(tmp_path):
    """An archive to change, and its catalog."""
    archive = fill(tmp_path / "archive")
    update_catalog(str(archive), str(tmp_path / "lake"), engine=InProcess())
    return archive, open_catalog(str(tmp_path / "lake"))


def uid_of(name):
    return pydicom.dcmread(PYDICOM_FILES / name, stop_before_pixels=True).SOPInstanceUID


def test_a_header_is_found_by_every_name_of_its_file(catalog, made, monkeypatch):
    monkeypatch.chdir(made / "archive")
    path = made / "archive" / "p" / "CT_small.dcm"
    for asked in (str(path), path.as_uri(), "p/CT_small.dcm", "./p/CT_small.dcm", uid_of("CT_small.dcm")):
        header = catalog.header(asked)
        assert header.PatientID == "1CT1"
        assert header.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
        assert "PixelData" not in header


def test_a_thumbnail_is_a_picture(catalog):
    picture = catalog.thumbnail(uid_of("CT_small.dcm"))
    assert isinstance(picture, Image.Image)
    assert picture.size == (128, 128)


@pytest.mark.parametrize("name", ["CT_small.dcm", "rtdose_rle.dcm", "SC_rgb_jpeg_dcmtk.dcm"])
def test_frames_are_those_that_pydicom_decodes(catalog, name):
    found = catalog.frames(f"p/{name}")
    expected = pydicom.pixels.pixel_array(PYDICOM_FILES / name)
    assert found.shape[0] == (pydicom.dcmread(PYDICOM_FILES / name).get("NumberOfFrames") or 1)
    # Lossy JPEG is decoded by different libraries: a level or two apart.
    np.testing.assert_allclose(
        found.reshape(expected.shape).astype(int), expected.astype(int), atol=2 * ("rgb" in name)
    )


def test_some_frames_in_the_order_that_is_asked_for(catalog):
    name = "rtdose_rle.dcm"
    every = pydicom.pixels.pixel_array(PYDICOM_FILES / name)
    found = catalog.frames(uid_of(name), [7, 2])
    np.testing.assert_array_equal(found, every[[6, 1]])
    assert catalog.frames(uid_of(name), []).size == 0


def test_rescaled_frames_are_in_hounsfield_units(catalog):
    found = catalog.frames("p/CT_small.dcm", rescale=True)
    dataset = pydicom.dcmread(PYDICOM_FILES / "CT_small.dcm")
    np.testing.assert_allclose(found[0], dataset.pixel_array * dataset.RescaleSlope + dataset.RescaleIntercept)
    assert found.dtype == np.float32


@pytest.mark.parametrize("take", ["header", "thumbnail", "frames"])
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("p/none.dcm", "no file p/none.dcm"),
        ("1.2.3.4", "no instance 1.2.3.4"),
        ("it's\n\x00", "no file"),
        (uid_of("MR_small.dcm"), "2 files have the SOP Instance UID"),
    ],
)
def test_what_is_not_one_file_is_told(catalog, take, asked, said):
    with pytest.raises(NotInCatalogError, match=said):
        getattr(catalog, take)(asked)


def test_a_uid_of_a_series_is_told_for_what_it_is(catalog):
    series = pydicom.dcmread(PYDICOM_FILES / "MR_small.dcm").SeriesInstanceUID
    with pytest.raises(NotInCatalogError, match="is a series of 2 files"):
        catalog.header(series)


def test_files_without_header_thumbnail_or_pixels_say_so(catalog):
    with pytest.raises(NotInCatalogError, match=r"no header of p/README.txt: its status is not_dicom"):
        catalog.header("p/README.txt")
    with pytest.raises(NotInCatalogError, match=r"no thumbnail of p/rtplan.dcm: its status is no_pixel_data"):
        catalog.thumbnail("p/rtplan.dcm")
    with pytest.raises(NoPixelDataError):
        catalog.frames("p/rtplan.dcm")
    with pytest.raises(PixelError, match="no frame 2"):
        catalog.frames("p/CT_small.dcm", [2])


def test_a_file_that_changed_gives_no_pixels(own):
    archive, catalog = own
    path = archive / "p" / "CT_small.dcm"
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # of the same size, and of the same time
    with pytest.raises(ChangedFileError, match=r"p/CT_small.dcm has changed since it was cataloged"):
        catalog.frames("p/CT_small.dcm")


def test_a_file_that_is_gone_gives_no_pixels_and_its_header_still(own):
    archive, catalog = own
    (archive / "p" / "CT_small.dcm").unlink()
    with pytest.raises(ChangedFileError, match=r"p/CT_small.dcm is not in the archive"):
        catalog.frames("p/CT_small.dcm")
    assert catalog.header("p/CT_small.dcm").PatientID == "1CT1"


def test_a_file_that_cannot_be_read_is_told(own):
    archive, catalog = own
    path = archive / "p" / "CT_small.dcm"
    path.unlink()
    path.mkdir()
    with pytest.raises((ChangedFileError, ArchiveError), match=r"p/CT_small.dcm"):
        catalog.frames("p/CT_small.dcm")


def test_an_archive_is_opened_once(catalog, monkeypatch):
    opened = []
    open_archive = opening.open_archive

    def noted(root, depth):
        opened.append(root)
        return open_archive(root, depth)

    monkeypatch.setattr(opening, "open_archive", noted)
    for name in ("CT_small.dcm", "rtdose_rle.dcm"):
        catalog.frames(f"p/{name}")
    assert len(opened) == 1


def test_an_archive_that_is_elsewhere_is_read_there(own, tmp_path):
    archive, catalog = own
    whole = catalog.frames("p/CT_small.dcm")
    shutil.copytree(archive, tmp_path / "copy")
    shutil.rmtree(archive)
    with pytest.raises(ChangedFileError, match="archive="):
        catalog.frames("p/CT_small.dcm")
    for given in (str(tmp_path / "copy"), LocalArchive(str(tmp_path / "copy"), 0)):
        elsewhere = open_catalog(str(tmp_path / "lake"), archive=given)
        np.testing.assert_array_equal(elsewhere.frames("p/CT_small.dcm"), whole)
    shutil.copy(PYDICOM_FILES / "MR_small.dcm", tmp_path / "copy" / "p" / "CT_small.dcm")
    with pytest.raises(ChangedFileError):
        elsewhere.frames("p/CT_small.dcm")


def test_an_archive_behind_a_link_is_the_same_archive(own, tmp_path):
    archive, _ = own
    (tmp_path / "link").symlink_to(archive)
    catalog = open_catalog(str(tmp_path / "lake"), archive=str(tmp_path / "link"))
    assert catalog.frames("p/CT_small.dcm").shape == (1, 128, 128)


def test_pixels_of_the_past_are_refused_where_the_file_is_another_one(own, tmp_path):
    archive, _ = own
    shutil.copy(PYDICOM_FILES / "MR_small.dcm", archive / "p" / "CT_small.dcm")
    update_catalog(str(archive), str(tmp_path / "lake"), engine=InProcess())
    now = open_catalog(str(tmp_path / "lake"))
    assert now.frames("p/CT_small.dcm").shape == (1, 64, 64)
    before = open_catalog(str(tmp_path / "lake"), version=now.current_version() - 1)
    with pytest.raises(ChangedFileError):
        before.frames("p/CT_small.dcm")


def test_there_is_no_catalog():
    with pytest.raises(CatalogError):
        open_catalog("/nowhere/at/all").header("x.dcm")


def test_no_process_stays_behind(made):
    code = (
        "import dicom_assets, sys\n"
        f"catalog = dicom_assets.open_catalog({str(made / 'lake')!r})\n"
        "print(catalog.frames('p/rtdose_rle.dcm', [1]).shape)\n"
        "assert not {'pyspark', 'dagster'} & {name.partition('.')[0] for name in sys.modules}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "(1, 10, 10)\n", "")
