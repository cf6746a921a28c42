"""Headers and thumbnails by path, bytes and file object."""

import io
import os
import tempfile
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from dicom_assets.dicom import header as headers
from dicom_assets.dicom import thumbnail as thumbnails
from dicom_assets.dicom.files import read_header, render_thumbnail
from dicom_assets.dicom.header import header_json
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.opening import open_source
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus, ThumbnailStatus

NAMES = ["CT_small.dcm", "JPEG2000.dcm", "image_dfl.dcm"]


class Trickle(io.BytesIO):
    """Gives a few bytes at a time, as a raw file may."""

    def read(self, size=-1):
        return super().read(min(size, 1000) if size >= 0 else 1000)


KINDS = {
    "text path": str,
    "path": lambda path: path,
    "bytes": lambda path: path.read_bytes(),
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "memoryview": lambda path: memoryview(path.read_bytes()),
    "file": lambda path: path.open("rb"),
    "raw file": lambda path: path.open("rb", buffering=0),
    "buffer": lambda path: io.BytesIO(path.read_bytes()),
    "trickle": lambda path: Trickle(path.read_bytes()),
}


@pytest.fixture(params=NAMES)
def path(request, tmp_path):
    path = tmp_path / request.param
    path.write_bytes(Path(get_testdata_file(request.param)).read_bytes())
    return path


@pytest.fixture(params=KINDS)
def given(request, path):
    file = KINDS[request.param](path)
    yield file
    if hasattr(file, "close"):
        file.close()


def test_headers_are_those_of_the_source(path, given):
    expected = headers.read_header(BytesSource(path.read_bytes()))
    found = read_header(given)
    assert header_json(found) == header_json(expected)
    assert (found.status, found.issues, found.pixel) == (expected.status, expected.issues, expected.pixel)


def test_limits_are_kept(given):
    assert read_header(given, HeaderLimits(max_elements=3)).status is HeaderStatus.UNSUPPORTED


def test_thumbnails_are_those_of_the_header(path, given):
    expected = thumbnails.render_thumbnail(headers.read_header(BytesSource(path.read_bytes())))
    assert expected.status is ThumbnailStatus.OK
    assert render_thumbnail(given) == expected


def test_options_are_kept(given):
    thumbnail = render_thumbnail(given, thumbnails.ThumbnailOptions(longest_side=16))
    assert max(thumbnail.width, thumbnail.height) == 16


def test_what_is_no_dicom_has_a_status(tmp_path):
    path = tmp_path / "notes"
    path.write_text("no image")
    assert read_header(path).status is HeaderStatus.NOT_DICOM
    assert render_thumbnail(path).status is ThumbnailStatus.NOT_DICOM
    assert read_header(b"").status is HeaderStatus.EMPTY


def test_a_file_object_keeps_its_position_and_stays_open(path):
    with path.open("rb") as file:
        file.seek(7)
        read_header(file)
        render_thumbnail(file)
        assert file.tell() == 7
        assert not file.closed


def test_a_header_of_bytes_or_an_open_file_can_still_be_rendered(path):
    expected = render_thumbnail(path)
    assert thumbnails.render_thumbnail(read_header(path.read_bytes())) == expected
    with path.open("rb") as file:
        assert thumbnails.render_thumbnail(read_header(file)) == expected


@pytest.mark.parametrize("kind", ["path", "file"])
def test_a_header_of_a_closed_file_says_so_when_it_is_read(kind):
    path = Path(get_testdata_file("CT_small.dcm"))
    if kind == "path":
        header = read_header(path)
    else:
        with path.open("rb") as file:
            header = read_header(file)
    assert header.first("00280010") > 0
    with pytest.raises(OSError, match="closed"):
        thumbnails.render_thumbnail(header)


@pytest.mark.parametrize("function", [read_header, render_thumbnail])
def test_what_cannot_be_read_raises(function, tmp_path):
    with pytest.raises(FileNotFoundError):
        function(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        function(str(tmp_path))


@pytest.mark.parametrize("function", [read_header, render_thumbnail])
def test_a_pipe_is_declined(function):
    reading, writing = os.pipe()
    with open(writing, "wb") as sender, open(reading, "rb") as pipe:  # noqa: PTH123
        sender.write(b"x")
        sender.close()
        with pytest.raises(OSError, match="cannot seek"):
            function(pipe)


@pytest.mark.parametrize("function", [read_header, render_thumbnail])
@pytest.mark.parametrize("file", [None, 3, [b""], {"path": "x"}, object()], ids=lambda file: type(file).__name__)
def test_other_types_are_named(function, file):
    with pytest.raises(TypeError, match=f"not {type(file).__name__}"):
        function(file)


@pytest.mark.parametrize("function", [read_header, render_thumbnail])
def test_text_mode_is_named(function, path):
    with path.open("r") as file, pytest.raises(TypeError, match="mode 'rb'"):
        function(file)
    with pytest.raises(TypeError, match="mode 'rb'"):
        function(io.StringIO("DICM"))
    with tempfile.NamedTemporaryFile("w+") as file, pytest.raises(TypeError, match="mode 'rb'"):
        function(file)


@pytest.mark.parametrize("function", [read_header, render_thumbnail])
def test_file_objects_that_are_closed_or_cannot_be_read_raise(function, tmp_path):
    with (tmp_path / "new").open("wb") as file, pytest.raises(OSError, match="read"):
        function(file)
    with pytest.raises(OSError, match="closed"):
        function(file)


def test_temporary_files_are_read(path):
    with tempfile.NamedTemporaryFile() as file, tempfile.SpooledTemporaryFile() as spooled:
        for written in (file, spooled):
            written.write(path.read_bytes())
            assert header_json(read_header(written)) == header_json(read_header(path))


def test_any_range_may_be_asked_for(path):
    content = path.read_bytes()
    with open_source(path) as source:
        assert source.size == len(content)
        for offset, length in [(0, 5), (100, 0), (len(content) - 2, 10), (len(content) + 5, 3), (-1, 4), (3, -4)]:
            assert source.read(offset, length) == BytesSource(content).read(offset, length)
