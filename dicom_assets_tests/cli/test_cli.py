"""The command line: what it does, what it says, and how it refuses."""

import json
import os
import shutil
from pathlib import Path

import pytest
from dagster import DagsterInstance, RunsFilter
from deltalake import DeltaTable
from typer.testing import CliRunner

import dicom_assets
from dicom_assets.cli.main import app
from dicom_assets.delta.location import LakeError, TableLocation
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.orchestration import launch
from dicom_assets.orchestration.launch import cut_into_runs
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.pipeline.pending import Pending
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.denied import deny
from dicom_assets_tests.support.whole import TABLES_OF_FILES


@pytest.fixture
def run(monkeypatch, spark):
    """Call the command line as a shell would, with a Dagster home of the lake's own."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        os.environ["DAGSTER_HOME"] = ""
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def source(tmp_path):
    root = tmp_path / "archive"
    for prefix, names in {"a": ["CT_small.dcm", "MR_small.dcm"], "b": ["rtdose.dcm"]}.items():
        (root / prefix).mkdir(parents=True)
        for name in names:
            shutil.copy(PYDICOM_FILES / name, root / prefix)
    (root / "b" / "damaged.dcm").write_bytes((PYDICOM_FILES / "CT_small.dcm").read_bytes()[:700])
    return root


@pytest.fixture
def lake(source, tmp_path):
    """A lake with the catalog of that archive."""
    update_catalog(str(source), str(tmp_path / "lake"), engine=InProcess())
    return tmp_path / "lake"


def _versions(lake):
    return {table.name: DeltaTable(str(lake / "dicom" / table.name)).version() for table in DEFAULT_MODEL.tables}


def test_catalog_then_nothing_to_do_then_a_change(run, source, tmp_path):
    lake = tmp_path / "lake"
    first = run("catalog", source, "--lake", lake)
    assert first.exit_code == 0, first.output
    assert "4 files cataloged" in first.output
    assert "truncated 1" in first.output, "bad files are reported and do not change the exit code"
    assert str(lake / "dicom") in first.output
    before = _versions(lake)

    again = run("catalog", source, "--lake", lake)
    assert again.exit_code == 0
    assert "Nothing was changed" in again.output
    assert _versions(lake) == before
    with DagsterInstance.from_config(str(lake / ".dagster")) as instance:
        assert len(instance.get_runs(RunsFilter())) == 1, "no run where nothing is to be done"
        assert instance.get_dynamic_partitions("prefix") == ["a", "b"]

    (source / "b" / "damaged.dcm").unlink()
    third = run("catalog", source, "--lake", lake)
    assert "0 files cataloged, rows of 1 removed" in third.output
    after = {name: version + (name in TABLES_OF_FILES) for name, version in before.items()}
    assert _versions(lake) == after, "what is cut before its UIDs is of no series"

    (source / "b" / "rtdose.dcm").unlink()
    (source / "b" / "notes.txt").write_text("that the prefix is not empty")
    assert run("catalog", source, "--lake", lake).exit_code == 0
    assert _versions(lake) == {name: version + 1 for name, version in after.items()}


def test_a_run_that_fails_is_exit_1_and_says_why(run, source, tmp_path, monkeypatch):
    def broken(*_):
        raise ValueError("made to fail")

    monkeypatch.setattr(IndexStep, "stage", broken)
    result = run("catalog", source, "--lake", tmp_path / "lake")
    assert result.exit_code == 1
    assert "failed in file_index: ValueError: made to fail" in result.output
    assert "2 prefixes are not up to date" in result.output
    assert " cataloged in" not in result.output


@pytest.mark.parametrize("lost", ["archive", "lake"])
def test_a_store_that_is_lost_ends_the_command_with_the_run_that_met_it(run, source, tmp_path, monkeypatch, lost):
    """Nothing could come of the runs that are left: each would wait for the store as long as this one."""
    monkeypatch.setattr(launch, "PREFIXES_PER_RUN", 1)
    started = []

    def lose(step, *_):
        started.append(step.prefixes)
        if lost == "archive":
            source.rename(tmp_path / "aside")
            source.mkdir()  # the mount point, without what was mounted there
        else:
            monkeypatch.setattr(TableLocation, "exists", _unreachable)
        raise ValueError("of any kind: those of storage would be retried first")

    monkeypatch.setattr(IndexStep, "stage", lose)
    result = run("catalog", source, "--lake", tmp_path / "lake")
    assert result.exit_code == 1, result.output
    assert len(started) == 1, result.output
    assert "Run 1 of 2" in result.output
    assert "Gave up: " in result.output
    assert "1 more run was not started." in result.output
    assert "2 prefixes are not up to date" in result.output
    assert "Traceback" not in result.output


def _unreachable(*_):
    raise LakeError("cannot reach the lake: connection refused")


def test_a_prefix_that_cannot_be_listed_is_exit_1_and_the_others_are_cataloged(run, source, lake, monkeypatch):
    shutil.copy(source / "a" / "CT_small.dcm", source / "b" / "new.dcm")
    (source / "b" / "rtdose.dcm").unlink()
    deny(monkeypatch, source / "a")
    result = run("catalog", source, "--lake", lake)
    assert result.exit_code == 1
    assert "1 file cataloged" in result.output
    assert f"Not listed whole: cannot list {source}/a: Permission denied" in result.output
    assert "The catalog holds 4 files" in result.output, "nothing of the other prefix is deleted"
    again = run("catalog", source, "--lake", lake, "--prefix", "a")
    assert again.exit_code == 1, "although there is nothing to do"
    assert "Nothing was changed" in again.output
    monkeypatch.undo()
    assert run("catalog", source, "--lake", lake).exit_code == 0


def test_links_out_of_the_source_are_followed_when_asked(run, source, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (source / "b" / "rtdose.dcm").rename(tmp_path / "elsewhere" / "rtdose.dcm")
    (source / "b" / "linked").symlink_to(tmp_path / "elsewhere")
    lake = tmp_path / "lake"
    query = ("sql", "SELECT status, error FROM object_catalog WHERE file_name = 'linked'", "--lake", lake)
    assert run("catalog", source, "--lake", lake, "--prefix", "b").exit_code == 0
    (told,) = json.loads(run(*query, "--format", "json").output)
    assert told["status"] == "unreadable"
    assert "leads out of the archive (follow_outside_links allows that)" in told["error"]
    assert run("catalog", source, "--lake", lake, "--prefix", "b", "--follow-outside-links").exit_code == 0
    assert json.loads(run(*query, "--format", "json").output) == []
    read = run("sql", "SELECT relative_path FROM object_catalog WHERE Modality = 'RTDOSE'", "--lake", lake)
    assert "b/linked/rtdose.dcm" in read.output


def test_only_the_prefixes_asked_for(run, source, tmp_path):
    lake = tmp_path / "lake"
    assert run("catalog", source, "--lake", lake, "--prefix", "b").exit_code == 0
    answer = run("sql", "SELECT DISTINCT prefix FROM object_catalog", "--lake", lake, "--format", "json")
    assert json.loads(answer.output) == [{"prefix": "b"}]


def test_several_catalogs_share_a_lake(run, source, tmp_path):
    lake = tmp_path / "lake"
    assert run("catalog", source, "--lake", lake, "--schema", "other", "--prefix", "b").exit_code == 0
    assert run("sql", "SELECT 1 FROM object_catalog", "--lake", lake).exit_code == 2
    assert run("sql", "SELECT 1 FROM object_catalog", "--lake", lake, "--schema", "other").exit_code == 0


def test_mass_deletion_is_refused_until_it_is_allowed(run, source, tmp_path):
    for number in range(120):
        (source / "a" / f"{number}.txt").write_text("x")
    lake = tmp_path / "lake"
    update_catalog(str(source), str(lake), engine=InProcess())
    before = _versions(lake)
    for number in range(120):
        (source / "a" / f"{number}.txt").unlink()
    refused = run("catalog", source, "--lake", lake)
    assert refused.exit_code == 2
    assert "prefix a: 120 of 122 files are gone" in refused.output
    assert _versions(lake) == before
    assert run("catalog", source, "--lake", lake, "--allow-mass-deletion").exit_code == 0
    assert "2" in run("sql", "SELECT count(*) FROM file_index WHERE prefix = 'a'", "--lake", lake).output


def test_bad_use_is_one_line_and_exit_2(run, source, tmp_path):
    lake, blocked = tmp_path / "lake", tmp_path / "blocked"
    blocked.write_text("a file, not a folder")
    cases = {
        "does not exist": ("catalog", tmp_path / "nowhere", "--lake", lake),
        "is a file": ("catalog", blocked, "--lake", lake),
        "would catalog itself": ("catalog", source, "--lake", source / "lake"),
        "inside the tables": ("catalog", lake / "dicom" / "x", "--lake", lake),
        "not writable": ("catalog", source, "--lake", blocked / "lake"),
        "does not name 1 directory": ("catalog", source, "--lake", lake, "--prefix", "a/b"),
        "neither in the archive": ("catalog", source, "--lake", lake, "--prefix", "z"),
        "there is no catalog": ("sql", "SELECT 1", "--lake", tmp_path / "empty"),
    }
    (lake / "dicom" / "x").mkdir(parents=True)
    for message, arguments in cases.items():
        result = run(*arguments)
        assert (result.exit_code, message in result.output) == (2, True), (arguments, result.output)
        assert result.output.count("\n") == 1, result.output


def test_sql_that_does_not_parse_is_one_line_and_exit_2(run, lake):
    for query in ("SELEC 1", "SELECT nope FROM object_catalog", "SELECT 1 FROM nope"):
        result = run("sql", query, "--lake", lake)
        assert result.exit_code == 2
        assert result.output.startswith("Error: ")
        assert result.output.count("\n") == 1, result.output


def test_a_gallery_of_the_thumbnails(run, lake, tmp_path):
    page = tmp_path / "page.html"
    assert run("gallery", page, "--lake", lake).exit_code == 0
    assert page.read_text().count("data:image/") >= 3


def _pending(*prefixes):
    return [Pending(prefix, 1, 0) for prefix in prefixes]


@pytest.mark.parametrize(
    ("pending", "largest", "ranges"),
    [
        ("abc", 10, [("a", "c")]),
        ("abc", 2, [("a", "b"), ("c", "c")]),
        ("acd", 10, [("a", "a"), ("c", "d")]),
        ("", 10, []),
    ],
)
def test_runs_are_ranges_without_a_prefix_that_has_nothing_to_do(pending, largest, ranges):
    runs = cut_into_runs(list("abcde"), _pending(*pending), largest)
    assert [(run.first, run.last) for run in runs] == ranges
    assert [prefix for run in runs for prefix in run.prefixes] == list(pending)


def test_an_archive_that_is_suddenly_empty_is_refused_until_it_is_allowed(run, source, lake):
    before = _versions(lake)
    shutil.rmtree(source)
    source.mkdir()
    refused = run("catalog", source, "--lake", lake)
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1), refused.output
    assert "there was before" in refused.output
    assert _versions(lake) == before
    assert run("catalog", source, "--lake", lake, "--allow-mass-deletion").exit_code == 0
    assert "The catalog holds 0 files" in run("catalog", source, "--lake", lake).output


def test_another_source_is_refused_with_both_names_and_what_to_do(run, source, lake, tmp_path):
    other = tmp_path / "other"
    before = _versions(lake)
    shutil.copytree(source, other)
    refused = run("catalog", other, "--lake", lake)
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1), refused.output
    for words in (str(source), str(other), "--schema", "--move-source"):
        assert words in refused.output
    assert _versions(lake) == before
    (tmp_path / "link").symlink_to(source)
    for same in (tmp_path / "link", f"{other}/../archive", source.as_uri()):
        assert "Nothing was changed" in run("catalog", same, "--lake", lake).output, same
    assert run("catalog", other, "--lake", lake, "--schema", "second").exit_code == 0


@pytest.mark.parametrize("how", [Path.rename, shutil.copytree])
def test_an_archive_that_was_moved_is_followed_without_extracting_a_file_anew(run, source, lake, tmp_path, how):
    there = tmp_path / "there"
    before = _versions(lake)
    how(source, there)
    moved = run("catalog", there, "--lake", lake, "--move-source")
    assert moved.exit_code == 0, moved.output
    assert f"from {source} to {there}" in moved.output
    assert ("Nothing was changed" in moved.output) is (how is Path.rename), "a copy has other inodes"
    after = _versions(lake)
    for table in DEFAULT_MODEL.extracted:
        assert after[table.name] == before[table.name] + 1, "one commit each, of the move"
    paths = run("sql", "SELECT path FROM object_catalog", "--lake", lake, "--format", "json")
    assert all(row["path"].startswith(f"{there}/") for row in json.loads(paths.output))
    assert "The source has not moved" in run("catalog", there, "--lake", lake, "--move-source").output


def test_another_prefix_depth_is_refused_with_both_depths_and_what_to_do(run, source, lake):
    refused = run("catalog", source, "--lake", lake, "--prefix-depth", 2)
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1), refused.output
    assert "prefixes of depth 1, not of depth 2" in refused.output
    assert "--prefix-depth 1" in refused.output
    assert "--schema" in refused.output


def test_prefixes_that_are_all_there_and_all_empty_are_refused_until_it_is_allowed(run, source, lake):
    before = _versions(lake)
    for file in source.glob("*/*"):
        file.unlink()
    refused = run("catalog", source, "--lake", lake)
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1), refused.output
    assert "knows 4 files of it" in refused.output
    assert "--allow-mass-deletion" in refused.output
    assert "allow_mass_deletion" not in refused.output, "the words of this interface"
    assert _versions(lake) == before
    assert run("catalog", source, "--lake", lake, "--allow-mass-deletion").exit_code == 0
    assert "The catalog holds 0 files" in run("catalog", source, "--lake", lake).output


def test_a_lake_that_is_out_of_reach_is_one_line_without_secrets(run, source, monkeypatch):
    options = {"ENDPOINT_URL": "http://127.0.0.1:1", "ALLOW_HTTP": "true", "REGION": "r", "ACCESS_KEY_ID": "k"}
    for name, value in (options | {"SECRET_ACCESS_KEY": "not-to-be-shown"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    for arguments in (("catalog", source), ("sql", "SELECT 1")):
        result = run(*arguments, "--lake", "s3://bucket/lake")
        assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
        assert "connection refused" in result.output
        assert "not-to-be-shown" not in result.output


def test_the_version_is_printed(run):
    done = run("--version")
    assert done.exit_code == 0
    assert done.output == f"dicom-assets {dicom_assets.__version__}\n"


def test_a_lake_may_be_given_as_a_uri(run, source, tmp_path):
    lake = tmp_path / "my lake"
    assert run("catalog", source.as_uri(), "--lake", lake.as_uri()).exit_code == 0
    assert (lake / "dicom" / "file_index" / "_delta_log").is_dir()
    asked = run("sql", "SELECT count(*) AS files FROM file_index", "--lake", lake, "--format", "json")
    assert json.loads(asked.output) == [{"files": 4}]


def test_a_folder_of_another_machine_is_refused(run, source):
    done = run("catalog", source, "--lake", "file://server/lake")
    assert done.exit_code == 2
    assert "names the machine 'server'" in done.output
