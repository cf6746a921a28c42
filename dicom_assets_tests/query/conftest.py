"""A small catalog: two prefixes of one data file each, as the Spark pass would leave it."""

import datetime as dt
import io

import pyarrow as pa
import pytest
from PIL import Image

from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.tables import FILE_INDEX, PARTITION, Table

CT_PREFIX, OTHER_PREFIX = "2024/01 50%", "it's"
EXPLICIT = "1.2.840.10008.1.2.1"


def jpeg(grey: int) -> bytes:
    image = io.BytesIO()
    Image.new("L", (32, 32), grey).save(image, "JPEG")
    return image.getvalue()


def catalog_row(prefix: str, name: str, **values):
    """Return a row of ``object_catalog``: a CT image unless told otherwise."""
    return {
        "prefix": prefix,
        "path": f"/archive/{prefix}/{name}",
        "relative_path": f"{prefix}/{name}",
        "fingerprint": "1",
        "size": 526_000,
        "modified_at": dt.datetime(2024, 1, 31, 23, 59, 59, 123456, tzinfo=dt.UTC),
        "is_dicom": True,
        "status": "ok",
        "header_status": "ok",
        "thumbnail_status": "ok",
        "header": "{}",
        "Modality": "CT",
        "TransferSyntaxUID": EXPLICIT,
        "PatientName": "Secret^Name",
        "StudyDate": dt.date(2024, 1, 31),
        "PixelSpacing": [0.5, 0.25],
        "Rows": 512,
        "Columns": 256,
        "thumbnail": jpeg(200),
        "thumbnail_media_type": "image/jpeg",
    } | values


ROWS = [
    catalog_row(CT_PREFIX, "a.dcm", SeriesInstanceUID="1.1", InstanceNumber=1),
    catalog_row(CT_PREFIX, "b.dcm", SeriesInstanceUID="1.1", InstanceNumber=2, SliceThickness=float("nan")),
    catalog_row(OTHER_PREFIX, "<b>&.dcm", Modality="US", NumberOfFrames=30, BurnedInAnnotation="YES", size=900),
    catalog_row(
        OTHER_PREFIX,
        "notes.txt",
        is_dicom=False,
        status="not_dicom",
        header_status="not_dicom",
        thumbnail_status="not_dicom",
        **dict.fromkeys(["header", "Modality", "TransferSyntaxUID", "StudyDate", "PixelSpacing", "Rows", "Columns"]),
        thumbnail=None,
        thumbnail_media_type=None,
    ),
]


def append(lake: Lake, table: Table, rows: list[dict]) -> None:
    """Commit rows to a table."""
    location = lake.location(table)
    prefixes = sorted({row[PARTITION] for row in rows})
    seen = lake.snapshot(table, prefixes).writes
    arrow = pa.Table.from_pylist(rows, table.schema)
    commit(location, Change(write_batches(location.filesystem(), table, arrow.to_batches()), [], seen))


@pytest.fixture(scope="session")
def lake(tmp_path_factory):
    """A lake that tests only read."""
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    lake.ensure([FILE_INDEX, OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, ROWS)
    return lake
