"""Making the archive of the classes that Spark loads: a JVM starts Spark, does a job, and writes it when it ends."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from dicom_assets.errors import InfrastructureError
from dicom_assets.spark.class_archive import ClassArchive, writing
from dicom_assets.spark.engine import SparkRunner
from dicom_assets.spark.java import find_java, java_home
from dicom_assets.spark.session import start_session
from dicom_assets.storage.scratch import scratch_folder

_SHOWN = 500
_SECONDS = 600


class ClassArchiveError(InfrastructureError, RuntimeError):
    """Java wrote no archive; the end of what it said is in the message."""


def prepare() -> Path:
    """Write the archive for the Java and the Spark of this machine, and return where it is; half a minute.

    Raises
    ------
    JavaNotFoundError
        There is no Java of version 17 or newer.
    ClassArchiveError
        Spark did not start, or its Java cannot write one.
    OSError
        The cache folder of the user cannot be written.

    """
    archive = ClassArchive.of(find_java())
    archive.folder.mkdir(parents=True, exist_ok=True)
    with (
        FileLock(archive.folder / f"{archive.stem}.lock"),
        _folder_beside(archive) as beside,
        tempfile.TemporaryDirectory(dir=scratch_folder()) as home,
    ):
        made = Path(beside) / "made.jsa"
        environment = {**os.environ, "JAVA_HOME": str(java_home(Path(home), writing(made)))}
        command = [sys.executable, "-m", __name__]
        try:
            done = subprocess.run(  # noqa: S603 - this module
                command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise ClassArchiveError(f"Java wrote no archive of classes within {_SECONDS} s") from None
        if done.returncode or not made.is_file():
            raise ClassArchiveError(
                f"Java wrote no archive of classes: {(done.stderr + done.stdout)[-_SHOWN:].strip()}"
            )
        return archive.put(made)  # whoever starts meanwhile finds a whole one or none


def _folder_beside(archive: ClassArchive) -> tempfile.TemporaryDirectory[str]:
    """Return a folder on the disk of the archive, without those that others left who ended early; asks for the lock."""
    prefix = f"{archive.stem}-unfinished-"
    for left in archive.folder.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    return tempfile.TemporaryDirectory(prefix=prefix, dir=archive.folder)


def main() -> None:
    """Start Spark, do what every run does first, and wait for the end of its JVM."""
    session = start_session({"spark.master": "local[2]"})
    SparkRunner(session).check()
    gateway = session.sparkContext._gateway  # noqa: SLF001 - nothing public tells the process
    assert gateway is not None, "a session of this process has one"
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


if __name__ == "__main__":
    main()
