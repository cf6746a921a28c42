"""``dicom-assets cohort``: what people type, and what they read."""

import json

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from dicom_assets.cli.main import app
from dicom_assets_tests.support.patients import WHEN, catalog_of, fill
from dicom_assets_tests.support.whole import put


def cataloged(folder):
    fill(folder / "archive", patients=4)
    catalog_of(folder / "archive", folder / "lake")
    return folder


@pytest.fixture
def place(tmp_path):
    return cataloged(tmp_path)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A catalog of which no test makes a cohort."""
    return cataloged(tmp_path_factory.mktemp("bare"))


def run(place, *words, code=0, env=None):
    lake = [] if env else ["--lake", str(place / "lake")]
    done = CliRunner().invoke(app, ["cohort", *words, *lake], env=env)
    assert done.exit_code == code, done.output
    return done.stdout if code != 2 else done.stderr


def test_from_a_condition_to_files(place):
    made = run(place, "create", "ct", "--where", "Modality = 'CT'", "--split", "train=0.5,test=0.5", "--seed", "2")
    first, *splits = made.splitlines()
    assert first.startswith("ct@0: 8 files (")
    assert first.endswith("4 series, 2 studies, 2 patients")
    assert [line.split(":")[0].strip() for line in splits] == ["train", "test"]
    assert "not new" in run(
        place, "create", "ct", "--where", "Modality = 'CT'", "--split", "train=0.5,test=0.5", "--seed", "2"
    )
    assert run(place, "list").startswith("ct@0  2")
    shown = run(place, "show", "ct")
    for text in ("Modality = 'CT'", "instance, over object_catalog", "train=0.5,test=0.5 by PatientID, seed 2"):
        assert text in shown
    assert run(place, "verify", "ct") == "ct@0: all 8 members are as they were\n"
    assert "8 files" in run(place, "export", "ct", str(place / "out"))
    assert len(list((place / "out").glob("*/*/*/*/*.dcm"))) == 8
    assert "0 files (0 bytes) written" in run(place, "export", "ct", str(place / "out")).replace("0 B)", "0 bytes)")
    run(place, "manifest", "ct", "-o", str(place / "members.parquet"))
    assert pq.read_table(place / "members.parquet").num_rows == 8


def test_what_changed_is_told_and_shows_in_the_exit_code(place):
    run(place, "create", "all")
    put(place / "archive" / "p1" / "0-0.dcm", 1, WHEN + 1, PatientID="P1", SOPInstanceUID="1.1.0.0")
    (place / "archive" / "p2" / "0-0.dcm").unlink()
    assert "all 16 members" in run(place, "verify", "all")
    assert "of 16 members, 1 changed, 1 gone" in run(place, "verify", "all", "--files", code=1)
    catalog_of(place / "archive", place / "lake")
    found = run(place, "verify", "all", code=1)
    assert f"  changed  {place}/archive/p1/0-0.dcm\n" in found
    assert f"  gone  {place}/archive/p2/0-0.dcm\n" in found
    assert "left out" in run(place, "export", "all", str(place / "out"), code=1)
    run(place, "create", "all")
    assert run(place, "diff", "all@0", "all").startswith("0 added, 1 removed, 1 changed, 0 moved, 14 the same\n")


def test_programs_get_json(place):
    made = json.loads(run(place, "create", "all", "--json"))
    assert (made["name"], made["version"], made["is_new"], made["counts"]["files"]) == ("all", 0, True, 16)
    assert json.loads(run(place, "list", "--json"))[0]["digest"] == made["digest"]
    assert [version["version"] for version in json.loads(run(place, "show", "all", "--json"))["versions"]] == [0]
    assert json.loads(run(place, "verify", "all", "--json"))["counts"] == {}
    assert json.loads(run(place, "diff", "all", "all@0", "--json"))["same"] == 16
    told = json.loads(run(place, "export", "all", str(place / "out"), "--json"))
    assert (told["files"], told["left_out"]) == (16, [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("create", "a/b"), "cannot be called 'a/b'"),
        (("create", "a", "--split", "train"), "write it as train=0.8,test=0.2"),
        (("create", "a", "--where", "Modality = 'XX'"), "no file meets the condition"),
        (("create", "a", "--where", "Nothing = 1"), "Nothing"),
        (("show", "a"), "there is no cohort a; there are: none yet"),
        (("verify", "a@x"), "names no version"),
        (("manifest", "a", "-o", "members.csv"), "there is no cohort a"),
    ],
)
def test_mistakes_are_told_in_one_line(bare, words, message):
    told = run(bare, *words, code=2)
    assert message in told
    assert told.count("\n") == 1


def test_a_manifest_in_no_format_is_refused(place):
    run(place, "create", "all")
    assert "is in no known format" in run(place, "manifest", "all", "-o", str(place / "x.txt"), code=2)
    assert not (place / "x.txt").exists()


def test_the_lake_can_come_from_the_environment(place):
    run(place, "create", "all")
    assert run(place, "list", env={"DICOM_ASSETS_LAKE": str(place / "lake")}).startswith("all@0")


def test_without_a_cohort_the_list_says_so(bare):
    assert "there is no cohort yet" in run(bare, "list")
    assert json.loads(run(bare, "list", "--json")) == []


def test_control_characters_of_paths_do_not_reach_the_terminal(place):
    put(place / "archive" / "p1" / "\x1b[31m.dcm", 1, SOPInstanceUID="9.9")
    catalog_of(place / "archive", place / "lake")
    run(place, "create", "odd", "--where", "SOPInstanceUID = '9.9'")
    (place / "archive" / "p1" / "\x1b[31m.dcm").unlink()
    catalog_of(place / "archive", place / "lake")
    assert "\x1b" not in run(place, "verify", "odd", code=1)
