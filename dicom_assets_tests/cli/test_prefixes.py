"""Prefixes on the command line: cut through names, changed, too many; and news of them."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from dagster import AssetKey, DagsterInstance
from typer.testing import CliRunner

from dicom_assets.archive import many_prefixes
from dicom_assets.cli.main import app
from dicom_assets.delta.lake import Lake
from dicom_assets.tables import FILE_INDEX


@pytest.fixture
def run(monkeypatch):
    """Call the command line with a Dagster home of the lake's own."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments, code=0, **options):
        monkeypatch.setenv("DAGSTER_HOME", "")
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], **options)
        assert result.exit_code == code, result.output
        return result.output

    yield call
    os.environ["DAGSTER_HOME"] = ""


def told(lake):
    """Return the prefixes that were told to the instance of a lake, in order."""
    with DagsterInstance.from_config(str(lake / ".dagster")) as instance:
        records = instance.fetch_observations(AssetKey("archive"), limit=100, ascending=True).records
        return [record.partition_key for record in records if record.partition_key]


def test_rows_move_to_other_prefixes_and_the_partitions_follow(run, made, tmp_path, monkeypatch):
    lake = made.copied(tmp_path).lake
    assert "Nothing was changed" in run("catalog", made.source, "--lake", lake)
    refused = run("catalog", made.source, "--lake", lake, "--prefix-chars", 1, code=2)
    assert "names cut after 1 character" in refused
    assert "--move-prefixes" in refused
    moved = run("catalog", made.source, "--lake", lake, "--prefix-chars", 1, "--move-prefixes")
    assert "prefixes of depth 1, names cut after 1 character, no longer of depth 1; no file was read" in moved
    assert "Nothing was changed" in moved, "a sync has nothing to do"
    assert {file.prefix for file in Lake(str(lake)).snapshot(FILE_INDEX).files} == {"c*", "m*", "r*"}
    with DagsterInstance.from_config(str(lake / ".dagster")) as instance:
        assert set(instance.get_dynamic_partitions("prefix")) == {"c*", "m*", "r*"}
    assert "all 3 prefixes are as they are listed" in run("status", "--lake", lake, "--source", made.source)
    monkeypatch.setattr(many_prefixes, "MOST_PREFIXES", 2)
    again = run("catalog", made.source, "--lake", lake, "--prefix-chars", 1, "--prefix", "c*", "--move-prefixes")
    assert "The prefixes are those of the catalog" in again
    assert "3 prefixes of depth 1, names cut after 1 character are more than the 2" in again
    assert "--prefix-depth 0 would make 1" in again


def test_what_changed_is_told_to_the_instance_of_the_lake_by_its_prefixes(run, made, tmp_path):
    lake = made.copied(tmp_path).lake
    event = {"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "ct/x.dcm"}}}]}
    (tmp_path / "events.json").write_text(json.dumps(event))
    assert "1 prefix told" in run("notify", "ct/1.dcm", f"{made.source}/ct/2.dcm", "--lake", lake)
    assert "2 prefixes told" in run("notify", "-", "--prefix", "new", "--lake", lake, input="mr/1\nmr/2\n")
    assert "1 names are of no file" in run("notify", "--events", tmp_path / "events.json", "--lake", lake, code=1)
    assert told(lake) == ["ct", "mr", "new"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--prefix", "a/b"), "does not name 1 directory"),
        (("--events", "nowhere.json"), "cannot read what changed: FileNotFoundError"),
        (("ct/1", "--dagster-url", "dagster:3000"), "begins with http://"),
        (("ct/1", "--dagster-url", "http://127.0.0.1:1"), "cannot be reached"),
    ],
)
def test_what_cannot_be_told_is_one_line(run, made, arguments, words):
    output = run("notify", *arguments, "--lake", made.lake, code=2)
    assert words in output
    assert output.count("\n") == 1


def test_without_a_catalog_there_is_nobody_to_tell(run, tmp_path):
    assert "there is no catalog" in run("notify", "ct/1", "--lake", tmp_path / "lake", code=2)


def test_a_webserver_is_told_prefixes_and_no_names_of_files(run, made):
    asked = []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200 if "catalog" not in self.path else 401)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        run("notify", "ct/Doe^John.dcm", "mr/1", "--lake", made.lake, "--dagster-url", url)
        refused = run("notify", "ct/1", "--lake", made.lake, "--dagster-url", url, "--name", "catalog", code=2)
    finally:
        server.shutdown()
        server.server_close()
    assert [path for path, _ in asked] == ["/report_asset_observation/archive"] * 2 + [
        "/report_asset_observation/catalog/archive"
    ]
    assert [body["partition"] for _, body in asked] == ["ct", "mr", "ct"]
    assert "Doe" not in str(asked)
    assert "refuses: HTTP 401" in refused
