"""Containers that are damaged or meant to harm: one row that says why, whatever is in them, and nothing else."""

import pickle
import zlib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dicom_assets.archive.containers import contents, tar_files, zip_files
from dicom_assets.archive.containers.archive import ContainerArchive
from dicom_assets.archive.containers.contents import ContainerFile, read_contents
from dicom_assets.archive.containers.faults import MemberError
from dicom_assets.archive.containers.places import Marked, Place
from dicom_assets.archive.containers.shared import open_place
from dicom_assets.archive.versions import Listed
from dicom_assets.dicom.inflate import MOST_RATIO
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.support.containers import MAKERS, tar_of, zip_of
from dicom_assets_tests.support.hostile_containers import FILES, HOSTILE


@pytest.mark.parametrize("name", HOSTILE)
def test_a_container_that_cannot_be_listed_has_a_row_that_says_why(archive, root, name):
    make, fault, told = HOSTILE[name]
    (root / "a" / name).write_bytes(make())
    (root / "a" / "well.zip").write_bytes(zip_of(FILES))
    rows = {row["relative_path"]: row for row in archive.list("a").to_pylist()}
    own = rows[f"a/{name}"]
    assert own["fingerprint"].endswith(f"!{fault}")
    version = Listed(own["size"], own["source_version"])
    with (
        pytest.raises(MemberError, match=r"^(the container|members of|the members)"),
        archive.open(own["path"], version),
    ):
        raise AssertionError("it is not read")
    found = [path for path in rows if path.startswith(f"a/{name}!/")]
    assert Marked.parse(own["source_version"]).members == len(found)
    assert told is None or len(found) == told
    assert sum(path.startswith("a/well.zip!/") for path in rows) == len(FILES), "and no other container suffers"


def test_too_many_members_are_refused(archive, root, monkeypatch):
    for module in (zip_files, tar_files, contents):
        monkeypatch.setattr(module, "MOST_MEMBERS", 4)
    for name, maker in MAKERS.items():
        (root / "a" / name).write_bytes(maker(FILES))
    (root / "a" / "nested.zip").write_bytes(
        zip_of({name: tar_of(list(FILES.items())[:3]) for name in ("1.tar", "2.tar")})
    )
    rows = archive.list("a").to_pylist()
    assert len(rows) == len(MAKERS) + 1
    assert all(row["fingerprint"].endswith("!count") for row in rows)


def test_a_damaged_container_in_a_container_costs_itself(archive, root):
    packed = zip_of({"bad.zip": zip_of(FILES)[:-30], "bad.tgz": b"\x1f\x8b\x08", "good.tar": tar_of(FILES), "x": b"1"})
    (root / "a" / "o.zip").write_bytes(packed)
    rows = {row["relative_path"].removeprefix("a/o.zip"): row for row in archive.list("a").to_pylist()}
    assert len(rows) == 1 + 4 + len(FILES)
    for name in ("!/bad.zip", "!/bad.tgz"):
        assert rows[name]["fingerprint"].endswith("!damaged")
        version = Listed(rows[name]["size"], rows[name]["source_version"])
        with pytest.raises(MemberError, match="damaged"), archive.open(rows[name]["path"], version):
            raise AssertionError("it is not read")


def test_a_member_that_would_unpack_to_too_much_is_not_unpacked(archive, root):
    size = 300 << 20
    deflater = zlib.compressobj(9, wbits=-15)
    packed = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(300)) + deflater.flush()
    assert size > MOST_RATIO * len(packed)
    step = Place.parse(f"zip:0:{len(packed)}:d:{size}@1@v")
    with pytest.raises(MemberError, match="200 times"):
        open_place("x.zip", step, BytesSource(packed))


def test_why_a_member_cannot_be_read_is_told_across_processes():
    told = pickle.loads(pickle.dumps(MemberError("the member of the container is encrypted")))
    assert str(told) == "the member of the container is encrypted"


def walk(packed: bytes, name: str) -> None:
    """List a container and read the ends of all that it has."""
    file = ContainerFile("a", f"/{name}", name, "f", Listed(len(packed), "v"))
    found = read_contents(file, BytesSource(packed))
    for row in found.rows.to_pylist():
        place = Place.parse(row["source_version"])
        if place.steps[-1].fault is None:
            try:
                source = open_place(f"/{name} {hash(packed)}", place, BytesSource(packed))
                assert len(source.read(0, 5000)) <= 5000
                source.read(max(source.size - 10, 0), 10)
            except MemberError:
                continue


SMALL = {
    name: maker({"one": b"1" * 600, "two.tar": tar_of({"in": b"2"}), "z.zip": zip_of({"x": b"3"})})
    for name, maker in MAKERS.items()
}


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(MAKERS)), st.data())
def test_whatever_stands_in_a_container_nothing_but_it_suffers(name, data):
    packed = bytearray(SMALL[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(packed) - 1))
        patch = data.draw(st.binary(min_size=1, max_size=8))
        packed[place : place + len(patch)] = patch
    walk(bytes(packed[: data.draw(st.integers(0, len(packed)))] if data.draw(st.booleans()) else packed), name)


@settings(deadline=None, max_examples=100)
@example(b"PK\x05\x06" + bytes(18))
@example(b"PK\x03\x04PK\x05\x06" + bytes(18))
@example(b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + bytes(18))
@given(st.binary(max_size=2000))
def test_noise_does_no_harm(noise):
    for name, magic in (
        ("x.zip", b"PK\x03\x04"),
        ("x.tar", b""),
        ("x.tgz", b"\x1f\x8b\x08"),
        ("x.tar.zst", b"\x28\xb5\x2f\xfd"),
    ):
        walk(noise, name)
        walk(magic + noise, name)


def test_a_container_that_nobody_may_read_hides_no_other(archive, root, monkeypatch):
    (root / "a" / "bad.zip").write_bytes(zip_of(FILES))
    (root / "a" / "good.zip").write_bytes(zip_of(FILES))
    real = type(archive.inner).open

    def refusing(self, path, listed=None):
        if path.endswith("bad.zip"):
            raise PermissionError(13, "Permission denied")
        return real(self, path, listed)

    monkeypatch.setattr(type(archive.inner), "open", refusing)
    rows = ContainerArchive(archive.inner).list("a")["relative_path"].to_pylist()
    assert rows == ["a/bad.zip", "a/good.zip", *(f"a/good.zip!/{name}" for name in FILES)]
