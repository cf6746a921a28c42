"""Inventories stand in for listing a bucket, and never decide what is gone."""

import gzip
import hashlib
import json
import pickle
from datetime import UTC, datetime, timedelta

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from obstore.store import MemoryStore

from dicom_assets.archive import bucket as bucket_module
from dicom_assets.archive import hearsay
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.inventory import InventoryArchive, stage_inventory
from dicom_assets.archive.inventory_files import InventoryError
from dicom_assets.archive.opening import SourceConfigError, open_archive
from dicom_assets.pipeline.deletions import DeletionGuard, MassDeletionError
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.made_up import index

KEYS = ("top", "a/1", "a/2 +%.dcm", "b/\u00fc/3", "b/4")
COLUMNS = "Bucket, Key, Size, LastModifiedDate, ETag"


@pytest.fixture
def bucket():
    archive = BucketArchive("s3://imaging/dicom", 1)
    archive.__dict__["_opened"] = MemoryStore()
    for key in KEYS:
        put(archive, key)
    return archive


def put(archive, key, content=b"x"):
    obstore.put(archive._store(), key, content)


def objects(archive):
    """Return what an inventory would say at this moment."""
    found = [row for prefix in archive.prefixes() for row in archive.list(prefix).to_pylist()]
    return [
        {
            "bucket": "imaging",
            "key": f"dicom/{row['relative_path']}",
            "size": row["size"],
            "last_modified_date": row["modified_at"],
            "e_tag": row["etag"].strip('"'),
        }
        for row in found
    ]


def as_parquet(folder, rows, name="inventory.parquet"):
    pq.write_table(pa.Table.from_pylist(rows), folder / name)
    return str(folder / name)


def as_manifest(folder, rows, encode, **changes):
    """Write a CSV as S3 Inventory does, with its manifest."""
    lines = [
        ",".join(
            f'"{value}"'
            for value in (
                "imaging",
                encode(row["key"]),
                row["size"],
                row["last_modified_date"].isoformat(),
                row["e_tag"],
            )
        )
        for row in rows
    ]
    data = gzip.compress("\n".join([*lines, ""]).encode())
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "part.csv.gz").write_bytes(data)
    file = {"key": "x/data/part.csv.gz", "size": len(data), "MD5checksum": hashlib.md5(data).hexdigest()}
    manifest = {
        "sourceBucket": "imaging",
        "destinationBucket": "arn:aws:s3:::lists",
        "fileFormat": "CSV",
        "fileSchema": COLUMNS,
        "files": [{**file, **changes}],
    }
    (folder / "today").mkdir(exist_ok=True)
    (folder / "today" / "manifest.json").write_text(json.dumps(manifest))
    return str(folder / "today" / "manifest.json")


def of(bucket, address):
    return InventoryArchive(bucket, stage_inventory(address, bucket))


def listed(archive):
    return {prefix: archive.list(prefix).to_pylist() for prefix in archive.prefixes()}


def encoded(key):
    return key.replace("%", "%25").replace("+", "%2B").replace(" ", "+")


def as_text(folder, rows):
    lines = [f'"{row["key"]}",{row["size"]},{row["e_tag"]},{row["last_modified_date"].isoformat()}' for row in rows]
    (folder / "list.csv").write_text("\n".join(["Key,Size,ETag,Last_Modified", *lines, ""]))
    return str(folder / "list.csv")


@pytest.mark.parametrize(
    "write",
    [as_parquet, as_text, lambda folder, rows: as_manifest(folder, rows, encoded)],
    ids=["parquet", "csv", "manifest"],
)
def test_an_inventory_lists_what_the_bucket_lists(bucket, tmp_path, write):
    archive = of(bucket, write(tmp_path, objects(bucket)))
    assert listed(archive) == listed(bucket)
    assert archive.list("gone").num_rows == 0
    assert pickle.loads(pickle.dumps(archive)).inventory == archive.inventory


