"""One meaning for an address, wherever it is written: path, ``file://`` URI, URI of an object store."""

import os
from pathlib import Path

import pytest

from dicom_assets.archive.opening import open_archive
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.user_tables import UserTable
from dicom_assets.errors import UserError
from dicom_assets.query.database import Catalog
from dicom_assets.storage.addresses import AddressError, absolute, from_text, is_remote, is_within, to_text
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.rows import append, index_rows, paths

NAMES = ["a b", "ä", "a#b", "a?b", "a+b", "[a]"]


@pytest.mark.parametrize("name", [*NAMES, "100%", "a%20b"])
def test_a_path_and_its_uri_are_one_address(tmp_path, name):
    place = tmp_path / name
    assert absolute(place.as_uri()) == absolute(str(place)) == str(place)
    assert absolute(place.as_uri().replace("file://", "file://localhost")) == str(place)


@pytest.mark.parametrize("name", NAMES)
def test_a_lake_is_the_same_by_path_and_by_uri(tmp_path, name):
    folder = tmp_path / name
    by_uri, by_path = Lake(folder.as_uri()), Lake(str(folder))
    append(by_uri, index_rows("x y", ["1"]))
    append(by_path, index_rows("x y", ["2"]))
    assert paths(by_uri) == paths(by_path) == ["/archive/x y/1", "/archive/x y/2"]
    assert by_uri.location(FILE_INDEX) == TableLocation(f"{folder.as_uri()}/dicom/file_index")
    assert Catalog(by_uri).sql("SELECT count(*) FROM file_index").fetchall() == [(2,)]
    assert [entry.name for entry in tmp_path.iterdir()] == [name], "nothing is written beside the lake"


def test_a_table_of_a_user_is_the_same_by_path_and_by_uri(tmp_path):
    folder = tmp_path / "a b"
    UserTable(TableLocation(folder.as_uri())).replace(index_rows("p", ["1"]))
    assert UserTable(TableLocation(str(folder))).read(["path"]).num_rows == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["a b"]


def test_a_lake_whose_path_delta_would_decode_is_refused(tmp_path):
    with pytest.raises(AddressError, match="%20"):
        Lake(str(tmp_path / "a%20b"))


def test_an_archive_is_the_same_by_path_and_by_uri(tmp_path):
    (tmp_path / "a b" / "x").mkdir(parents=True)
    (tmp_path / "a b" / "x" / "1").write_text("1")
    by_uri, by_path = (open_archive(place, 1) for place in ((tmp_path / "a b").as_uri(), str(tmp_path / "a b")))
    assert by_uri == by_path
    assert by_uri.list("x")["path"].to_pylist() == [str(tmp_path / "a b" / "x" / "1")]


def test_a_name_that_is_no_text_survives_its_uri(tmp_path):
    name = os.fsdecode(b"/data/\xff")
    assert to_text(name) == "file:///data/%FF"
    assert absolute("file:///data/%FF") == name
    assert from_text(to_text(name)) == os.fsencode(name)


@pytest.mark.parametrize("uri", ["file://server/share", "file://folder"])
def test_a_folder_of_another_machine_is_refused(uri):
    with pytest.raises(UserError, match="names the machine"):
        absolute(uri)


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("s3://bucket/a/b", "s3://bucket/a", True),
        ("s3://bucket/ab", "s3://bucket/a", False),
        ("s3://bucket/a", "/bucket", False),
        ("/data/a", "/data", True),
        ("/data", "/data", True),
        ("/data2", "/data", False),
    ],
)
def test_whether_a_place_is_within_another(inner, outer, expected):
    assert is_within(inner, outer) is expected


def test_links_are_followed_to_tell_whether_a_place_is_within_another(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert is_within(str(tmp_path / "link" / "below"), str(tmp_path / "real"))


def test_a_relative_address_is_made_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert absolute("lake") == str(Path.cwd() / "lake")
    assert absolute("s3://bucket/lake/") == "s3://bucket/lake"
    assert is_remote("s3://bucket")
    assert not is_remote("file:///bucket")
