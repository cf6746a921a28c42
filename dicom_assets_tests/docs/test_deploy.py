"""The deployment in containers: its files hold together, and what its containers run works as processes."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import pytest
import yaml
from deltalake.exceptions import TableNotFoundError

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.spark.java import java_home
from dicom_assets_tests.support.deployment import file_of_the_page
from dicom_assets_tests.support.on_engine import without_spark
from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.postgres import needs_driver, needs_postgres, postgres_server
from dicom_assets_tests.support.snippets import PROJECT
from dicom_assets_tests.support.ui import Ui
from dicom_assets_tests.support.whole import put

DEPLOY = PROJECT / "docs" / "deploy"
MORE_THAN_SMALL = 1001
PATIENCE = 400


GIVEN = {"POSTGRES_PASSWORD": "made up", "DICOM_ARCHIVE": "/data/archive", "DICOM_LAKE": "/data/lake"}
"""What a file ``.env`` has to say."""
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<otherwise>[^}]*)|:\?[^}]*)\}")


def compose():
    """Return the file with variables put in, and merged, as Compose reads it."""
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(_VARIABLE.sub(lambda found: GIVEN.get(found["name"], found["otherwise"]), text))


def services():
    return compose()["services"]


def test_the_compose_file_is_one():
    compose_spec = pytest.importorskip("compose_spec", reason="compose-spec is not installed")
    content = compose()
    parsed = compose_spec.PyCompose.from_yaml(yaml.safe_dump(content))
    assert set(parsed.service_names()) == set(content["services"])
    content["services"]["code"]["comand"] = "misspelled"
    with pytest.raises(ValueError, match="comand"):
        compose_spec.PyCompose.from_yaml(yaml.safe_dump(content))


def test_what_services_name_of_each_other_is_there():
    for name, service in services().items():
        assert set(service.get("depends_on", ())) <= set(services()), name
    workspace = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())
    (location,) = workspace["load_from"]
    code = services()[location["grpc_server"]["host"]]
    assert str(location["grpc_server"]["port"]) in code["command"]
    assert "spark-master" in code["environment"]["DICOM_ASSETS_SPARK_MASTER"]
    settings = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    assert settings["storage"]["postgres"]["postgres_db"]["hostname"] in services()


def test_only_the_webserver_is_published_and_on_the_loopback_interface_alone():
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert published == {"webserver": ["127.0.0.1:3000:3000"]}


def test_the_instance_is_that_of_the_page_but_for_how_the_database_is_named():
    page = yaml.safe_load(file_of_the_page("dagster.yaml"))
    file = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    assert {**page, "storage": None} == {**file, "storage": None}


def test_the_image_is_made_of_files_that_are_there_and_of_the_lock():
    text = (DEPLOY / "Dockerfile").read_text()
    copied = [word for line in text.splitlines() if line.startswith("COPY ") for word in shlex.split(line)[1:-1]]
    assert copied
    assert all((PROJECT / name).exists() for name in copied), copied
    locked = (PROJECT / "requirements.lock").read_text()
    (uv,) = re.findall(r"uv==\S+", text)
    assert f"\n{uv} " in locked


class Processes:
    """What the containers run, as processes of this machine that find each other on its loopback interface."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.archive, self.lake = folder, folder / "archive", Lake(str(folder / "lake"))
        grpc, self.port, spark, page = free_ports(4)
        there = urlsplit(database)
        self._replaced = {
            "0.0.0.0": "127.0.0.1",
            "4000": str(grpc),
            "3000": str(self.port),
            "7077": str(spark),
            "8080": str(page),
            "spark://spark-master": "spark://127.0.0.1",
            "spark-master": "127.0.0.1",
            "host=code": "host=127.0.0.1",
            "host: code": "host: 127.0.0.1",
            "hostname: postgres": f"hostname: 127.0.0.1\n      port: {there.port}",
            "/srv/spark": str(folder / "work"),
            GIVEN["POSTGRES_PASSWORD"]: str(there.password),
            "/data/archive": str(self.archive),
            "/data/lake": self.lake.root,
        }
        for name in ("dagster.yaml", "workspace.yaml"):
            (folder / name).write_text(self.here((DEPLOY / name).read_text()))
        (folder / "java").mkdir()
        self._environment = {
            **without_spark(),
            "DAGSTER_HOME": str(folder),
            "JAVA_HOME": str(java_home(folder / "java")),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "POSTGRES_PASSWORD": there.password,
        }
        self._running: dict[str, subprocess.Popen] = {}

    def here(self, text: str) -> str:
        for name, other in self._replaced.items():
            text = text.replace(name, other)
        return text

    def start(self, name: str) -> None:
        service = services()[name]
        variables = {key: self.here(str(value)) for key, value in service.get("environment", {}).items()}
        with (self.folder / f"{name}.log").open("w") as log:
            self._running[name] = subprocess.Popen(
                [self.here(word) for word in service["command"]],
                cwd=self.folder,
                env={**self._environment, **variables},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def until_healthy(self, name: str) -> None:
        """Ask as the health check does."""
        command = [self.here(word) for word in services()[name]["healthcheck"]["test"][1:]]
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(command, env=self._environment, capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, (self.folder / f"{name}.log").read_text()[-2000:]
            assert self._running[name].poll() is None, (self.folder / f"{name}.log").read_text()[-2000:]

    def stop(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for process in self._running.values():
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                for process in self._running.values():
                    process.wait(20)

    def cataloged(self) -> int:
        try:
            return self.lake.snapshot(OBJECT_CATALOG).keys(["path"]).num_rows
        except TableNotFoundError:
            return 0


@needs_driver
@needs_postgres
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_commands_of_the_containers_catalog_an_archive_on_the_spark_cluster(tmp_path, monkeypatch):
    for number in range(MORE_THAN_SMALL):
        put(tmp_path / "archive" / "a" / f"{number}.dcm", number)
    with postgres_server() as url:
        processes = Processes(tmp_path, url)
        try:
            for name in ("spark-master", "spark-worker", "code"):
                processes.start(name)
            processes.until_healthy("code")
            for name in ("daemon", "webserver"):
                processes.start(name)
            Ui(processes.port).wait_until_it_answers(processes._running["webserver"])
            deadline = time.monotonic() + PATIENCE
            while processes.cataloged() < MORE_THAN_SMALL:
                assert time.monotonic() < deadline, (tmp_path / "daemon.log").read_text()[-2000:]
                time.sleep(1)
            monkeypatch.setenv("POSTGRES_PASSWORD", urlsplit(url).password)
            with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
                made = instance.get_latest_materialization_event(dg.AssetKey("dicom_headers"))
                assert made.asset_materialization.metadata["engine"].value.startswith("Spark")
        finally:
            processes.stop()
    assert "Registered app" in (tmp_path / "spark-master.log").read_text() or list((tmp_path / "work").iterdir())
