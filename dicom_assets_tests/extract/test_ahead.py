"""What a file of an object store costs in requests, by what is wanted of it, and what becomes of one that fails."""

import errno
from collections import Counter
from pathlib import Path

import obstore
import pytest
from obstore.store import MemoryStore

from dicom_assets.archive.bucket import BucketArchive, BucketSource
from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.prefetch import ONE_BY_ONE, Prefetch
from dicom_assets.archive.versions import Listed
from dicom_assets.dicom.source import StorageError
from dicom_assets.extract.ahead import ORDINARY_BYTES, bytes_ahead, opened_ahead
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.extract.rows import Wanted, extract_rows
from dicom_assets.extract.source_file import HEAD_BYTES, FileKey
from dicom_assets.extract.status import CHANGED
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.whole import tiny_dicom

ALL = frozenset(table.name for table in DEFAULT_MODEL.extracted)
HEADERS = frozenset({"dicom_headers", "file_metadata"})
SLICE = tiny_dicom(1, Rows=512, Columns=512, PixelData=bytes(512 * 512))
FRAMES = tiny_dicom(2, Rows=512, Columns=512, NumberOfFrames=40, PixelData=bytes(40 * 512 * 512))


class Bucket:
    """Objects in memory, and what was read of them."""

    def __init__(self, monkeypatch, prefetch):
        self.archive = BucketArchive("memory://", 1, prefetch=prefetch)
        self.store = self.archive.__dict__["_opened"] = MemoryStore()
        self.requests = []
        read = BucketSource.read

        def counted(source, offset, length):
            data = read(source, offset, length)
            self.requests.append((source.key, offset, len(data)))
            return data

        monkeypatch.setattr(BucketSource, "read", counted)

    def put(self, objects):
        for key, content in objects.items():
            obstore.put(self.store, key, content)

    def wanted(self, tables):
        rows = self.archive.list("a").to_pylist()
        keys = [
            FileKey(
                row["prefix"], row["path"], row["relative_path"], row["fingerprint"], Listed(row["size"], row["etag"])
            )
            for row in rows
        ]
        return [Wanted(key, tables) for key in keys]

    def rows(self, wanted):
        """Return the rows of each file by its name, and how much was read for them."""
        found, read = {}, {}
        for file in opened_ahead(self.archive, DEFAULT_EXTRACTORS, wanted):
            name = file.wanted.key.relative_path
            found[name] = extract_rows(
                self.archive, DEFAULT_EXTRACTORS, file.wanted, meter=file.meter, opened=file.opened
            )
            read[name] = file.meter.bytes
        return found, read


@pytest.fixture(params=[Prefetch(), ONE_BY_ONE], ids=["in flight", "one by one"])
def either(request, monkeypatch):
    return Bucket(monkeypatch, request.param)


@pytest.fixture
def bucket(monkeypatch):
    return Bucket(monkeypatch, Prefetch(files=4))


def test_rows_are_the_same_whether_files_are_in_flight_or_not(either):
    names = ["CT_small.dcm", "JPEG2000.dcm", "MR_truncated.dcm", "README.txt", "SC_rgb_rle.dcm", "rtplan.dcm"]
    either.put(
        {f"a/{name}": (PYDICOM_FILES / name).read_bytes() for name in names} | {"a/empty": b"", "a/slice": SLICE}
    )
    wanted = either.wanted(ALL)
    found, _ = either.rows(wanted)
    assert found == {one.key.relative_path: extract_rows(either.archive, DEFAULT_EXTRACTORS, one) for one in wanted}


def test_an_ordinary_file_is_one_request_whole_where_its_pixels_are_wanted(bucket):
    bucket.put({f"a/{number}": SLICE for number in range(10)})
    found, read = bucket.rows(bucket.wanted(ALL))
    assert sorted(bucket.requests) == [(f"a/{number}", 0, len(SLICE)) for number in range(10)]
    assert {rows["thumbnails"]["status"] for rows in found.values()} == {"ok"}
    assert set(read.values()) == {len(SLICE)}, "what was fetched counts as read"


def test_only_the_head_is_fetched_where_headers_are_wanted(bucket):
    bucket.put({f"a/{number}": SLICE for number in range(10)})
    found, read = bucket.rows(bucket.wanted(HEADERS))
    assert sorted(bucket.requests) == [(f"a/{number}", 0, HEAD_BYTES) for number in range(10)]
    assert {rows["dicom_headers"]["status"] for rows in found.values()} == {"ok"}
    assert set(read.values()) == {HEAD_BYTES}


def test_of_many_frames_one_is_read(bucket):
    bucket.put({"a/frames": FRAMES})
    assert len(FRAMES) > ORDINARY_BYTES
    found, read = bucket.rows(bucket.wanted(ALL))
    assert found["a/frames"]["thumbnails"]["status"] == "ok"
    assert len(bucket.requests) == 2
    assert read["a/frames"] <= HEAD_BYTES + 512 * 512


