"""A schema is the plain name of one folder of the lake, wherever it comes from."""

import dagster as dg
import pandas as pd
import pytest
from typer.testing import CliRunner

from dicom_assets.cli.main import app
from dicom_assets.delta.lake import Lake, SchemaNameError
from dicom_assets.orchestration.definitions import SCHEMA, lake_from_environment
from dicom_assets.orchestration.resources.io_manager import LakeIOManager
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.tables import FILE_INDEX

BAD = [
    "",
    ".",
    "..",
    "../x",
    ".dagster",
    "/absolute",
    "dicom/file_index",
    "dicom\\file_index",
    "_delta_log",
    "a b",
    " dicom",
    "dicom\n",
    "di\x1b[31mcom",
    "di\x00com",
    "di\u202ecom",
    "s3://bucket",
    "a%2Fb",
    "a?b",
    "a#b",
    "*",
    "~",
    "x" * 256,
    "ä" * 128,
]
GOOD = ["dicom", "Dicom-2024.1_b", "2024", "Röntgen", "x" * 255]


@pytest.mark.parametrize("schema", BAD)
def test_a_lake_refuses_it_in_one_printable_line(schema):
    with pytest.raises(SchemaNameError, match="is not the name of a folder in the lake") as caught:
        Lake("/lake", schema)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("schema", GOOD)
def test_a_name_is_taken(schema):
    assert Lake("/lake", schema).schema == schema


@pytest.mark.parametrize("command", ["catalog", "sql", "gallery", "ui"])
@pytest.mark.parametrize("schema", [bad for bad in BAD if "\x00" not in bad])
def test_the_command_line_refuses_it_and_writes_nothing(tmp_path, command, schema):
    first = {"catalog": tmp_path, "ui": tmp_path, "sql": "SELECT 1", "gallery": tmp_path / "page.html"}[command]
    result = CliRunner().invoke(app, [command, str(first), "--lake", str(tmp_path / "lake"), "--schema", schema])
    assert result.exit_code == 2
    assert result.output.startswith("Error: the schema ")
    assert (result.output.count("\n"), result.output.strip().isprintable()) == (1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("schema", ["../x", ".dagster", "dicom/file_index"])
def test_the_resource_and_the_environment_refuse_it(monkeypatch, schema):
    with pytest.raises(SchemaNameError):
        LakeResource(root_uri="/lake", schema_name=schema).open()
    monkeypatch.setenv(SCHEMA, schema)
    with pytest.raises(SchemaNameError):
        lake_from_environment()


def test_the_schema_of_a_users_table_is_checked_too(tmp_path):
    @dg.asset(metadata={"schema": "../elsewhere"})
    def cohort() -> pd.DataFrame:
        return pd.DataFrame({"a": [1]})

    manager = LakeIOManager(lake=LakeResource(root_uri=str(tmp_path / "lake")))
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(SchemaNameError):
        dg.materialize([cohort], resources={"io_manager": manager}, instance=instance)
    assert not (tmp_path / "elsewhere").exists()


def test_tables_are_not_put_into_a_table(tmp_path):
    Lake(str(tmp_path), "dicom").ensure([FILE_INDEX])
    for root, schema in ((tmp_path / "dicom", "file_index"), (tmp_path / "dicom" / "file_index", "x")):
        with pytest.raises(SchemaNameError, match="is a Delta table"):
            Lake(str(root), schema).ensure([FILE_INDEX])
