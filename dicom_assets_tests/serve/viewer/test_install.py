"""The viewer is fetched once, checked before it is unpacked, and whole or not there."""

import errno
import multiprocessing
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from dicom_assets.serve.viewer import install, unpacking
from dicom_assets.serve.viewer.errors import ViewerError, ViewerFetchError
from dicom_assets.serve.viewer.install import install_viewer, installed_viewer
from dicom_assets.serve.viewer.package import OHIF, Package
from dicom_assets.serve.viewer.rewriting import check_build
from dicom_assets_tests.serve.viewer.packing import KEPT, PLACES, member, package_of, packed

ADDRESS = "/@made/up/-/up-1.2.3.tgz"


def files_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def left_in(cache):
    return {path.name for path in cache.iterdir()} if cache.exists() else set()


@pytest.fixture
def offered(tmp_path):
    """Write a tarball to a file; returns the file and what describes it."""

    def of(content):
        path = tmp_path / "offered.tgz"
        path.write_bytes(content)
        return path, package_of(content)

    return of


def test_it_is_fetched_once_from_the_registry(cache, registry):
    registry.published[ADDRESS] = tarball = packed()
    package = package_of(tarball)
    assert installed_viewer(package) is None
    folder = install_viewer(package)
    assert folder == installed_viewer(package) == cache / "made-up-1.2.3"
    assert files_of(folder) == KEPT
    assert left_in(cache) == {"made-up-1.2.3", "install.lock"}
    assert install_viewer(package) == folder
    assert registry.asked == [ADDRESS]
    check_build(folder, PLACES)


def test_what_has_another_hash_is_not_unpacked(cache, registry, monkeypatch):
    registry.published[ADDRESS] = packed({"package/dist/index.html": b"of somebody else"})
    monkeypatch.setattr(install, "unpack", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(ViewerError, match="its hash is another"):
        install_viewer(package_of(packed()))
    assert left_in(cache) == {"install.lock"}


def test_what_has_no_end_is_cut_off(cache, offered, monkeypatch):
    path, package = offered(packed())
    monkeypatch.setattr(install, "_MOST_BYTES", 100)
    with pytest.raises(ViewerError, match="its hash is another"):
        install_viewer(package, path)


def test_an_answer_that_ends_early(cache, registry):
    registry.published[ADDRESS], registry.cut = packed(), 10
    with pytest.raises((ViewerError, ViewerFetchError)):
        install_viewer(package_of(packed()))
    assert left_in(cache) == {"install.lock"}


def test_a_registry_without_it_and_none_at_all(cache, registry, monkeypatch):
    package = package_of(packed())
    with pytest.raises(
        ViewerFetchError, match=r"from 127\.0\.0\.1: it answered 404\. .*npm pack @made/up@1\.2\.3.*--from"
    ):
        install_viewer(package)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    with pytest.raises(ViewerFetchError, match="cannot be fetched"):
        install_viewer(package)


def test_a_file_is_checked_as_well(cache, offered, tmp_path):
    path, package = offered(packed())
    assert files_of(install_viewer(package, path)) == KEPT
    shutil.rmtree(cache)
    path.write_bytes(packed()[:-9])
    with pytest.raises(ViewerError, match="this file is not @made/up"):
        install_viewer(package, path)
    with pytest.raises(ViewerError, match="cannot be read"):
        install_viewer(package, tmp_path)


@pytest.mark.parametrize(
    "bad",
    [
        member("package/dist/../../../outside", b"x"),
        member("/package/dist/absolute", b"x"),
        member("package\\dist\\windows", b"x"),
        member("package/dist/C:stream", b"x"),
        member("package/dist/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("package/dist/hard", type=tarfile.LNKTYPE, linkname="package/dist/index.html"),
        member("package/dist/pipe", type=tarfile.FIFOTYPE),
    ],
    ids=lambda bad: bad[0].name,
)
def test_what_would_lead_out_of_the_folder_is_refused(cache, offered, tmp_path, bad):
    path, package = offered(packed(more=[bad]))
    with pytest.raises(ViewerError, match="no use for"):
        install_viewer(package, path)
    assert left_in(cache) == {"install.lock"}
    assert not (tmp_path / "outside").exists()


def test_bounds_of_what_is_unpacked(cache, offered, monkeypatch):
    path, package = offered(packed())
    for bound in ("_MOST_FILES", "_MOST_BYTES"):
        with monkeypatch.context() as patched:
            patched.setattr(unpacking, bound, 3)
            with pytest.raises(ViewerError, match="larger than any build"):
                install_viewer(package, path)


@pytest.mark.parametrize("content", [b"", b"no tarball", packed({"package/LICENSE": b"MIT"}), packed()[:400]])
def test_what_is_no_build(cache, offered, content):
    path, package = offered(content)
    with pytest.raises(ViewerError, match=r"no tarball|no build"):
        install_viewer(package, path)
    assert left_in(cache) == {"install.lock"}


def test_a_full_disk(cache, offered, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path, package = offered(packed())
    monkeypatch.setattr(install, "unpack", full)
    with pytest.raises(ViewerFetchError, match=r"cannot be kept in .*: No space left"):
        install_viewer(package, path)
    assert installed_viewer(package) is None


def test_a_cache_that_is_a_file(cache, offered):
    path, package = offered(packed())
    cache.parent.mkdir(parents=True)
    cache.write_text("")
    with pytest.raises(ViewerFetchError, match="cannot be kept"):
        install_viewer(package, path)


def _killed(cache, path, package):
    install.user_cache_path = lambda _: cache.parent

    def unpack(tarball, folder):
        (folder / "index.html").write_text("half")
        os._exit(9)

    install.unpack = unpack
    install_viewer(package, path)


def test_a_killed_one_leaves_nothing_half(cache, offered):
    path, package = offered(packed())
    process = multiprocessing.get_context("spawn").Process(target=_killed, args=(cache, path, package))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert any(name.startswith("unfinished-") for name in left_in(cache)), "it was killed in the middle"
    assert installed_viewer(package) is None
    assert files_of(install_viewer(package, path)) == KEPT
    assert left_in(cache) == {"made-up-1.2.3", "install.lock"}


def test_what_is_pinned_is_well_formed():
    assert len(OHIF.digest) == 64
    assert OHIF.address == f"@ohif/app/-/app-{OHIF.version}.tgz"
    with pytest.raises(ValueError, match="sha512"):
        assert Package("a", "1", "sha1-abc").digest


def test_what_is_installed_here_is_what_was_pinned():
    folder = installed_viewer()
    if folder is None:
        pytest.skip("the viewer is not in the cache: dicom-assets viewer install")
    check_build(folder, OHIF.places)
    assert (Path(folder) / "LICENSE").is_file()
