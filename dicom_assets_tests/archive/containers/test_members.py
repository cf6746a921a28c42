"""Members of sound containers: each is listed once, under a name that stays below it, and reads as what was packed."""

import io
import pickle
import tarfile
import zipfile
from datetime import UTC, datetime

import pytest

from dicom_assets.archive.containers import limits, zip_files
from dicom_assets.archive.containers.contents import ContainerFile, read_contents
from dicom_assets.archive.containers.faults import MemberError
from dicom_assets.archive.containers.finding import find_member
from dicom_assets.archive.containers.kinds import safe_name
from dicom_assets.archive.listing import LISTING_SCHEMA
from dicom_assets.archive.versions import FileChangedError, Listed
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.support.containers import (
    MAKERS,
    directory_only,
    encrypted,
    tar_of,
    tgz_of,
    tzst_of,
    with_links,
    zip_of,
)

FILES = {
    "top.dcm": b"t" * 1000,
    "b/one.dcm": bytes(range(256)) * 300,
    "b/deep/er/two.dcm": b"",
    "é/日本 #1.dcm": b"unicode",
}


def listed(archive, prefix="a"):
    """Return size and version of each file, by what stands behind the container in its path."""
    return {row["relative_path"]: row for row in archive.list(prefix).to_pylist()}


def version_of(row):
    return Listed(row["size"], row["source_version"] or row["etag"] or row["fingerprint"])


def content(archive, row, known=True):
    with archive.open(row["path"], version_of(row) if known else None) as source:
        assert source.size == row["size"]
        whole = source.read(0, source.size)
        assert source.read(3, 5) == whole[3:8]
        return whole


def members(archive, name):
    start = f"a/{name}!/"
    found = {path.removeprefix(start): row for path, row in listed(archive).items() if path.startswith(start)}
    return {path: content(archive, row) for path, row in found.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_members_are_files_of_the_archive_beside_their_container(either, name):
    archive, put = either
    packed = MAKERS[name](FILES)
    put(f"a/{name}", packed)
    put("a/plain.dcm", b"plain")
    table = archive.list("a")
    assert table.schema.equals(LISTING_SCHEMA)
    assert table["path"].to_pylist() == sorted(table["path"].to_pylist())
    rows = listed(archive)
    assert rows.keys() == {f"a/{name}", "a/plain.dcm", *(f"a/{name}!/{member}" for member in FILES)}
    for member, expected in FILES.items():
        row = rows[f"a/{name}!/{member}"]
        assert row["prefix"] == "a"
        assert content(archive, row) == content(archive, row, known=False) == expected
    assert rows["a/plain.dcm"]["fingerprint"] == listed(archive.inner)["a/plain.dcm"]["fingerprint"]
    assert content(archive, rows[f"a/{name}"]) == packed, "the container itself is a file too"


@pytest.mark.parametrize("name", ["x.zip", "x.tar"])
def test_times_are_those_of_the_members(archive, root, name):
    (root / "a" / name).write_bytes(MAKERS[name](FILES))
    assert listed(archive)[f"a/{name}!/top.dcm"]["modified_at"] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_containers_stand_in_containers_one_level_deep(either):
    archive, put = either
    inner = {name: maker(FILES) for name, maker in MAKERS.items()}
    nested = {"o.zip": zip_of(inner), "o.tar": tar_of(inner), "o.tgz": tgz_of(inner), "o.tar.zst": tzst_of(inner)}
    for name, packed in nested.items():
        put(f"a/{name}", packed)
    put("a/third.zip", zip_of({"second.zip": zip_of({"first.zip": zip_of(FILES)})}))
    rows = listed(archive)
    for outer in nested:
        for name in inner:
            for member, expected in FILES.items():
                row = rows[f"a/{outer}!/{name}!/{member}"]
                assert content(archive, row) == content(archive, row, known=False) == expected
    assert "a/third.zip!/second.zip!/first.zip" in rows
    assert not any(path.startswith("a/third.zip!/second.zip!/first.zip!/") for path in rows)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("./a//b", "a/b"),
        ("a/..", "a/%2E%2E"),
        ("...", "..."),
        ("a\nb\x00", "a%0Ab%00"),
        ("caf\udce9.dcm", "caf%E9.dcm"),
        ("in.zip!/x", "in.zip!%2Fx"),
        ("in.TAR.gz%21/x", "in.TAR.gz%21%2Fx"),
        ("wow!/x", "wow!/x"),
        ("/", ""),
    ],
)
def test_a_name_stays_below_its_container(given, written):
    assert safe_name(given) == written


