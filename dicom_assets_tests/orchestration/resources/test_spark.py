"""Which Spark a component and a resource name."""

import pytest

from dicom_assets.orchestration.component_settings import SparkSettings
from dicom_assets.orchestration.resources.secrets import revealed
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.spark.settings import SparkSettingsError


def test_a_component_names_a_master_or_a_server():
    named = SparkSettings(master="spark://head:7077", config={"spark.executor.cores": 4}).resource()
    assert named.spark_config == {"spark.master": "spark://head:7077", "spark.executor.cores": "4"}
    assert SparkSettings(remote="sc://host:15002").resource().spark_config == {"spark.remote": "sc://host:15002"}
    assert SparkSettings().resource().spark_config == {}


@pytest.mark.parametrize(
    "settings",
    [
        {"master": "yarn", "remote": "sc://host"},
        {"remote": "sc://host", "config": {"spark.master": "yarn"}},
        {"remote": "host:15002"},
    ],
)
def test_a_component_that_names_two_or_none_that_can_be_is_refused(settings):
    with pytest.raises(SparkSettingsError):
        SparkSettings(**settings).resource()


def test_the_token_of_a_server_is_kept_from_dagster():
    with pytest.warns(match=r"spark\.remote is a secret"):
        resource = SparkResource(spark_config={"spark.remote": "sc://host:443/;token=abcdef"})
    assert "abcdef" not in str(resource.spark_config)
    assert revealed(resource.spark_config)["spark.remote"].endswith("abcdef")
