"""Secrets of resources: Dagster never gets to see them, and they arrive where they are used."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster_deltalake import AzureConfig, GcsConfig, S3Config

from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.secrets import SecretLiteralWarning, SecretNotSetError, looks_secret, revealed
from dicom_assets.orchestration.resources.spark import SparkResource

PROJECT = Path(__file__).parents[3]
LITERALS = ("literal-of-archive", "literal-of-lake", "literal-of-spark", "literal-in-url")
ENVIRONMENT = "value-from-the-environment"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    before = dict(os.environ)
    monkeypatch.setenv("TEST_KEY", ENVIRONMENT)
    yield
    for name in set(os.environ) - set(before):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def resources():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecretLiteralWarning)
        return {
            "archive": ArchiveResource(
                source="s3://archive/dicom",
                storage_options={
                    "secret_access_key": LITERALS[0],
                    "access_key_id": dg.EnvVar("TEST_KEY"),
                    "proxy_url": f"http://user:{LITERALS[3]}@proxy.example",
                    "region": "r",
                },
            ),
            "lake": LakeResource(
                root_uri="s3://lake",
                storage_options=S3Config(secret_access_key=LITERALS[1], token=dg.EnvVar("TEST_KEY"), region="r"),
            ),
            "spark": SparkResource(
                spark_config={
                    "spark.hadoop.fs.s3a.secret.key": LITERALS[2],
                    "spark.hadoop.fs.s3a.access.key": dg.EnvVar("TEST_KEY"),
                    "spark.executor.cores": 2,
                    "spark.ui.enabled": False,
                }
            ),
        }


def test_what_dagster_stores_and_serves_of_the_definitions_holds_no_secret(resources):
    repository = build_definitions(**resources).get_repository_def()
    snapshots = dg.serialize_value(RepositorySnap.from_def(repository))
    snapshots += "".join(dg.serialize_value(job.get_job_snapshot()) for job in repository.get_all_jobs())
    assert "TEST_KEY" in snapshots, "variables are named, so the resources are in there"
    assert [secret for secret in (*LITERALS, ENVIRONMENT) if secret in snapshots] == []


DEFINITIONS = """
from dagster_deltalake import S3Config
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource

