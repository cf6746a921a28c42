"""A running Dagster UI, spoken to as its pages do."""

import json
import subprocess
import time
import urllib.request

import pytest

_ADD_PARTITION = """
mutation ($selector: RepositorySelector!, $set: String!, $key: String!) {
  addDynamicPartition(repositorySelector: $selector, partitionsDefName: $set, partitionKey: $key) { __typename }
}"""

_LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}"""

_STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_TERMINATE = "mutation($run: String!) { terminateRun(runId: $run) { __typename } }"


class Ui:
    """A running webserver, spoken to as its pages do."""

    def __init__(self, port: int, path: str = "") -> None:
        self.url = f"http://127.0.0.1:{port}{path}"

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

    def add_partition(self, location: str, partitions: str, key: str) -> str:
        """Add a partition to a set of them; returns the type of the answer."""
        selector = _repository(location)
        answer = self.ask(_ADD_PARTITION, selector=selector, set=partitions, key=key)
        return answer["addDynamicPartition"]["__typename"]

    def materialize(self, location: str, assets: list[list[str]], partition: str) -> str:
        """Do what a click on *Materialize* does, and wait for the run's end; returns its status."""
        return self.ended(self.launch(location, assets, partition))

    def ended(self, run: str) -> str:
        """Wait until a run has ended; returns its status."""
        for _ in range(300):
            status = self.ask(_STATUS, id=run)["runOrError"]["status"]
            if status in ("SUCCESS", "FAILURE", "CANCELED"):
                break
            time.sleep(1)
        return status

    def terminate(self, run: str) -> str:
        """Do what a click on *Terminate* does; returns the type of the answer."""
        return self.ask(_TERMINATE, run=run)["terminateRun"]["__typename"]

    def launch(self, location: str, assets: list[list[str]], partition: str) -> str:
        """Do what a click on *Materialize* does; returns the id of the run."""
        launched = self.ask(
            _LAUNCH,
            params={
                "selector": {
                    **_repository(location),
                    "pipelineName": "__ASSET_JOB",
                    "assetSelection": [{"path": path} for path in assets],
                },
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": partition}]},
                "mode": "default",
                "runConfigData": "{}",
            },
        )["launchPipelineExecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id: str = launched["run"]["runId"]
        return run_id


def _repository(location: str) -> dict[str, str]:
    return {"repositoryName": "__repository__", "repositoryLocationName": location}