def test_members_by_hostile_names_are_read_and_lead_nowhere(archive, root):
    names = ["../../up", "/absolute", "b/../../x", "in.zip!/x", "n\newline"]
    for name, maker in (("x.zip", zip_of), ("x.tar", tar_of)):
        (root / "a" / name).write_bytes(maker({member: member.encode() for member in names}))
        found = members(archive, name)
        assert sorted(found.values()) == sorted(member.encode() for member in names)
        assert not any(".." in path.split("/") or path.startswith("/") for path in found)


def test_names_that_are_no_utf8_are_told_apart(archive, root):
    (root / "a" / "x.tar").write_bytes(tar_of([("caf\udce9", b"1"), ("caf\udce8", b"2")]))
    assert members(archive, "x.tar") == {"caf%E9": b"1", "caf%E8": b"2"}
    latin = zip_of({"caf.dcm": b"1"}).replace(b"caf.dcm", "café".encode("cp437") + b"dcm")
    (root / "a" / "x.zip").write_bytes(latin)
    assert members(archive, "x.zip") == {"cafédcm": b"1"}


def test_a_container_below_a_folder_that_is_no_utf8(root, archive):
    folder = root / "a" / "caf\udce9"
    folder.mkdir()
    (folder / "x.zip").write_bytes(zip_of({"../é.dcm": b"1", "in.tar": tar_of({"y": b"2"})}))
    rows = [row for row in archive.list("a").to_pylist() if "%21/" in row["path"]]
    assert [content(archive, row) for row in rows if row["size"] == 1] == [b"1", b"2"]
    assert [content(archive, row, known=False) for row in rows if row["size"] == 1] == [b"1", b"2"]


@pytest.mark.parametrize(("name", "maker"), [("x.zip", zip_of), ("x.tar", tar_of), ("x.tgz", tgz_of)])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_several_members_of_one_name_each_has_a_path(archive, root, name, maker):
    (root / "a" / name).write_bytes(maker([("d", b"1"), ("d;1", b"other"), ("d", b"22"), ("d", b"333")]))
    assert members(archive, name) == {"d": b"333", "d;1": b"other", "d;2": b"1", "d;3": b"22"}


def test_links_and_devices_are_left_out_and_hard_links_are_files(archive, root):
    links = [
        ("hard", "d/file", tarfile.LNKTYPE),
        ("to nowhere", "gone", tarfile.LNKTYPE),
        ("soft", "d/file", tarfile.SYMTYPE),
        ("out", "/etc/passwd", tarfile.SYMTYPE),
        ("pipe", "", tarfile.FIFOTYPE),
        ("device", "", tarfile.CHRTYPE),
        ("folder", "", tarfile.DIRTYPE),
    ]
    (root / "a" / "x.tar").write_bytes(with_links({"d/file": b"content"}, links))
    assert members(archive, "x.tar") == {"d/file": b"content", "hard": b"content"}
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        soft = zipfile.ZipInfo("soft")
        soft.create_system, soft.external_attr = 3, 0o120777 << 16
        packed.writestr(soft, "/etc/passwd")
        packed.writestr("folder/", b"")
        packed.writestr("file", b"1")
    (root / "a" / "x.zip").write_bytes(sink.getvalue())
    assert members(archive, "x.zip") == {"file": b"1"}


def test_zip64_and_what_stands_before_and_behind_a_zip(archive, root, monkeypatch):
    comment = b"PK\x05\x06" + b"c" * 60_000
    (root / "a" / "sfx.zip").write_bytes(b"#! a program\n" * 20 + zip_of(FILES, comment=comment))
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    (root / "a" / "wide.zip").write_bytes(zip_of(FILES))
    assert b"PK\x06\x06" in (root / "a" / "wide.zip").read_bytes()
    for name in ("sfx.zip", "wide.zip"):
        assert {path: data for path, data in members(archive, name).items() if data} == {
            path: data for path, data in FILES.items() if data
        }


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (encrypted(zip_of({"m": b"1"})), "encrypted"),
        (zip_of({"m": b"1"}, zipfile.ZIP_BZIP2), "method 12"),
        (zip_of({"m": b"1"}, zipfile.ZIP_LZMA), "method 14"),
        (zip_of({"m": b"12345"}).replace(b"PK\x03\x04", b"PK\x00\x00"), "not where"),
    ],
)
def test_a_member_that_cannot_be_read_in_place_says_why(archive, root, packed, reason):
    (root / "a" / "x.zip").write_bytes(packed)
    row = listed(archive)["a/x.zip!/m"]
    for known in (True, False):
        with pytest.raises(MemberError, match=reason):
            content(archive, row, known)