def test_of_a_key_that_stands_twice_the_last_counts_and_what_is_elsewhere_is_left(bucket, tmp_path):
    rows = objects(bucket)
    old = {**rows[1], "e_tag": "old", "last_modified_date": rows[1]["last_modified_date"] - timedelta(days=1)}
    more = [{**rows[1], "bucket": "other"}, {**rows[1], "key": "dicomweb/a/1"}, {**rows[1], "key": "dicom/a/"}]
    archive = of(bucket, as_parquet(tmp_path, [old, *rows, old, *more]))
    assert listed(archive) == listed(bucket)
    assert archive.inventory.elsewhere == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": 7}, "is not whole"),
        ({"MD5checksum": "0" * 32}, "another checksum"),
        ({"key": "x/none"}, "there is no"),
    ],
)
def test_a_file_that_is_not_what_its_manifest_says_is_refused(bucket, tmp_path, changes, words):
    address = as_manifest(tmp_path, objects(bucket), encoded, **changes)
    with pytest.raises(InventoryError, match=words):
        stage_inventory(address, bucket)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("cut.parquet", b"PAR1 and no more", "not whole"),
        ("cut.csv.gz", gzip.compress(b"key,size,etag\ndicom/a/1,1,x\n" * 99, mtime=0)[:-20], "not whole"),
        ("cut.csv", b"key,size,etag\ndicom/a/1,1,x\ndicom/a/2,1", "not whole"),
        ("odd.csv", b"name,size,etag\ndicom/a/1,1,x\n", "no column key"),
        ("size.csv", b"key,size,etag\ndicom/a/1,many,x\n", "not whole"),
        ("other.csv", b"key,size,etag\nelsewhere/1,1,x\n", "names no object below"),
        ("empty.csv", b"", "inventory"),
        ("manifest.json", b'{"files": 7}', "no manifest"),
        ("manifest.json", b"[", "no manifest"),
    ],
)
def test_what_is_no_whole_inventory_is_refused_in_one_line(bucket, tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InventoryError, match=words) as refused:
        stage_inventory(str(tmp_path / name), bucket)
    assert "\n" not in str(refused.value)


def test_an_inventory_of_a_folder_is_refused(tmp_path):
    with pytest.raises(SourceConfigError, match="the source is a folder"):
        open_archive(str(tmp_path), 1, inventory="list.csv")


PREFIXES = [".", "a", "b"]


def rows_of(lake):
    rows = lake.snapshot(FILE_INDEX).keys(["fingerprint"]).to_pylist()
    return {row["path"]: row["fingerprint"] for row in rows}


def true(bucket):
    return {row["path"]: row["fingerprint"] for rows in listed(bucket).values() for row in rows}


@pytest.mark.parametrize("most", [0, 100], ids=["by a listing", "one by one"])
def test_an_inventory_that_is_old_and_cut_off_leads_to_what_the_bucket_holds(bucket, tmp_path, lake, monkeypatch, most):
    monkeypatch.setattr(hearsay, "_MOST_ASKED", most)
    before = objects(bucket)
    put(bucket, "a/1", b"newer")
    put(bucket, "b/5")
    obstore.delete(bucket._store(), "b/4")
    index(lake, bucket, PREFIXES)
    stale = of(bucket, as_parquet(tmp_path, [row for row in before if "/a/2" not in row["key"]]))
    index(lake, stale, PREFIXES, guard=DeletionGuard())
    held = rows_of(lake)
    gone = "s3://imaging/dicom/b/4"
    assert {path: version for path, version in held.items() if path != gone} == true(bucket)
    index(lake, bucket, PREFIXES)
    assert rows_of(lake) == true(bucket)


def test_what_the_store_says_is_gone_is_removed_and_what_is_new_is_added(bucket, tmp_path, lake):
    index(lake, bucket, PREFIXES)
    obstore.delete(bucket._store(), "a/1")
    put(bucket, "b/4", b"another")
    put(bucket, "b/6")
    outcome = index(lake, of(bucket, as_parquet(tmp_path, objects(bucket))), PREFIXES, guard=DeletionGuard())
    assert (outcome.added, outcome.changed, outcome.removed) == ({"b": 1}, {"b": 1}, {"a": 1})
    assert rows_of(lake) == true(bucket)


def test_where_the_store_cannot_be_asked_nothing_is_removed(bucket, tmp_path, lake, monkeypatch):
    index(lake, bucket, PREFIXES)
    address = as_parquet(tmp_path, [row for row in objects(bucket) if not row["key"].endswith("/4")])

    def fails(*_):
        raise bucket_module.PermissionDeniedError("denied")

    monkeypatch.setattr(bucket_module.obstore, "head", fails)
    assert not index(lake, of(bucket, address), PREFIXES).committed
    assert rows_of(lake) == true(bucket)


def test_a_deletion_in_earnest_is_refused_as_ever(bucket, tmp_path, lake):
    index(lake, bucket, PREFIXES)
    for key in KEYS[:-1]:
        obstore.delete(bucket._store(), key)
    with pytest.raises(MassDeletionError):
        index(lake, of(bucket, as_parquet(tmp_path, objects(bucket))), PREFIXES, guard=DeletionGuard())


def test_an_inventory_without_times_is_believed_only_where_it_says_what_the_catalog_holds(bucket, tmp_path, lake):
    index(lake, bucket, PREFIXES)
    rows = [{**row, "e_tag": "never"} for row in objects(bucket)]
    for row in rows:
        del row["last_modified_date"]
    assert not index(lake, of(bucket, as_parquet(tmp_path, rows)), PREFIXES).committed
    assert datetime.now(UTC) > lake.snapshot(FILE_INDEX).keys(["modified_at"])["modified_at"][0].as_py()
