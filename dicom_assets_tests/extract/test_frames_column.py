"""The places of all frames of a multi-frame object, from a file to a table and back."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from pydicom.data import get_testdata_file

from dicom_assets.dicom.geometry import describe_volume, frame_structs, frames_of
from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.source import BytesSource
from dicom_assets.extract.headers import DICOM_HEADERS, HeaderExtractor
from dicom_assets.extract.rows import to_batch
from dicom_assets.extract.source_file import FileKey, SourceFile
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.opening import open_catalog
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.dicom.geometry.test_groups import enhanced, frame_item

MULTI_FRAME = enhanced([frame_item(number, slices=50) for number in range(150)])


def row_of(content):
    file = SourceFile(FileKey("p", "/p/x", "p/x", "f"), BytesSource(content))
    identity = {"prefix": "p", "path": "/p/x", "fingerprint": "f", "extractor_version": "v"}
    return {"error": None, **HeaderExtractor().extract(file), **identity}


def test_a_row_of_an_enhanced_object():
    batch = to_batch([row_of(MULTI_FRAME)], DICOM_HEADERS)
    (frames,) = batch.column("frames").to_pylist()
    assert len(frames) == 150
    assert frames[51] == {
        "position": [-1.5, -100.5, 2.5],
        "orientation": [1, 0, 0, 0, 1, 0],
        "spacing": [0.5, 0.75],
        "discriminators": [("TemporalPositionIndex", "2")],
    }
    header = read_header(BytesSource(MULTI_FRAME))
    assert describe_volume(frames_of(header.dataset, frames)) == describe_volume(
        frames_of(header.dataset, frame_structs(header))
    )


def test_single_frames_and_other_files_have_none():
    single = row_of(Path(get_testdata_file("CT_small.dcm")).read_bytes())
    assert single["frames"] is None
    assert row_of(b"not DICOM")["frames"] is None


BAD_VR = MULTI_FRAME.replace(b"\x20\x00\x32\x00DS", b"\x20\x00\x32\x00XX")


@pytest.mark.parametrize("content", [MULTI_FRAME[:700], BAD_VR])
def test_damaged_files_are_rows(content):
    batch = to_batch([row_of(content)], DICOM_HEADERS)
    assert pa.types.is_list(batch.schema.field("frames").type)
    assert batch.column("status").to_pylist() != ["error"]


def test_from_a_file_to_sql(tmp_path):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "enhanced.dcm").write_bytes(MULTI_FRAME)
    for name in ("rtdose.dcm", "CT_small.dcm"):
        shutil.copy(get_testdata_file(name), tmp_path / "archive")
    lake = str(tmp_path / "lake")
    update_catalog(str(tmp_path / "archive"), lake, engine=InProcess())
    catalog = open_catalog(lake)
    lengths = catalog.sql("SELECT parse_filename(path), len(frames) FROM dicom_headers").fetchall()
    assert dict(lengths) == {"enhanced.dcm": 150, "rtdose.dcm": 15, "CT_small.dcm": None}
    ((place, time),) = catalog.sql(
        "SELECT frame.position, frame.discriminators['TemporalPositionIndex'] FROM ("
        "SELECT frames[52] AS frame FROM dicom_headers WHERE path LIKE '%enhanced.dcm')"
    ).fetchall()
    assert place == [-1.5, -100.5, 2.5]
    assert time in ("2", ["2"])
    # The table to query has one row a file, and stays small.
    assert "frames" not in catalog.sql("SELECT * FROM object_catalog").columns
