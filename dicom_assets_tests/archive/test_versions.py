"""What is read is the version that was listed, on a file system and in an object store."""

import contextlib
import os
from pathlib import Path
from types import SimpleNamespace

import obstore
import pytest
from obstore.store import MemoryStore

from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.file_systems import InodeNumbers, file_system, is_network
from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.opening import open_archive
from dicom_assets.archive.prefetch import ONE_BY_ONE, Prefetch
from dicom_assets.archive.versions import FileChangedError, Listed, source_version

WHEN = 1_700_000_000_000_000_000


def put(path: Path, content: bytes) -> None:
    """Write a file of a fixed time of last modification."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(WHEN, WHEN))


def listed_of(archive, relative_path: str) -> tuple[str, Listed]:
    (row,) = [row for row in archive.list("a").to_pylist() if row["relative_path"] == relative_path]
    return row["path"], Listed(row["size"], row["source_version"] or row["etag"] or row["fingerprint"])


@pytest.fixture
def root(tmp_path):
    put(tmp_path / "a" / "1", b"AAAA")
    return tmp_path


@pytest.fixture
def archive(root):
    return LocalArchive(str(root), 1)


def in_place(path: Path) -> None:
    put(path, b"BBBB")


def by_rename(path: Path) -> None:
    put(path.with_name("other"), b"BBBB")
    path.with_name("other").replace(path)


def longer(path: Path) -> None:
    put(path, b"BBBBB")


@pytest.mark.parametrize("change", [in_place, by_rename, longer])
def test_a_file_that_changed_after_it_was_listed_is_not_read(archive, root, change):
    path, listed = listed_of(archive, "a/1")
    change(root / "a" / "1")
    with pytest.raises(FileChangedError), archive.open(path, listed):
        raise AssertionError("it is not opened")


@pytest.mark.parametrize("change", [in_place, longer])
@pytest.mark.parametrize("known", [True, False])
def test_a_file_that_changes_while_it_is_read_tells_so_in_the_end(archive, root, change, known):
    path, listed = listed_of(archive, "a/1")
    opened = archive.open(path, listed if known else None)
    source = opened.__enter__()
    source.read(0, 2)
    change(root / "a" / "1")
    source.read(2, 2)
    with pytest.raises(FileChangedError):
        opened.__exit__(None, None, None)


def test_a_file_that_is_as_listed_is_read(archive):
    path, listed = listed_of(archive, "a/1")
    with archive.open(path, listed) as source:
        assert source.read(0, 10) == b"AAAA"


def test_an_index_that_knows_size_and_time_only_is_held_against_those(archive, root):
    path, _ = listed_of(archive, "a/1")
    (row,) = archive.list("a").to_pylist()
    listed = Listed(4, row["fingerprint"])
    (root / "a" / "1").chmod(0o600)
    with archive.open(path, listed) as source:
        assert source.read(0, 10) == b"AAAA"
    os.utime(root / "a" / "1")
    with pytest.raises(FileChangedError), archive.open(path, listed):
        raise AssertionError("it is not opened")


def test_inode_and_time_of_status_change_are_parts_of_a_version():
    file = {"st_size": 4, "st_mtime_ns": -1, "st_ctime_ns": 2, "st_ino": 3}
    others = [file | {name: 9} for name in file]
    versions = [source_version(SimpleNamespace(**status), inode=True) for status in (file, *others)]
    assert versions[0] == "4--1-2-3"
    assert len(set(versions)) == 5


def test_a_version_holds_whether_or_not_it_names_the_inode(archive, monkeypatch):
    monkeypatch.setattr(InodeNumbers, "kept", lambda *_: False)
    path, listed = listed_of(archive, "a/1")
    assert listed.version.count("-") == 2
    with archive.open(path, listed) as source:
        assert source.read(0, 10) == b"AAAA"


def test_the_type_of_a_file_system_is_that_of_the_deepest_and_last_mount(tmp_path, monkeypatch):
    mounts = tmp_path / "mountinfo"
    lines = [
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
        f"23 22 0:40 / {tmp_path}/with\\040space rw - fuse.sshfs host:/ rw",
        f"24 22 0:41 / {tmp_path}/share rw master:1 shared:2 - autofs server rw",
        f"25 24 0:42 / {tmp_path}/share rw - nfs4 server:/ rw",
    ]
    mounts.write_text("\n".join(lines))
    monkeypatch.setattr("dicom_assets.archive.file_systems._MOUNTS", mounts)
    found = {name: file_system(str(tmp_path / name)) for name in ("x", "with space/x", "share/x", "shared/x")}
    assert found == {"x": "ext4", "with space/x": "fuse.sshfs", "share/x": "nfs4", "shared/x": "ext4"}
    network = {name: is_network(str(tmp_path / name)) for name in found}
    assert network == {"x": False, "with space/x": True, "share/x": True, "shared/x": False}
    flights = [open_archive(str(tmp_path / name), 1).prefetch for name in ("x", "share/x")]
    assert flights == [ONE_BY_ONE, Prefetch()], "a disk answers at once"
    kept = [InodeNumbers().kept(str(tmp_path / name), 1) for name in ("x", "with space/x", "share/x")]
    assert kept == [True, False, True], "numbers that FUSE makes up tell nothing"
    mounts.unlink()
    assert file_system(str(tmp_path)) == "", "where nothing tells, inode numbers do not count"


@pytest.fixture
def bucket():
    """An object store with the real interface, in memory; its tags are strong."""
    archive = BucketArchive("memory://", 1)
    store = archive.__dict__["_opened"] = MemoryStore()
    obstore.put(store, "a/1", b"AAAA")
    return archive, store


def test_an_object_that_was_replaced_is_not_read(bucket):
    archive, store = bucket
    path, listed = listed_of(archive, "a/1")
    source = archive.open(path, listed).__enter__()
    assert source.read(0, 2) == b"AA"
    obstore.put(store, "a/1", b"BBBB")
    with pytest.raises(FileChangedError):
        source.read(2, 2)


def test_a_reader_that_takes_the_error_for_damage_does_not_hide_it(bucket):
    archive, store = bucket
    path, listed = listed_of(archive, "a/1")
    obstore.put(store, "a/1", b"BBBB")
    with pytest.raises(FileChangedError), archive.open(path, listed) as source, contextlib.suppress(OSError):
        source.read(0, 4)


def test_an_object_that_was_replaced_is_told_by_a_store_that_ignores_conditions(bucket, monkeypatch):
    archive, store = bucket
    path, listed = listed_of(archive, "a/1")
    real, asked = obstore.get, []

    def get(store, key, options):
        asked.append(options.pop("if_match"))
        return real(store, key, options=options)

    monkeypatch.setattr(obstore, "get", get)
    obstore.put(store, "a/1", b"BBBB")
    with pytest.raises(FileChangedError), archive.open(path, listed) as source:
        source.read(0, 4)
    assert asked == ['"0"'], "the condition was sent"


def test_an_object_of_a_store_without_tags_is_told_by_size_and_second(bucket, monkeypatch):
    archive, store = bucket
    monkeypatch.setattr("dicom_assets.archive.bucket._version", _without_tag)
    path, _ = listed_of(archive, "a/1")
    second = _without_tag(obstore.head(store, "a/1"))
    with archive.open(path, Listed(4, second)) as source:
        assert source.read(0, 4) == b"AAAA"
    with pytest.raises(FileChangedError), archive.open(path, Listed(4, second.replace("4-", "5-", 1))) as source:
        source.read(0, 4)


def _without_tag(found) -> str:
    return f"{found['size']}-{found['last_modified'].isoformat()}"


def test_reading_a_listed_object_asks_for_its_bytes_and_nothing_else(bucket, monkeypatch):
    archive, store = bucket
    obstore.put(store, "a/2", b"")
    monkeypatch.setattr(obstore, "get", _counting(obstore.get, counts := []))
    paths = [listed_of(archive, "a/1"), listed_of(archive, "a/2")]
    monkeypatch.setattr(obstore, "head", _counting(obstore.head, counts))
    contents = []
    for path, listed in paths:
        with archive.open(path, listed) as source:
            contents.append(source.read(0, 65536))
            assert source.read(10, 5) == b"", "nothing is behind the end"
    assert contents == [b"AAAA", b""]
    assert counts == ["a/1"]


def _counting(function, counts):
    def counted(store, key, **options):
        counts.append(key)
        return function(store, key, **options)

    return counted
