"""References, segments and regions as columns of ``dicom_headers``."""

import io

import pytest

from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.references import ReferenceBounds
from dicom_assets.dicom.source import BytesSource
from dicom_assets.extract import related
from dicom_assets.extract.headers import DICOM_HEADERS, HeaderExtractor
from dicom_assets.extract.rows import to_batch
from dicom_assets.extract.source_file import FileKey, SourceFile
from dicom_assets_tests.support.dicom import derived
from dicom_assets_tests.support.whole import tiny_dicom

IMAGES = derived.ct_series()
KEY = FileKey("a", "/a/1.dcm", "a/1.dcm", "1")
COLUMNS = ("references", "segments", "rois")


def row_of(content):
    columns = HeaderExtractor().extract(SourceFile(KEY, BytesSource(content)))
    row = {"prefix": "a", "path": KEY.path, "fingerprint": "1", "extractor_version": "1", **columns}
    (stored,) = to_batch([row], DICOM_HEADERS).to_pylist()
    return stored


def content_of(made):
    sink = io.BytesIO()
    made.save_as(sink, enforce_file_format=True)
    return sink.getvalue()


@pytest.mark.parametrize("make", derived.DERIVED)
def test_a_derived_object_has_its_columns(make):
    row = row_of(content_of(make(IMAGES)))
    assert row["status"] == "ok", row["issues"]
    assert {"instance"} <= {reference["level"] for reference in row["references"]}
    assert (row["segments"] is not None) is (make is derived.segmentation)
    assert (row["rois"] is not None) is (make is derived.structure_set)


@pytest.mark.parametrize("content", [tiny_dicom(1), content_of(IMAGES[0]), b"", b"no image" * 40])
def test_others_have_none(content):
    row = row_of(content)
    assert [row[name] for name in COLUMNS] == [None] * 3


def test_what_is_left_out_is_an_issue(monkeypatch):
    read = related.read_related
    bounds = ReferenceBounds(references=2)
    monkeypatch.setattr(related, "read_related", lambda header: read(header, bounds))
    row = row_of(content_of(derived.key_objects(IMAGES)))
    assert row["status"] == "issues"
    assert len(row["references"]) == 2
    assert {issue["code"] for issue in row["issues"]} == {IssueCode.NOT_ALL_LISTED}
    assert {issue["path"] for issue in row["issues"]} <= {"0040A375", "0040A730"}


def test_a_file_that_ends_in_its_references_keeps_those_before():
    content = content_of(derived.structure_set(IMAGES, contours=50))
    row = row_of(content[: len(content) // 2])
    assert row["status"] == "truncated"
    assert [region["name"] for region in row["rois"]] == ["PTV", "Heart", "empty"]
    assert row["references"]
