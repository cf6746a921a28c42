"""What takes the place of a file between listing and reading does not hold up who opens it."""

import os
import socket
from pathlib import Path

import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.reading import NotAFileError

DESCRIPTORS = Path("/proc/self/fd")


def _socket(path):
    before = Path.cwd()
    os.chdir(path.parent)  # its address has at most 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(before)


def _link_to_a_pipe(path):
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


@pytest.fixture(params=[os.mkfifo, os.mkdir, _socket, _link_to_a_pipe])
def replaced(tmp_path, request):
    """Return a path that was a file when it was listed."""
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "file"
    path.write_bytes(b"x")
    assert LocalArchive(str(tmp_path), 1).list("a").num_rows == 1
    path.unlink()
    request.param(path)
    return path


@pytest.mark.timeout(20)
def test_what_is_no_file_any_more_is_not_waited_for(replaced, tmp_path):
    with pytest.raises(NotAFileError, match="not a regular file"), LocalArchive(str(tmp_path), 1).open(str(replaced)):
        pass


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="the system does not tell what is open")
def test_no_descriptor_is_left_open(tmp_path):
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "a" / "pipe")
    archive = LocalArchive(str(tmp_path), 1)
    before = len(list(DESCRIPTORS.iterdir()))
    for _ in range(20):
        with pytest.raises(NotAFileError), archive.open(str(tmp_path / "a" / "pipe")):
            pass
        archive.list("a")
    assert len(list(DESCRIPTORS.iterdir())) == before