def test_damage_within_a_member_costs_what_stands_behind_it(archive, root):
    noise = b"".join(i.to_bytes(4, "big") for i in range(300_000))
    packed = bytearray(zip_of({"m": noise}))
    middle = len(packed) // 2
    packed[middle : middle + 2000] = b"\xff" * 2000
    (root / "a" / "x.zip").write_bytes(packed)
    with archive.open((row := listed(archive)["a/x.zip!/m"])["path"], version_of(row)) as source:
        assert source.read(0, 1000) == noise[:1000]
        assert len(source.read(0, source.size)) < len(noise)


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_read_is_the_version_that_was_listed(archive, root, name):
    (root / "a" / name).write_bytes(MAKERS[name](FILES))
    row = listed(archive)[f"a/{name}!/b/one.dcm"]
    (root / "a" / name).write_bytes(MAKERS[name]({**FILES, "b/one.dcm": b"other"}))
    with pytest.raises(FileChangedError), archive.open(row["path"], version_of(row)):
        raise AssertionError("it is not opened")
    with (
        pytest.raises(FileChangedError),
        archive.open(row["path"], Listed(row["size"], row["fingerprint"])) as source,
    ):
        source.read(0, 1)
    with pytest.raises(FileNotFoundError), archive.open(row["path"] + ".gone"):
        raise AssertionError("there is none")


@pytest.mark.parametrize("name", MAKERS)
def test_a_container_that_is_written_while_it_is_read_tells_so_in_the_end(archive, root, name):
    (root / "a" / name).write_bytes(MAKERS[name](FILES))
    row = listed(archive)[f"a/{name}!/b/one.dcm"]
    opened = archive.open(row["path"], version_of(row))
    opened.__enter__().read(0, 10)
    (root / "a" / name).write_bytes(MAKERS[name]({**FILES, "b/one.dcm": b"other"}))
    with pytest.raises(FileChangedError):
        opened.__exit__(None, None, None)


@pytest.mark.parametrize("name", MAKERS)
def test_a_member_is_found_by_its_fingerprint_alone(archive, root, name):
    (root / "a" / name).write_bytes(MAKERS[name](FILES))
    row = listed(archive)[f"a/{name}!/b/one.dcm"]
    with archive.open(row["path"], Listed(row["size"], row["fingerprint"])) as source:
        assert source.read(0, source.size) == FILES["b/one.dcm"]


class Untagged(BytesSource):
    """A file of a store that gives no entity tags."""

    version = "1700-2023-11-14T22:13:20+00:00"


def test_a_member_is_found_by_its_fingerprint_in_a_store_without_entity_tags():
    source = Untagged(tgz_of({"m": b"content"}))
    file = ContainerFile("a", "m://b/x.tgz", "x.tgz", source.version, Listed(source.size, source.version))
    (row,) = read_contents(file, source).rows.to_pylist()
    found = find_member("m://b/x.tgz", row["path"], source, Listed(row["size"], row["fingerprint"]))
    assert found.read(0, 7) == b"content"


def test_a_file_whose_name_only_looks_like_a_member_is_a_file(archive, root):
    (root / "a" / "x.zip!").mkdir()
    (root / "a" / "x.zip!" / "f").write_bytes(b"file")
    row = listed(archive)["a/x.zip!/f"]
    assert content(archive, row) == content(archive, row, known=False) == b"file"
    (root / "a" / "x.zip").write_bytes(zip_of({"f": b"member", "g": b"member"}))
    rows = listed(archive)
    assert content(archive, rows["a/x.zip!/f"]) == content(archive, rows["a/x.zip!/f"], known=False) == b"file"
    assert content(archive, rows["a/x.zip!/g"]) == b"member"


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("data", [b"", b"no container", bytes(5000), b"\0" * 128 + b"DICM" + bytes(range(200))])
def test_what_is_no_container_whatever_its_name_is_a_file(archive, root, name, data):
    (root / "a" / name).write_bytes(data)
    (row,) = listed(archive).values()
    assert "fault" not in row["source_version"]
    assert content(archive, row) == data


def test_an_archive_of_containers_travels_to_workers(archive, root):
    (root / "a" / "x.tgz").write_bytes(tgz_of(FILES))
    again = pickle.loads(pickle.dumps(archive))
    assert again.list("a").equals(archive.list("a"))
    row = listed(archive)["a/x.tgz!/top.dcm"]
    assert again.exists(row["path"])
    assert content(again, row) == FILES["top.dcm"]


def test_a_directory_is_read_block_by_block(archive, root, monkeypatch):
    monkeypatch.setattr(zip_files, "_BLOCK", 4096)
    monkeypatch.setattr(zip_files, "_TAIL", 100)
    (root / "a" / "x.zip").write_bytes(directory_only(5000))
    assert archive.list("a").num_rows == 5001
    assert limits.MOST_MEMBERS > 1_000_000
