"""A Spark cluster on this machine alone: a master and workers, processes that come with PySpark."""

import os
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import pyspark

from dicom_assets.spark.java import java_home
from dicom_assets_tests.support.on_engine import PROJECT, without_spark
from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.waiting import until_it_answers

_PATIENCE = 90.0


class Cluster:
    """Workers of one core each; nothing of it outlives the folder and the process groups that it makes."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder, self._logs = folder, []
        (folder / "java").mkdir()
        home = java_home(folder / "java")
        self._environment = {
            **without_spark(),
            "JAVA_HOME": str(home),
            "PYTHONPATH": str(PROJECT),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        port, page = free_ports(2)
        self.master = f"spark://127.0.0.1:{port}"
        self._master = self._spawn(
            *("master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page))
        )
        self.workers = []
        try:
            _wait_for(self._master, port)
            self.workers = [self.add_worker() for _ in range(workers)]
        except BaseException:
            self.stop()
            raise

    def add_worker(self) -> subprocess.Popen:
        port, page = free_ports(2)
        worker = self._spawn(
            *("worker.Worker", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page)),
            *("--cores", "1", "--memory", "1g", "--work-dir", str(self._folder / f"work-{port}"), self.master),
        )
        _wait_for(worker, port)
        return worker

    def _spawn(self, name: str, *arguments: str) -> subprocess.Popen:
        log = (self._folder / f"{name}-{len(self._logs)}.log").open("w")
        self._logs.append(log)
        program = Path(pyspark.__file__).parent / "bin" / "spark-class"
        return subprocess.Popen(
            [str(program), f"org.apache.spark.deploy.{name}", *arguments],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def kill_worker(self) -> None:
        """End a worker with its executor, as a machine ends that loses power."""
        kill_group(self.workers.pop())

    def stop(self) -> None:
        for process in (*self.workers, self._master):
            kill_group(process)
        for log in self._logs:
            log.close()


def _wait_for(process: subprocess.Popen, port: int) -> None:
    until_it_answers(lambda: socket.create_connection(("127.0.0.1", port), 1).close(), process, _PATIENCE)


def kill_group(process: subprocess.Popen) -> None:
    """Kill a process with all that it started and that stayed in its group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
