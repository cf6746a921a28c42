"""The benchmark of the whole command: its archive, the script beside the command, the table."""

import json
from collections import Counter

import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from benchmarks.archive.__main__ import main
from benchmarks.archive.files import planned, write_realistic_files
from benchmarks.archive.kinds import KINDS, made
from benchmarks.archive.report import BEGINNING, END, Measured, as_json, as_markdown, put_into
from benchmarks.archive.script import make, write
from benchmarks.archive.sides import Run
from benchmarks.processes import Usage

CT, MR, *_, US, _MG = KINDS


def test_an_archive_has_its_kinds_by_their_shares_and_half_of_it_is_compressed():
    files = list(planned(10_000))
    kinds = Counter(file.kind.name for file in files)
    assert {name: round(count / 10_000, 2) for name, count in kinds.items()} == {
        kind.name: kind.share for kind in KINDS
    }
    native = sum(file.syntax == ExplicitVRLittleEndian for file in files)
    assert 0.45 < native / 10_000 < 0.55
    assert {file.syntax for file in files} > {JPEG2000Lossless, JPEGLSLossless, RLELossless, JPEGBaseline8Bit}


def test_a_series_has_one_transfer_syntax_and_every_file_a_place_of_its_own():
    files = list(planned(2_000))
    assert len({file.path for file in files}) == 2_000
    series = {}
    for file in files:
        series.setdefault((file.patient, file.kind.name), set()).add(file.syntax)
    assert all(len(syntaxes) == 1 for syntaxes in series.values())


def test_more_files_begin_with_the_same_files():
    assert list(planned(700))[:300] == list(planned(300))


def test_an_archive_is_made_by_seed(tmp_path):
    first, again, other = (
        [path.read_bytes() for path in write_realistic_files(tmp_path / name, 3, seed)]
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_files_say_whose_they_are(tmp_path):
    files = [dcmread(path) for path in write_realistic_files(tmp_path, 5)]
    assert {file.PatientID for file in files} == {"PHANTOM-00000"}
    assert len({file.StudyInstanceUID for file in files}) == 1
    assert len({file.SOPInstanceUID for file in files}) == 5
    assert {file.Modality for file in files} == {"CT", "MR"}
    assert all(file.SOPInstanceUID.is_valid for file in files)


@pytest.mark.parametrize("syntax", CT.syntaxes)
@pytest.mark.parametrize("kind", [CT, MR])
def test_compression_loses_nothing(kind, syntax):
    native, compressed = made(kind, 1, 1, ExplicitVRLittleEndian), made(kind, 1, 1, syntax)
    assert (compressed.pixel_array == native.pixel_array).all()
    assert len(compressed.PixelData) < len(native.PixelData)


def test_a_loop_of_ultrasound_can_be_shown(tmp_path):
    loop = made(US, 0, 1, JPEGBaseline8Bit)
    loop.SOPInstanceUID = loop.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    loop.save_as(tmp_path / "loop.dcm", enforce_file_format=True)
    made_of_it = make(tmp_path / "loop.dcm")
    assert made_of_it.thumbnail is not None
    assert json.loads(made_of_it.header)["00280008"]["Value"] == [16]


def test_the_script_makes_headers_and_thumbnails(tmp_path):
    paths = [get_testdata_file("CT_small.dcm"), get_testdata_file("rtplan.dcm"), __file__]
    counts = write([(path, make(path)) for path in paths], tmp_path)
    assert counts == {"files": 3, "headers": 2, "thumbnails": 1}
    lines = [json.loads(line) for line in (tmp_path / "headers.jsonl").read_text().splitlines()]
    assert [line["header"] is None for line in lines] == [False, False, True]
    assert lines[0]["header"]["00080060"]["Value"] == ["CT"]
    with Image.open(tmp_path / "thumbnails" / "0000000.jpg") as picture:
        assert picture.size == (128, 128)


def _run(seconds, peak=1 << 20):
    return Run(Usage(seconds, 2 * seconds, peak, peak, peak, 3), {"files": 10, "headers": 10, "thumbnails": 9}, 0.5)


def _measured(**runs):
    return Measured("ct", 10, 1 << 30, 1, 2, runs, {"orthanc": "it is not installed"})


def test_sides_are_compared_round_by_round():
    # A machine that is slow in one round is slow for both: 2 and 4 times, where the medians would say 22.
    measured = _measured(command=[_run(1), _run(100)], script=[_run(2), _run(400)])
    assert measured.ratio("script") == pytest.approx(3)
    assert measured.ratio("command") == 1


def test_the_table_has_a_row_for_each_side_and_says_what_is_missing():
    table = as_markdown(_measured(command=[_run(2, 5 << 20)], script=[_run(4)]))
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert "| 2.0 | 5 | 4 | 5 | 10 | 9 | 1.00 |" in rows[2]
    assert rows[3].endswith("| 2.00 |")
    assert "it is not installed" in table
    assert "1 prefix)" in table
    assert "1 round in turns" in table


def test_without_the_command_there_is_nothing_to_compare_with():
    assert _measured(script=[_run(4)]).ratio("script") is None
    assert "| 4.0 |" in as_markdown(_measured(script=[_run(4)]))


def test_what_was_measured_is_json():
    told = json.loads(json.dumps(as_json(_measured(command=[_run(2)]))))
    assert told["runs"]["command"][0]["usage"]["seconds"] == 2
    assert told["machine"]["cores"]


def test_a_table_goes_to_its_place_in_a_page_again_and_again(tmp_path):
    page = tmp_path / "page.md"
    begin, end = BEGINNING.format(name="ct"), END.format(name="ct")
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    for _ in range(2):
        put_into(page, "ct", "| new |")
    assert page.read_text() == f"before\n{begin}\n\n| new |\n\n{end}\nafter\n"
    with pytest.raises(ValueError, match="begin mr"):
        put_into(page, "mr", "| new |")
    assert "| new |" in page.read_text()


@pytest.mark.parametrize("arguments", [["--sides", "command,abacus"], ["--files", "0"], ["--repeat", "0"]])
def test_what_cannot_be_measured_is_refused_before_an_archive_is_made(arguments, tmp_path):
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--folder", str(tmp_path)])
    assert end.value.code == 2
    assert not list(tmp_path.iterdir())


def test_the_script_is_measured_from_start_to_end(tmp_path, capsys):
    result = tmp_path / "result.json"
    main(["--files", "3", "--repeat", "1", "--sides", "script", "--folder", str(tmp_path), "--json", str(result)])
    told = json.loads(result.read_text())
    assert told["runs"]["script"][0]["counts"] == {"files": 3, "headers": 3, "thumbnails": 3}
    assert told["prefixes"] == 1
    assert "pydicom and Pillow" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
