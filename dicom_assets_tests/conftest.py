"""What many tests share: one Spark session for the suite, lakes and archives in temporary folders."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from dicom_assets.delta.lake import Lake
from dicom_assets.orchestration.resources.spark import start_session
from dicom_assets.spark.java import ensure_java


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    ensure_java()
    session = start_session({"spark.master": "local[2,2]"})
    yield session
    session.stop()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))
