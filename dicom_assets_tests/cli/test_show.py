"""``dicom-assets show``: one file as the catalog knows it."""

import io
import json
import os
import sys
from pathlib import Path

import pydicom
import pytest
from PIL import Image

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query.blocks import UPPER_HALF, blocks
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.query.conftest import append, catalog_row
from dicom_assets_tests.support.terminal import Terminal

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def uid(made):
    return pydicom.dcmread(made.source / "ct" / "CT_small.dcm").SOPInstanceUID


def test_a_file_is_found_by_any_of_its_names(call, made, uid):
    by_path = call("show", made.source / "ct" / "CT_small.dcm")
    assert call("show", "ct/CT_small.dcm") == by_path == call("show", uid)
    lines = by_path.splitlines()
    assert lines[0] == f"path      {made.source}/ct/CT_small.dcm"
    assert any(line.split() == ["(0010,0010)", "PN", "PatientName", "CompressedSamples^CT1"] for line in lines)
    assert any("TransferSyntaxUID" in line and "(Explicit VR Little Endian)" in line for line in lines)
    assert any("[GEMS_" in line or "[Full fidelity]" in line for line in lines)
    assert "parts     metadata ok, header ok, thumbnail ok" in lines


def test_damage_is_told(call):
    told = call("show", "mr/MR_truncated.dcm")
    assert "status    damaged" in told
    told = call("show", "rt/README.txt")
    assert "status    not_dicom" in told
    assert "There is no header." in told


def test_json_has_the_whole_header(call, uid):
    told = json.loads(call("show", uid, "--json"))
    assert told["header"]["dataset"]["00080018"]["Value"] == [uid]
    assert told["status"] == "ok"
    assert "thumbnail" not in told


@pytest.mark.parametrize(("name", "form"), [("t.jpg", "JPEG"), ("t.PNG", "PNG"), ("t.webp", "WEBP")])
def test_the_thumbnail_goes_to_a_file_in_the_format_of_its_name(call, uid, tmp_path, name, form):
    call("show", uid, "--thumbnail", tmp_path / name)
    with Image.open(tmp_path / name) as image:
        assert image.format == form
        assert max(image.size) >= 64


def test_bad_use_is_one_line(call, made, uid, tmp_path):
    series = pydicom.dcmread(made.source / "ct" / "CT_small.dcm").SeriesInstanceUID
    for arguments, message in (
        (("ct/CT_smal.dcm",), "did you mean"),
        (("1.2.3.999",), "no study, series or instance"),
        ((series,), "is a series of 1 file; name one of them"),
        (("it's.dcm",), "has no file it's.dcm"),
        (("rt/README.txt", "--thumbnail", tmp_path / "x.png"), "has no thumbnail: its status is not_dicom"),
        ((uid, "--thumbnail", tmp_path / "x.gif"), "let it end in"),
        ((uid, "--thumbnail", tmp_path / "none" / "x.png"), "No such file"),
    ):
        told = call("show", *arguments, code=2)
        assert message in told
        assert told.count("\n") == 1, told


@pytest.fixture
def strange(tmp_path):
    """A lake with a row that no release of ours would write, and two files of one UID."""
    lake = Lake(str(tmp_path / "strange"))
    lake.ensure([FILE_INDEX, OBJECT_CATALOG])
    hostile = {"dataset": {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "\x1b]0;owned\x07"}]}}}
    rows = [
        catalog_row("a", "1.dcm", SOPInstanceUID="1.2.1", header=json.dumps(hostile), error="\x1b[2J"),
        catalog_row("a", "2.dcm", SOPInstanceUID="1.2.1"),
        catalog_row("a", "3.dcm", SOPInstanceUID="1.2.3", header="{", thumbnail=b"no picture"),
    ]
    append(lake, OBJECT_CATALOG, rows)
    return lake.root


def test_what_strangers_wrote_does_nothing(call, strange, tmp_path):
    told = call("show", "1.2.1", lake=strange)
    assert "\x1b" not in told
    assert "\\u001b]0;owned\\u0007" in told
    assert "copies    /archive/a/2.dcm" in told
    assert "no JSON" in call("show", "1.2.3", lake=strange, code=2)
    refused = call("show", "1.2.3", "--thumbnail", tmp_path / "x.jpg", lake=strange, code=2)
    assert "no picture that can be read" in refused


def test_a_terminal_shows_the_thumbnail(made, uid):
    environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(PROJECT)}
    for name in ("NO_COLOR", "COLUMNS", "FORCE_COLOR"):
        environment.pop(name, None)
    code = "from dicom_assets.cli import main; main()"
    command = [sys.executable, "-W", "ignore", "-c", code, "show", uid, "--lake", str(made.lake)]
    with Terminal(command, environment) as terminal:
        assert terminal.wait() == 0
        lines = terminal.seen.splitlines()
    assert lines[0].count(UPPER_HALF) > 20
    assert any("PatientName" in line for line in lines)
    assert max(len(line) for line in lines if " UI " not in line) <= 80, "but for UIDs, which are never cut"


def test_blocks_keep_colours_and_proportions():
    image = Image.new("RGB", (40, 20), (255, 0, 0))
    image.paste((0, 0, 255), (0, 10, 40, 20))
    text = blocks(image, 20, 20)
    lines = text.plain.splitlines()
    assert [len(line) for line in lines] == [20] * 5
    first, last = text.spans[0].style, text.spans[-1].style
    assert first.color.triplet == (255, 0, 0)
    assert last.bgcolor.triplet == (0, 0, 255)
    assert blocks(Image.new("L", (1, 500)), 80, 24).plain.count("\n") == 24


def test_a_picture_of_any_mode_is_drawn():
    for mode in ("1", "L", "P", "RGBA", "I;16"):
        sink = io.BytesIO()
        Image.new(mode, (8, 8)).save(sink, "PNG")
        assert blocks(Image.open(sink), 10, 10).plain