defs = build_definitions(
    ArchiveResource(source="s3://archive", storage_options={"secret_access_key": "literal-of-archive"}),
    LakeResource(root_uri="s3://lake", storage_options=S3Config(secret_access_key="literal-of-lake")),
    SparkResource(spark_config={"spark.hadoop.fs.s3a.secret.key": "literal-of-spark"}),
)
"""
QUERY = """
query {
  allTopLevelResourceDetailsOrError(
    repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "definitions.py"}
  ) {
    ... on ResourceDetailsList {
      results { name configuredValues { key value type } configFields { name isSecret defaultValueAsJson } }
    }
    ... on PythonError { message }
  }
  runConfigSchemaOrError(
    selector: {repositoryName: "__repository__", repositoryLocationName: "definitions.py", pipelineName: "maintenance"}
  ) {
    ... on RunConfigSchema {
      rootDefaultYaml
      allConfigTypes { ... on CompositeConfigType { fields { name defaultValueAsJson } } }
    }
    ... on PythonError { message }
  }
}
"""


def test_what_the_ui_asks_for_by_graphql_holds_no_secret_and_masks_the_fields(tmp_path):
    (tmp_path / "definitions.py").write_text(DEFINITIONS)
    command = [
        sys.executable,
        "-c",
        "from dagster_graphql.cli import main; main()",
        "-f",
        "definitions.py",
        "-t",
        QUERY,
    ]
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path), "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith('{"data"')]
    answer = json.loads(line)["data"]
    details = {entry["name"]: entry for entry in answer["allTopLevelResourceDetailsOrError"]["results"]}
    for resource, field in (("archive", "storage_options"), ("spark", "spark_config")):
        values = {value["key"]: value for value in details[resource]["configuredValues"]}
        assert values[field]["type"] == "SECRET", values
    (lake,) = [entry for entry in details["lake"]["configuredValues"] if entry["key"] == "storage_options"]
    assert "env" in json.loads(lake["value"])["s3"]["secret_access_key"], (
        "Dagster masks no field that is one of several"
    )
    assert "storage_options" in answer["runConfigSchemaOrError"]["rootDefaultYaml"]
    assert [secret for secret in LITERALS if secret in done.stdout] == []


def test_in_a_run_every_value_is_what_was_given(resources, tmp_path):
    seen = {}

    @dg.asset
    def reads(archive: ArchiveResource, lake: LakeResource, spark: SparkResource):
        seen["archive"] = archive.open().inner.options
        seen["lake"] = lake.open().storage_options
        seen["spark"] = revealed(spark.spark_config)

    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([reads], resources=resources, instance=instance).success
    check_values(seen)


def test_without_a_run_every_value_is_what_was_given(resources):
    check_values(
        {
            "archive": resources["archive"].open().inner.options,
            "lake": resources["lake"].open().storage_options,
            "spark": revealed(resources["spark"].spark_config),
        }
    )


def check_values(seen):
    assert seen["archive"] == {
        "secret_access_key": LITERALS[0],
        "access_key_id": ENVIRONMENT,
        "proxy_url": f"http://user:{LITERALS[3]}@proxy.example",
        "region": "r",
    }
    expected = {"secret_access_key": LITERALS[1], "token": ENVIRONMENT, "region": "r", "imdsv1_fallback": "False"}
    assert seen["lake"] == expected
    assert seen["spark"] == {
        "spark.hadoop.fs.s3a.secret.key": LITERALS[2],
        "spark.hadoop.fs.s3a.access.key": ENVIRONMENT,
        "spark.executor.cores": "2",
        "spark.ui.enabled": "false",
    }


def test_a_literal_that_looks_like_a_key_is_told_once_without_its_value():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(2):
            ArchiveResource(source="s3://a", storage_options={"secret_access_key": "a-secret-told-once"})
        ArchiveResource(source="s3://a", storage_options={"secret_access_key": dg.EnvVar("TEST_KEY"), "region": "r"})
    messages = [str(warning.message) for warning in told if warning.category is SecretLiteralWarning]
    assert len(messages) == 1
    assert "secret_access_key" in messages[0]
    assert "dagster.EnvVar" in messages[0]
    assert "a-secret-told-once" not in warnings.formatwarning(messages[0], *_place(told))


def _place(told):
    (warning,) = [warning for warning in told if warning.category is SecretLiteralWarning]
    return warning.category, warning.filename, warning.lineno


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("NOT_SET_ANYWHERE", raising=False)
    archive = ArchiveResource(source="s3://a", storage_options={"token": dg.EnvVar("NOT_SET_ANYWHERE")})
    with pytest.raises(SecretNotSetError, match="NOT_SET_ANYWHERE is not set"):
        archive.open()


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("secret_access_key", "x", True),
        ("AWS_SECRET_ACCESS_KEY", "x", True),
        ("session_token", "x", True),
        ("azure_storage_account_key", "x", True),
        ("account_key", "x", True),
        ("client_secret", "x", True),
        ("sas_key", "x", True),
        ("service_account_key", "x", True),
        ("spark.hadoop.fs.azure.account.key.store.dfs.core.windows.net", "x", True),
        ("spark.ssl.keyPassword", "x", True),
        ("spark.authenticate.secret", "x", True),
        ("spark.driver.extraJavaOptions", "-Djavax.net.ssl.trustStorePassword=x", True),
        ("endpoint", "https://user:x@store.example", True),
        ("endpoint", "https://store.example/?sig=x", True),
        ("service_account", "/keys/account.json", False),
        ("federated_token_file", "/keys/token", False),
        ("application_credentials", "/keys/account.json", False),
        ("region", "eu-central-1", False),
        ("endpoint", "https://store.example:9000", False),
        ("access_key_id", "AKIA", False),
        ("account_name", "store", False),
        ("spark.master", "spark://head:7077", False),
        ("spark.executor.memory", "8g", False),
        ("spark.sql.session.timeZone", "UTC", False),
    ],
)
def test_secrets_are_told_from_settings(name, value, secret):
    assert looks_secret(name, value) is secret


@pytest.mark.parametrize(
    "storage",
    [
        AzureConfig(account_name="a", account_key="literal-of-a-provider"),
        GcsConfig(service_account_key="literal-of-a-provider"),
        S3Config(token="literal-of-a-provider"),
    ],
)
def test_every_provider_keeps_its_secret(storage):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecretLiteralWarning)
        lake = LakeResource(root_uri="s3://lake", storage_options=storage)
    assert "literal-of-a-provider" not in repr(lake)
    assert "literal-of-a-provider" in lake.open().storage_options.values()
