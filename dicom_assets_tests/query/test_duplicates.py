"""Files that share a SOP Instance UID, told apart: by the rules, and in real catalogs with more or fewer hashes."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_assets.checks import Severity, check_catalog
from dicom_assets.extract.installed import installed_extractors
from dicom_assets.extract.model import CatalogModel
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.duplicates import Likeness, duplicates_sql
from dicom_assets.query.opening import open_catalog
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.dicom.images import file_bytes, image
from dicom_assets_tests.support.scratch import IN_PROCESS

WITHOUT = pa.schema(
    [
        ("prefix", pa.string()),
        ("path", pa.string()),
        ("SOPInstanceUID", pa.string()),
        ("size", pa.int64()),
        ("sha256", pa.string()),
        ("etag", pa.string()),
        ("removed_at", pa.timestamp("us", tz="UTC")),
    ]
)
HASHES = [(name, pa.string()) for name in ("pixel_hash", "header_hash", "pixel_hash_status")]
WITH = pa.schema([*WITHOUT, *HASHES])


def listed(rows, schema=WITH):
    """Return what the view says of made-up rows of a catalog: by UID, its likeness and how many files it has."""
    filled = [{"prefix": "a", "path": str(place), "size": 1, **row} for place, row in enumerate(rows)]
    connection = duckdb.connect()
    connection.register("object_catalog", pa.Table.from_pylist(filled, schema))
    found = connection.sql(f"SELECT SOPInstanceUID, likeness, files, count(*) FROM ({duplicates_sql()}) GROUP BY ALL")
    told = {}
    for uid, likeness, files, count in found.fetchall():
        assert uid not in told, "all files of one UID are told alike"
        assert files == count
        told[uid] = (likeness, files)
    return told


def expected(group):
    """Return the likeness of some files by the words of the documentation."""

    def all_alike(values):
        return None not in values and len(set(values)) == 1

    contents = [row["sha256"] or row["etag"] for row in group]
    if all_alike(contents) and all_alike([row["size"] for row in group]):
        return Likeness.SAME_BYTES
    pixels = ["none" if row["pixel_hash_status"] == "no_pixel_data" else row["pixel_hash"] for row in group]
    if len(set(pixels) - {None}) > 1:
        return Likeness.DIFFERENT_IMAGES
    headers = [row["header_hash"] for row in group]
    if None in pixels or None in headers:
        return Likeness.UNKNOWN
    if all_alike(headers):
        return Likeness.SAME_HEADER_AND_PIXELS
    return Likeness.DIFFERENT_HEADERS if pixels[0] == "none" else Likeness.SAME_PIXELS


hashes = st.sampled_from([None, "a", "b"])
files = st.fixed_dictionaries(
    {
        "SOPInstanceUID": st.sampled_from(["1", "2", None]),
        "size": st.sampled_from([None, 1, 2]),
        "sha256": hashes,
        "etag": hashes,
        "pixel_hash_status": st.sampled_from([None, "ok", "no_pixel_data", "partial"]),
        "pixel_hash": hashes,
        "header_hash": hashes,
        "removed_at": st.sampled_from([None, None, None, 0]),
    }
).map(lambda row: row | {"pixel_hash": row["pixel_hash"] if row["pixel_hash_status"] == "ok" else None})


@settings(max_examples=150, deadline=None)
@given(st.lists(files, max_size=7))
def test_the_rules(rows):
    live = [row for row in rows if row["removed_at"] is None and row["SOPInstanceUID"]]
    groups = {uid: [row for row in live if row["SOPInstanceUID"] == uid] for uid in ("1", "2")}
    assert listed(rows) == {uid: (expected(group), len(group)) for uid, group in groups.items() if len(group) > 1}


@settings(max_examples=30, deadline=None)
@given(st.lists(files, max_size=7))
def test_a_catalog_without_pixel_hashes_tells_no_more_than_it_knows(rows):
    bare = [{name: value for name, value in row.items() if name in WITHOUT.names} for row in rows]
    assert {likeness for likeness, _ in listed(bare, WITHOUT).values()} <= {Likeness.SAME_BYTES, Likeness.UNKNOWN}


def put(root, prefix, name, dataset, uid):
    (root / prefix).mkdir(parents=True, exist_ok=True)
    if isinstance(dataset, bytes):
        (root / prefix / name).write_bytes(dataset)
        return
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
    (root / prefix / name).write_bytes(file_bytes(dataset))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    root = tmp_path_factory.mktemp("archive")
    array = np.arange(64, dtype=np.uint16).reshape(8, 8)
    for prefix in ("a", "b"):
        put(root, prefix, "same.dcm", image(array), "1.1")
    put(root, "a", "wrapped.dcm", image(array), "1.2")
    put(root, "b", "wrapped.dcm", image(array, syntax="1.2.840.10008.1.2.1.99"), "1.2")
    put(root, "a", "renamed.dcm", image(array, PatientName="Doe^Jane"), "1.3")
    put(root, "a", "renamed too.dcm", image(array, PatientName="Roe^Mary"), "1.3")
    put(root, "a", "one.dcm", image(array), "1.4")
    put(root, "b", "other.dcm", image(array + 1), "1.4")
    put(root, "a", "alone.dcm", image(array), "1.5")
    for prefix in ("a", "b"):
        put(root, prefix, "cut.dcm", file_bytes(image(array, InstanceNumber=ord(prefix)))[:-20], "")
    plan = (PYDICOM_FILES / "rtplan.dcm").read_bytes()
    put(root, "a", "plan.dcm", plan, "")
    put(root, "b", "plan.dcm", plan.replace(b"Last^First", b"Last^Other"), "")
    return root


def told(lake):
    query = "SELECT regexp_extract(path, '([^/]*)$'), likeness FROM duplicates"
    return dict(open_catalog(lake).sql(query).fetchall())


def test_with_all_hashes(source, tmp_path):
    extractors = installed_extractors(sha256=True, pixel_hash=True)
    update_catalog(str(source), str(tmp_path), extractors=extractors, engine=IN_PROCESS)
    assert told(str(tmp_path)) == {
        "same.dcm": Likeness.SAME_BYTES,
        "wrapped.dcm": Likeness.SAME_HEADER_AND_PIXELS,
        "renamed.dcm": Likeness.SAME_PIXELS,
        "renamed too.dcm": Likeness.SAME_PIXELS,
        "one.dcm": Likeness.DIFFERENT_IMAGES,
        "other.dcm": Likeness.DIFFERENT_IMAGES,
        "cut.dcm": Likeness.UNKNOWN,
        "plan.dcm": Likeness.DIFFERENT_HEADERS,
    }
    outcomes = {one.check.name: one for one in check_catalog(str(tmp_path), None, CatalogModel(extractors))}
    shared, images = outcomes["instance_is_unique"], outcomes["instance_is_one_image"]
    assert (shared.passed, shared.severity, shared.measured.found) == (False, Severity.WARN, 12)
    assert shared.measured.kinds["different_images"] == 2
    assert (images.passed, images.severity, images.measured.found) == (False, Severity.ERROR, 2)
    assert images.measured.prefixes == ["a", "b"]
    (within,) = [
        one
        for one in check_catalog(str(tmp_path), ["a"], CatalogModel(extractors))
        if one.check.name == "instance_is_one_image"
    ]
    assert within.passed, "what two prefixes have in common is seen only where both are looked at"


def test_with_hashes_of_whole_files_alone(source, tmp_path):
    update_catalog(str(source), str(tmp_path), extractors=installed_extractors(sha256=True), engine=IN_PROCESS)
    found = told(str(tmp_path))
    assert found.pop("same.dcm") == Likeness.SAME_BYTES
    assert set(found.values()) == {Likeness.UNKNOWN}
    assert all(one.passed for one in check_catalog(str(tmp_path)) if one.check.name == "instance_is_one_image")


def test_with_no_hash_nothing_is_claimed(source, tmp_path):
    update_catalog(str(source), str(tmp_path), engine=IN_PROCESS)
    assert set(told(str(tmp_path)).values()) == {Likeness.UNKNOWN}
