"""A catalog brought up to date on some Spark, by a process of its own: a process has one kind of Spark at a time.

``python -m dicom_assets_tests.support.on_engine SOURCE LAKE [MARKS] KEY=VALUE ...`` prints the error, if there is one,
as a line ``kind: message``. With a folder MARKS, every file takes a moment to open, and leaves a mark there.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dicom_assets.archive.local import LocalArchive
from dicom_assets.errors import DicomAssetsError
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.spark.ahead import start_ahead
from dicom_assets.spark.engine import SmallWork, SparkEngine
from dicom_assets.spark.session import start_session
from dicom_assets.spark.settings import SPARK_MASTER

PROJECT = Path(__file__).parents[2]
_MOMENT = 0.25


@dataclass(frozen=True)
class SlowArchive(LocalArchive):
    """Takes a moment for each file, and says when it does."""

    marks: str = ""

    @contextmanager
    def open(self, path, listed=None):
        Path(self.marks, f"{os.getpid()}-{time.monotonic_ns()}").touch()
        time.sleep(_MOMENT)
        with super().open(path, listed) as source:
            yield source


def without_spark() -> dict[str, str]:
    """Return the environment of this process, less what Spark has put there or reads from it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}


def spawn(source: Path, lake: str, settings: dict[str, str], marks: Path | None = None, **environment: str):
    """Start such a process."""
    pairs = [f"{key}={value}" for key, value in settings.items()]
    folder = [str(marks)] if marks else []
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", __name__, str(source), lake, *folder, *pairs],
        env={
            **without_spark(),
            "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")]),
            **environment,
        },
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def result(process: subprocess.Popen, seconds: float = 500) -> tuple[int, str]:
    """Return how a process ended, and what it said."""
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, said.strip()


def wait_for_marks(marks: Path, count: int, process: subprocess.Popen, seconds: float = 300) -> None:
    """Wait until so many files were opened."""
    deadline = time.monotonic() + seconds
    while len(list(marks.iterdir())) < count:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def interrupt(process: subprocess.Popen, marks: Path) -> int:
    """Send Ctrl-C to a process, and return how many files it had opened when it, and all that worked for it, had ended.

    That no other is opened is looked at for some time: a server that goes on would open one in every moment.
    """
    process.send_signal(signal.SIGINT)
    code, _ = result(process, 60)
    assert code == -signal.SIGINT
    time.sleep(8 * _MOMENT)  # a file that is open is read to its end
    opened = len(list(marks.iterdir()))
    time.sleep(8 * _MOMENT)
    assert len(list(marks.iterdir())) == opened
    return opened


def main() -> int:
    source, lake, *rest = sys.argv[1:]
    settings = dict(pair.split("=", 1) for pair in rest if "=" in pair)
    marks = [word for word in rest if "=" not in word]
    archive = SlowArchive(source, 1, marks=marks[0]) if marks else LocalArchive(source, 1)
    if settings.get(SPARK_MASTER, "").startswith("local"):
        start_ahead(settings)  # as the command line does
    try:
        update_catalog(archive, lake, engine=SparkEngine(lambda: start_session(settings), SmallWork(0, 0)))
    except DicomAssetsError as error:
        print(f"{type(error).__name__}: {error}")
        return 2
    except Exception as error:  # noqa: BLE001 - told to the test
        print(f"other: {type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a lost driver or server is not asked to close
