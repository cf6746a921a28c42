"""The Dagster UI, started with ``workspace.yaml``: what a click on *Materialize* sends, against the real servers."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.ports import free_ports

PROJECT = Path(__file__).parents[1]
NAMES = ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm")

ADD_PARTITION = """
mutation ($selector: RepositorySelector!, $key: String!) {
  addDynamicPartition(repositorySelector: $selector, partitionsDefName: "prefix", partitionKey: $key) { __typename }
}"""

LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}"""

STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


class Ui:
    """A running webserver, spoken to as its pages do."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, query: str, **variables):
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def wait_until_it_answers(self, server: subprocess.Popen) -> None:
        for _ in range(240):
            assert server.poll() is None, "dagster dev ended"
            try:
                urllib.request.urlopen(f"{self.url}/server_info", timeout=5).close()
            except OSError:
                time.sleep(0.5)
            else:
                return
        pytest.fail("the UI did not come up")


@pytest.fixture
def places(tmp_path):
    source = tmp_path / "archive"
    for prefix in ("a", "b"):
        (source / prefix).mkdir(parents=True)
        for name in NAMES:
            shutil.copy(PYDICOM_FILES / name, source / prefix)
    (tmp_path / "home").mkdir()
    return source, tmp_path / "lake", tmp_path / "home"


@pytest.fixture
def ui(places):
    source, lake, home = places
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "DICOM_ASSETS_SOURCE": str(source),
        "DICOM_ASSETS_LAKE": str(lake),
    }
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-p", str(port)]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)
        try:
            page = Ui(port)
            page.wait_until_it_answers(server)
            yield page
        finally:
            server.terminate()
            server.wait(60)


def test_one_partition_of_all_five_assets(ui, places):
    repository = {"repositoryName": "__repository__", "repositoryLocationName": "dicom_assets"}
    added = ui.ask(ADD_PARTITION, selector=repository, key="a")
    # The sensor of the same deployment may have been here first.
    assert added["addDynamicPartition"]["__typename"] in {
        "AddDynamicPartitionSuccess",
        "DuplicateDynamicPartitionError",
    }
    launched = ui.ask(
        LAUNCH,
        params={
            "selector": {
                **repository,
                "pipelineName": "__ASSET_JOB",
                "assetSelection": [{"path": [table.name]} for table in DEFAULT_MODEL.tables],
            },
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": "a"}]},
            "mode": "default",
            "runConfigData": "{}",
        },
    )["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched

    for _ in range(300):
        status = ui.ask(STATUS, id=launched["run"]["runId"])["runOrError"]["status"]
        if status in ("SUCCESS", "FAILURE", "CANCELED"):
            break
        time.sleep(1)
    assert status == "SUCCESS"
    for table in DEFAULT_MODEL.tables:
        rows = pa.table(
            DeltaTable(str(places[1] / "dicom" / table.name)).scan(columns=["path"], predicate="prefix = 'a'")
        )
        assert sorted(Path(path).name for path in rows["path"].to_pylist()) == sorted(NAMES), table.name
