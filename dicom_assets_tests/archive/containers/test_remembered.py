"""Containers that did not change are not read again, and what cannot be seen of one is not gone."""

import contextlib

import pytest

from dicom_assets.archive.containers.archive import ContainerArchive, glancing
from dicom_assets.archive.knowing import knowing
from dicom_assets.archive.listing import LISTING_SCHEMA, UNKNOWN, ListedFile, to_table
from dicom_assets_tests.support.containers import MAKERS, tar_of, zip_of

FILES = {f"d/{number}.dcm": bytes([number]) * 3000 for number in range(5)}


class Watched:
    """An archive that notes what is opened of it."""

    def __init__(self, inner):
        self.inner, self.opened = inner, []

    def __getattr__(self, name):
        return getattr(self.inner, name)

    @contextlib.contextmanager
    def open(self, path, listed=None):
        self.opened.append(path.rsplit("/", 1)[-1])
        with self.inner.open(path, listed) as source:
            yield source


@pytest.fixture
def watched(archive):
    return Watched(archive.inner)


def known_of(table):
    return lambda _: table


def names(table):
    return [path.removeprefix("a/") for path in table["relative_path"].to_pylist()]


@pytest.fixture
def filled(root):
    for name, maker in MAKERS.items():
        (root / "a" / name).write_bytes(maker(FILES))
    (root / "a" / "o.zip").write_bytes(zip_of({"in.tar": tar_of(FILES), "file": b"1"}))
    return root


def test_members_of_unchanged_containers_come_from_the_index(watched, filled):
    first = ContainerArchive(watched).list("a")
    assert sorted(set(watched.opened)) == sorted({*MAKERS, "o.zip"})
    watched.opened.clear()
    again = knowing(ContainerArchive(watched), known_of(first)).list("a")
    assert watched.opened == []
    assert again.equals(first)


def test_only_a_container_that_changed_is_read(watched, filled):
    first = ContainerArchive(watched).list("a")
    watched.opened.clear()
    (filled / "a" / "x.tar").write_bytes(tar_of({**FILES, "new": b"2"}))
    again = knowing(ContainerArchive(watched), known_of(first)).list("a")
    assert watched.opened == ["x.tar"]
    assert set(names(again)) - set(names(first)) == {"x.tar!/new"}


def test_rows_that_are_missing_in_the_index_make_a_container_be_read(watched, filled):
    first = ContainerArchive(watched).list("a")
    watched.opened.clear()
    kept = first.filter([not name.endswith("x.zip!/d/3.dcm") for name in names(first)])
    assert knowing(ContainerArchive(watched), known_of(kept)).list("a").equals(first)
    assert watched.opened == ["x.zip"]


def test_a_glance_opens_nothing_and_takes_nothing_for_gone(watched, filled):
    glance = glancing(ContainerArchive(watched))
    new = glance.list("a")
    assert names(new) == sorted([*MAKERS, "o.zip"])
    first = ContainerArchive(watched).list("a")
    watched.opened.clear()
    assert knowing(glance, known_of(first)).list("a").equals(first)
    (filled / "a" / "x.zip").write_bytes(zip_of({"other": b"1"}))
    (filled / "a" / "x.tar").unlink()
    changed = knowing(glance, known_of(first)).list("a")
    assert watched.opened == []
    told = {row["relative_path"]: row for row in changed.to_pylist()}
    assert all(told[f"a/x.zip!/{name}"]["fingerprint"] == UNKNOWN for name in FILES)
    assert not any(path.startswith("a/x.tar") and not path.startswith("a/x.tar.") for path in told)
    before = {row["relative_path"]: row for row in first.to_pylist()}
    assert told["a/x.zip"]["source_version"] != before["a/x.zip"]["source_version"]


@pytest.mark.parametrize("length", [0, 3, 100, 8000])
@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tgz", "x.tar.zst"])
def test_a_container_that_was_damaged_keeps_the_members_that_are_known(watched, filled, name, length):
    first = ContainerArchive(watched).list("a")
    path = filled / "a" / name
    path.write_bytes(path.read_bytes()[: min(length, path.stat().st_size - 50)])
    again = knowing(ContainerArchive(watched), known_of(first)).list("a")
    assert names(again) == names(first), "no member is gone"
    told = {row["relative_path"]: row["fingerprint"] for row in again.to_pylist()}
    assert "!" in told[f"a/{name}"]
    listed = [member for member in FILES if told[f"a/{name}!/{member}"] != UNKNOWN]
    assert len(listed) < len(FILES)
    later = knowing(ContainerArchive(watched), known_of(first)).list("a")
    assert later.equals(again)


class Silent(Watched):
    """An archive in a folder that shows its files and tells nothing of them."""

    def list(self, prefix):
        files = self.inner.list(prefix).to_pylist()
        return to_table(prefix, (ListedFile(one["path"], one["relative_path"], *[None] * 3, UNKNOWN) for one in files))


@pytest.mark.parametrize("glances", [False, True])
def test_a_container_that_nothing_is_told_of_keeps_its_members(watched, filled, glances):
    first = ContainerArchive(watched).list("a")
    silent = Silent(watched.inner)
    again = knowing(ContainerArchive(silent, glances=glances), known_of(first)).list("a")
    assert names(again) == names(first), "no member is gone"
    assert set(again["fingerprint"].to_pylist()) == {UNKNOWN}
    assert silent.opened == []


def test_a_file_that_was_no_container_before_is_no_damaged_one(watched, root):
    (root / "a" / "x.zip").write_bytes(b"no container")
    first = ContainerArchive(watched).list("a")
    (root / "a" / "x.zip").write_bytes(b"none either")
    again = knowing(ContainerArchive(watched), known_of(first)).list("a")
    assert "!" not in again["fingerprint"][0].as_py()
    (root / "a" / "x.zip").write_bytes(zip_of({}))
    assert names(knowing(ContainerArchive(watched), known_of(again)).list("a")) == ["x.zip"]


def test_an_index_without_containers_knows_nothing_of_members(watched, filled):
    plain = watched.inner.list("a")
    assert knowing(ContainerArchive(watched), known_of(plain)).list("a").num_rows > plain.num_rows
    assert knowing(ContainerArchive(watched), known_of(LISTING_SCHEMA.empty_table())).list("a").num_rows


def test_an_archive_that_opens_no_containers_is_left_as_it_is(archive):
    assert glancing(archive.inner) is archive.inner
    assert knowing(archive.inner, None) is archive.inner
