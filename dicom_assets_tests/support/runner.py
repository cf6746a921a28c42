"""One Dagster run in a process of its own: ``python -m dicom_assets_tests.support.runner SOURCE LAKE HOME FIRST LAST``.

Prints ``running`` when it begins, and at its end whether it started a JVM; exits 0 when the run succeeded.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
from pyspark import SparkContext

from dicom_assets_tests.support.whole import Deployment


def spawn(deployment: Deployment, first: str, last: str) -> subprocess.Popen:
    """Start a run over a range of partitions of a deployment with a persistent instance."""
    home = deployment.instance.root_directory
    arguments = [str(deployment.source), deployment.root, home, first, last]
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "dicom_assets_tests.support.runner", *arguments],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "DAGSTER_HOME": home},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def wait_until_running(process: subprocess.Popen) -> float:
    """Return when the run of a process began."""
    assert process.stdout.readline() == "running\n"
    return time.monotonic()


def main() -> int:
    source, lake, home, first, last = sys.argv[1:]
    with dg.DagsterInstance.from_config(home) as instance:
        deployment = Deployment(instance, Path(source), lake)
        print("running", flush=True)
        success = deployment.run(first, last, raise_on_error=False).success
        print("no JVM was started" if SparkContext._gateway is None else "a JVM was started")
        return 0 if success else 1


if __name__ == "__main__":
    sys.exit(main())
