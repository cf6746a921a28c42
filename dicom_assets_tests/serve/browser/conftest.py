"""Catalogs that pages are made of: of real files, and one whose every text is hostile."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from starlette.testclient import TestClient

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.extract.rollups import SERIES, STUDIES
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.app import create_app
from dicom_assets.serve.follow import Follower
from dicom_assets.serve.site import Site
from dicom_assets.spark.work import InProcess
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.query.conftest import append, catalog_row
from dicom_assets_tests.serve.viewer.packing import PAGE
from dicom_assets_tests.support.corpus import PYDICOM_FILES, copy_files
from dicom_assets_tests.support.whole import put

SERIES_FILES = 7
ARCHIVE = {
    "ct": ("CT_small.dcm", "JPEG2000.dcm", "badVR.dcm"),
    "mr": ("MR_small.dcm", "MR_truncated.dcm", "MR_small_bigendian.dcm"),
    "rt": ("rtplan.dcm", "README.txt"),
}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}\u202egnp.exe\u2066\x00\x1b[2J"
"""In every attribute: HTML, a way out of an attribute, a template, an override of the direction, NUL, a terminal's."""


@dataclass(frozen=True)
class Served:
    """A lake, and a client of the server on it."""

    lake: Lake
    client: TestClient

    @property
    def catalog(self) -> FixedCatalog:
        return Follower(Site(self.lake).catalog()).current()


def client_of(lake: Lake, **site) -> TestClient:
    return TestClient(create_app(Site(lake, **site)), base_url="http://localhost")


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Served:
    """A catalog of files of pydicom, of a series, and of an image that says that text is burned in."""
    folder: Path = tmp_path_factory.mktemp("browsed")
    archive = copy_files(folder / "dicom", ARCHIVE)
    for number in range(SERIES_FILES):
        uids = {"StudyInstanceUID": "1.2.9.1", "SeriesInstanceUID": "1.2.9.2", "PatientID": "S1"}
        put(archive / "series" / f"{number}.dcm", number, StudyDate="20240215", SeriesDescription="Scout 100%", **uids)
    put(archive / "series" / "burned.dcm", 90, BurnedInAnnotation="YES", PatientID="B1")
    (archive / "copy").mkdir()
    (archive / "copy" / "again.dcm").write_bytes((PYDICOM_FILES / "CT_small.dcm").read_bytes())
    update_catalog(str(archive), str(folder / "lake"), engine=InProcess())
    lake, viewer = Lake(str(folder / "lake")), folder / "viewer"
    viewer.mkdir()
    (viewer / "index.html").write_bytes(PAGE)
    return Served(lake, client_of(lake, dagster_url="https://dagster.example/", viewer=viewer))


def _hostile_row(name: str) -> dict:
    header = {
        "dataset": {
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": HOSTILE}]},
            "00081110": {"vr": "SQ", "Value": [{"00081150": {"vr": HOSTILE, "Value": [HOSTILE]}}]},
        }
    }
    texts = (
        *("Modality", "BodyPartExamined", "Manufacturer", "TransferSyntaxUID", "PatientID", "PatientName"),
        *("StudyDescription", "SeriesDescription", "SeriesInstanceUID", "StudyInstanceUID", "SOPInstanceUID"),
        *("AccessionNumber", "InstitutionName", "fingerprint", "error", "run_id", "extractor_version"),
    )
    return catalog_row(
        "a",
        f"{HOSTILE}{name}",
        **dict.fromkeys(texts, HOSTILE),
        status="damaged",
        header=orjson.dumps(header).decode(),
        issues=[{"path": HOSTILE, "vr": HOSTILE, "code": HOSTILE, "raw": HOSTILE}],
        made_at=dt.datetime(2024, 2, 1, tzinfo=dt.UTC),
    )


@pytest.fixture(scope="session")
def hostile(tmp_path_factory) -> Served:
    """A catalog whose every text would do harm if it were not text."""
    lake = Lake(str(tmp_path_factory.mktemp("hostile")))
    lake.ensure([FILE_INDEX, OBJECT_CATALOG, SERIES, STUDIES])
    rows = [_hostile_row(name) for name in ("1", "2")]
    append(lake, OBJECT_CATALOG, rows)
    common = {
        "prefix": "a",
        "files": 2,
        "instances": 1,
        "frames": 2,
        "bytes": 10,
        "status": "damaged",
        "error": HOSTILE,
    }
    common |= {"PatientID": HOSTILE, "StudyDate": dt.date(2024, 1, 31), "disagreements": [HOSTILE], "statuses": []}
    study = {"StudyInstanceUID": HOSTILE, "PatientName": HOSTILE, "StudyDescription": HOSTILE, "modalities": [HOSTILE]}
    append(lake, STUDIES, [common | study | {"series": 1, "AccessionNumber": HOSTILE}])
    series = {"SeriesInstanceUID": HOSTILE, "StudyInstanceUID": HOSTILE, "Modality": HOSTILE, "orientation": HOSTILE}
    series |= {"SeriesDescription": HOSTILE, "thumbnail_path": rows[0]["path"], "transfer_syntaxes": []}
    append(lake, SERIES, [common | series])
    return Served(lake, client_of(lake))
