"""Which Spark is used, as people say it."""

import pytest

from dicom_assets.spark.settings import SparkSettingsError, checked, settings_from_environment, spark_settings


def test_options_become_settings():
    assert spark_settings(None, None) == {}
    assert spark_settings("yarn", None, ["spark.executor.memory=8g"]) == {
        "spark.master": "yarn",
        "spark.executor.memory": "8g",
    }
    assert spark_settings(None, "sc://host:1/;token=x", []) == {"spark.remote": "sc://host:1/;token=x"}


def test_a_value_may_hold_what_separates_key_and_value():
    assert spark_settings(None, None, ["spark.executor.extraJavaOptions=-Da=b -Dc=d"]) == {
        "spark.executor.extraJavaOptions": "-Da=b -Dc=d"
    }


def test_the_environment_says_the_same():
    said = {
        "DICOM_ASSETS_SPARK_MASTER": "spark://head:7077",
        "DICOM_ASSETS_SPARK_CONFIG": " spark.executor.cores=4; spark.executor.memory=8g;",
    }
    assert settings_from_environment(said) == {
        "spark.master": "spark://head:7077",
        "spark.executor.cores": "4",
        "spark.executor.memory": "8g",
    }
    assert settings_from_environment({}) == {}
    assert settings_from_environment({"DICOM_ASSETS_SPARK_MASTER": ""}) == {}


@pytest.mark.parametrize("text", ["spark.executor.memory", "memory=8g", "=8g", "spark"])
def test_what_is_no_setting_is_refused(text):
    with pytest.raises(SparkSettingsError, match=r"write spark\.<name>=<value>"):
        spark_settings(None, None, [text])


def test_a_setting_that_is_refused_does_not_show_its_value():
    with pytest.raises(SparkSettingsError) as raised:
        spark_settings(None, None, ["fs.s3a.secret.key=abcdef"])
    assert "abcdef" not in str(raised.value)


def test_two_engines_are_one_too_many():
    with pytest.raises(SparkSettingsError, match="take one"):
        spark_settings("yarn", "sc://host")
    with pytest.raises(SparkSettingsError, match="take one"):
        checked({"spark.master": "yarn", "spark.remote": "sc://host"})


def test_a_server_is_named_by_its_url():
    with pytest.raises(SparkSettingsError, match="sc://host:15002"):
        spark_settings(None, "host:15002")