def test_an_object_that_was_replaced_costs_its_own_rows(bucket):
    bucket.put({f"a/{number}": tiny_dicom(number) for number in range(6)})
    wanted = bucket.wanted(ALL)
    bucket.put({"a/3": tiny_dicom(9)})
    obstore.delete(bucket.store, ["a/4"])
    found, _ = bucket.rows(wanted)
    errors = {name: rows["dicom_headers"]["error"] for name, rows in found.items()}
    assert errors == dict.fromkeys(f"a/{n}" for n in (0, 1, 2, 5)) | {
        "a/3": CHANGED,
        "a/4": "cannot be read: no such object",
    }
    assert found["a/3"]["dicom_headers"]["fingerprint"] is None


def test_a_folder_gives_the_same_rows_with_files_in_flight(tmp_path):
    for number in range(6):
        (tmp_path / "a").mkdir(exist_ok=True)
        (tmp_path / "a" / f"{number}.dcm").write_bytes(tiny_dicom(number))
    archive = LocalArchive(str(tmp_path), 1, prefetch=Prefetch(files=3))
    keys = [
        FileKey("a", row["path"], row["relative_path"], row["fingerprint"], Listed(row["size"], row["source_version"]))
        for row in archive.list("a").to_pylist()
    ]
    (tmp_path / "a" / "1.dcm").write_bytes(tiny_dicom(99))
    (tmp_path / "a" / "2.dcm").unlink()
    before = len(list(Path("/proc/self/fd").iterdir()))
    found = {}
    for file in opened_ahead(archive, DEFAULT_EXTRACTORS, [Wanted(key, ALL) for key in keys]):
        rows = extract_rows(archive, DEFAULT_EXTRACTORS, file.wanted, meter=file.meter, opened=file.opened)
        found[file.wanted.key.relative_path] = rows["dicom_headers"]
    assert {name: row["PatientID"] for name, row in found.items() if row["fingerprint"]} == {
        f"a/{number}.dcm": f"P{number}" for number in (0, 3, 4, 5)
    }
    assert found["a/1.dcm"]["error"] == CHANGED
    assert found["a/2.dcm"]["error"] == "cannot be read: No such file or directory"
    assert len(list(Path("/proc/self/fd").iterdir())) == before, "all are closed"


@pytest.mark.parametrize(("code", "attempts"), [(errno.EIO, 3), (errno.ETIMEDOUT, 1)])
def test_a_file_that_cannot_be_read_is_tried_again_unless_the_store_has_waited_long(
    bucket, monkeypatch, code, attempts
):
    bucket.put({f"a/{number}": tiny_dicom(number) for number in range(6)})
    wanted, read, asked = bucket.wanted(ALL), BucketSource.read, Counter()

    def failing(source, offset, length):
        asked[source.key] += 1
        if source.key == "a/3":
            raise StorageError(code, "object store: it failed")
        return read(source, offset, length)

    monkeypatch.setattr(BucketSource, "read", failing)
    monkeypatch.setattr("time.sleep", lambda _: None)
    found, _ = bucket.rows(wanted)
    assert found["a/3"]["dicom_headers"]["error"] == "cannot be read: object store: it failed"
    assert found["a/3"]["dicom_headers"]["fingerprint"] is None
    assert asked == Counter({f"a/{number}": 1 for number in range(6)} | {"a/3": attempts})
    assert {rows["dicom_headers"]["error"] for name, rows in found.items() if name != "a/3"} == {None}


def test_a_file_that_failed_while_it_was_in_flight_is_read_at_the_next_attempt(bucket, monkeypatch):
    bucket.put({"a/1": tiny_dicom(1), "a/2": tiny_dicom(2)})
    wanted, read, failures = bucket.wanted(ALL), BucketSource.read, [StorageError(5, "object store: HTTP 503")]

    def failing_once(source, offset, length):
        if source.key == "a/1" and failures:
            raise failures.pop()
        return read(source, offset, length)

    monkeypatch.setattr(BucketSource, "read", failing_once)
    found, read_bytes = bucket.rows(wanted)
    assert [found[name]["dicom_headers"]["PatientID"] for name in ("a/1", "a/2")] == ["P1", "P2"]
    assert read_bytes["a/1"] == len(tiny_dicom(1))


@pytest.mark.parametrize(
    ("size", "beyond_head", "length"),
    [
        (0, True, 0),
        (1000, False, 1000),
        (HEAD_BYTES + 1, False, HEAD_BYTES),
        (HEAD_BYTES + 1, True, HEAD_BYTES + 1),
        (ORDINARY_BYTES, True, ORDINARY_BYTES),
        (ORDINARY_BYTES + 1, True, HEAD_BYTES),
        (2 << 30, True, HEAD_BYTES),
    ],
)
def test_how_much_of_a_file_is_fetched_before_its_turn(size, beyond_head, length):
    assert bytes_ahead(size, beyond_head=beyond_head) == length
