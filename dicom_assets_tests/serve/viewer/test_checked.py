"""A build is looked through once for each state of it."""

import os

import pytest

from dicom_assets.serve.viewer import checked, configuration
from dicom_assets.serve.viewer.checked import check_once
from dicom_assets.serve.viewer.errors import ViewerError
from dicom_assets.serve.viewer.package import Places
from dicom_assets_tests.serve.viewer import packing


@pytest.fixture
def build(tmp_path, cache):
    folder = tmp_path / "build"
    folder.mkdir()
    for name, content in packing.FILES.items():
        path = folder / name.removeprefix("package/").removeprefix("dist/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.fixture
def looked(monkeypatch):
    """The builds that were looked through."""
    seen, look = [], checked.check_build

    def looking(folder, expected=None):
        seen.append(folder)
        look(folder, expected)

    monkeypatch.setattr(checked, "check_build", looking)
    return seen


def test_a_build_is_looked_through_once(build, looked):
    for _ in range(3):
        check_once(build, packing.PLACES)
    assert looked == [build]


@pytest.mark.parametrize("name", ["index.html", "app.css", "deep/er/codec.wasm"])
def test_a_file_that_changed_is_looked_at(build, looked, name):
    check_once(build)
    path = build / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")  # of the same size
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    check_once(build)
    assert len(looked) == 2
    (build / "another.js").write_bytes(b"")
    check_once(build)
    assert len(looked) == 3


def test_another_configuration_or_expectation_looks_again(build, looked, monkeypatch):
    check_once(build)
    check_once(build, packing.PLACES)
    monkeypatch.setattr(configuration, "configuration", lambda: b"another")
    check_once(build)
    assert len(looked) == 3


def test_what_cannot_be_served_is_never_known(build, looked):
    for _ in range(2):
        with pytest.raises(ViewerError):
            check_once(build, Places(1, 1, 1))
    (build / "index.html").unlink()
    for _ in range(2):
        with pytest.raises(ViewerError):
            check_once(build)
    assert len(looked) == 4


def test_without_a_place_for_stamps_it_is_looked_through_each_time(build, looked, cache):
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"no folder")
    for _ in range(2):
        check_once(build)
    assert len(looked) == 2


def test_stamps_do_not_pile_up(build, cache):
    for number in range(25):
        (build / "app.css").write_bytes(b"x" * number)
        check_once(build)
    assert len(list((cache / "checked").iterdir())) == 20
