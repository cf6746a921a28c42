"""``dicom-assets lineage``, on what real runs of Dagster left."""

import json

import dagster as dg
import pandas as pd
import pytest
from typer.testing import CliRunner

from dicom_assets.cli.main import app
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.partitions import PREFIXES
from dicom_assets_tests.support.whole import TABLES_OF_FILES, Deployment, put

TABLES = [table.name for table in DEFAULT_MODEL.tables]


@dg.asset(
    partitions_def=PREFIXES,
    backfill_policy=dg.BackfillPolicy.single_run(),
    ins={"object_catalog": dg.AssetIn(metadata={"columns": ["prefix", "path", "Modality"]})},
)
def cohort(object_catalog: pd.DataFrame) -> pd.DataFrame:
    return object_catalog.query("Modality == 'OT'")


@pytest.fixture
def deployment(tmp_path):
    for number in range(4):
        put(tmp_path / "source" / "ab"[number % 2] / f"{number}.dcm", number)
    with dg.DagsterInstance.ephemeral() as instance:
        deployment = Deployment(instance, tmp_path / "source", str(tmp_path / "lake"))
        ours = build_definitions(deployment.archive, deployment.lake_resource)
        deployment.definitions = dg.Definitions.merge(ours, dg.Definitions(assets=[cohort]))
        yield deployment


@pytest.fixture
def call(deployment):
    def lineage(*arguments, code=0):
        result = CliRunner().invoke(app, ["lineage", *map(str, arguments), "--lake", deployment.root])
        assert result.exit_code == code, result.output
        return result.output

    return lineage


def test_from_a_file_to_the_run_of_dagster_and_back(deployment, call):
    first = deployment.run_all(selection=TABLES).run_id
    put(deployment.source / "a" / "0.dcm", 10)
    second = deployment.run("a", "a", TABLES).run_id
    third = deployment.run("a", "b", ["cohort"]).run_id

    told = call(deployment.source / "a" / "0.dcm", "--dagster-url", "http://127.0.0.1:3000/")
    lines = told.splitlines()
    assert [line.split()[0] for line in lines[2:7]] == list(TABLES_OF_FILES)
    assert all(second in line for line in lines[2:7])
    assert lines[7] == "held by"
    assert lines[9].split()[:4] == ["cohort", "1", "path", "1"]
    assert third in lines[9]
    assert lines[-2:] == [f"http://127.0.0.1:3000/runs/{run}" for run in (second, third)]

    found = json.loads(call("b/1.dcm", "--json", "--dagster-url", "http://127.0.0.1:3000"))
    (file,) = found["files"]
    assert {row["table"]: row["made"]["run_id"] for row in file["rows"]} == dict.fromkeys(TABLES_OF_FILES, first)
    assert found["run_urls"][first] == f"http://127.0.0.1:3000/runs/{first}"

    run = json.loads(call("--run", first[:8], "--paths", "--json"))
    assert {table["table"]: table["rows"] for table in run["tables"]} == {name: {"a": 1, "b": 2} for name in TABLES}
    assert len(run["tables"][0]["paths"]) == 3
    assert call("--run", second).count("of its rows there now: 1") == len(TABLES)


def test_bad_use_is_one_line(deployment, call):
    deployment.run_all(selection=TABLES)
    for arguments in ((), ("a/0.dcm", "--run", "12345678"), ("a/none",), ("1.2.3.99",), ("--run", "no-such-run")):
        told = call(*arguments, code=2)
        assert told.startswith("Error: "), told
        assert told.count("\n") == 1
