"""A small archive of real files and made-up patients, its lake, and the server on it; tests only read them."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dicom_assets import update_catalog
from dicom_assets.delta.lake import Lake
from dicom_assets.serve.app import create_app
from dicom_assets.serve.site import Site
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support import viewable
from dicom_assets_tests.support.chromium import Chromium
from dicom_assets_tests.support.corpus import copy_files
from dicom_assets_tests.support.whole import put

FILES = (
    "CT_small.dcm",
    "ExplVR_BigEndNoMeta.dcm",
    "JPEG-lossy.dcm",
    "JPEG2000.dcm",
    "MR_small_bigendian.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
    "image_dfl.dcm",
    "liver_expb_1frame.dcm",
    "reportsi.dcm",
    "rtdose_rle.dcm",
    "rtplan.dcm",
    "waveform_ecg.dcm",
)
"""No two of them are one instance."""

NAMES = ("Müller^Jürgen", "Muller^Anna", "O'Brien^100%_sure", "Yamada^Tarou=山田^太郎=やまだ^たろう")


def fill(archive: Path) -> Path:
    """Put the files and four patients into an archive, two series each."""
    copy_files(archive, {"real": FILES})
    for number, name in enumerate(NAMES):
        for slice_ in range(4):
            put(
                archive / "made" / f"{number}-{slice_}.dcm",
                100 + number * 10 + slice_,
                SpecificCharacterSet="ISO_IR 192",
                PatientName=name,
                PatientID=f"M{number}",
                StudyInstanceUID=f"1.2.9.{number}",
                SeriesInstanceUID=f"1.2.9.{number}.{slice_ // 2}",
                SeriesNumber=slice_ // 2,
                Modality="MR" if slice_ < 2 else "SEG",
                StudyDate=f"202{number}0131",
                StudyTime="103015.25",
                StudyDescription="a%b_c*" if number == 2 else "knee",
                PatientWeight=60 + number,
                InstanceNumber=slice_,
            )
    return archive


@pytest.fixture(scope="session")
def served_lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    update_catalog(str(fill(folder / "archive")), str(folder / "lake"), engine=InProcess())
    return Lake(str(folder / "lake"))


@pytest.fixture(scope="session")
def viewable_lake(tmp_path_factory):
    """A catalog of studies that a viewer shows each in its own way."""
    folder = tmp_path_factory.mktemp("viewable")
    update_catalog(str(viewable.fill(folder / "archive")), str(folder / "lake"), engine=InProcess())
    return Lake(str(folder / "lake"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="session")
def client(served_lake):
    return TestClient(create_app(Site(served_lake)), base_url="http://localhost", follow_redirects=False)
