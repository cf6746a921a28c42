"""What an error says where people read it: one line first, no colours, no Java, nothing of a store's own text.

Object stores colour their messages and quote signed URLs, Spark wraps what failed on a worker into a page of Java. The
chain of causes is copied in plain words, with its stack.
"""

import re

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from dicom_assets.errors import DicomAssetsError
from dicom_assets.storage.errors import why

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TRACEBACK = "Traceback (most recent call last):"
_JAVA = re.compile(r"^\s+at [\w.$]+\(|^Driver stacktrace:|^JVM stacktrace:|^Caused by: ")
_LOST_TASK = re.compile(r"Lost task [\d.]+ in stage [\d.]+ \(TID \d+\)(?: \([^)]*\))?: (.+)")
_JAVA_CLASS = re.compile(r"^(?:Caused by: |: )?(?:[a-z]\w*\.)+[A-Z][\w$]*(?:: |$)")
_MODULE = re.compile(r"^(?:[a-z_]\w*\.)+(?=[A-Z])")
_OURS = re.compile(r"^dicom_assets\.[\w.]+: ")
_LONGEST_CHAIN = 10
_SPARK = (PySparkException, Py4JError)


def plain_text(error: BaseException) -> str:
    """Return what went wrong in one line.

    Of an error of this package that is its message; others are named, for their messages alone often say little.
    """
    if isinstance(error, DicomAssetsError):
        return _first_line(str(error)) or type(error).__name__
    if isinstance(error, _SPARK):
        return _of_spark(str(error)) or type(error).__name__
    text = _first_line(_message(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def plainly(error: BaseException, depth: int = 0) -> BaseException:
    """Return a copy of an error in plain words, with its stack and the chain of its causes."""
    text = f"{_of_spark(str(error))}{_worker_stack(str(error))}" if isinstance(error, _SPARK) else ""
    # Of a module without a name, so that the class is shown by its own name alone.
    kind = type(type(error).__name__, (Exception,), {"__module__": "builtins"})
    copy: BaseException = kind(text or _message(error)).with_traceback(error.__traceback__)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    # What Spark was called with is no cause of its failure: the stack of py4j's call says nothing more.
    if cause is not None and depth < _LONGEST_CHAIN and not isinstance(error, _SPARK):
        copy.__cause__ = plainly(cause, depth + 1)
    return copy


def _message(error: BaseException) -> str:
    """Return an error's message, without colours, and without names of files that belong to one prefix."""
    if isinstance(error, OSError) and not isinstance(error, DicomAssetsError) and error.strerror:
        table = str(error.filename or "").partition("/prefix=")[0]
        return f"{error.strerror}: {table}" if table else error.strerror
    text = str(error)
    return why(text) or _COLOUR.sub("", text)


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _worker_lines(text: str) -> list[str]:
    """Return the last Python traceback in a message of Spark, from its first frame to its error; none, no lines."""
    _, found, rest = _COLOUR.sub("", text).rpartition(_TRACEBACK)
    lines: list[str] = []
    for line in rest.strip("\n").splitlines() if found else ():
        if not line.strip() or _JAVA.match(line):
            break
        lines.append(line)
    return lines


def _of_spark(text: str) -> str:
    """Return the cause in a message of Spark: what Python raised on a worker, or what Spark itself says first."""
    raised = [line for line in _worker_lines(text) if not line.startswith((" ", "\t"))]
    if not raised:
        lost = _LOST_TASK.search(text)
        return f"Spark lost a task: {_JAVA_CLASS.sub('', lost[1])}" if lost else _said_by_java(text)
    line = raised[0].strip()
    told = why(line) or (_OURS.sub("", line) if _OURS.match(line) else _MODULE.sub("", line))
    return f"on a Spark worker: {told}"


def _said_by_java(text: str) -> str:
    """Return the innermost cause that Java names, or the first line where it names none."""
    lines = [line.strip() for line in _COLOUR.sub("", text).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    said = [line for line in lines if not line.startswith(("at ", "Caused by: ", "... "))]
    return _JAVA_CLASS.sub("", causes[-1]) or causes[-1] if causes else next(iter(said), "")


def _worker_stack(text: str) -> str:
    """Return the stack of the worker, to stand below the cause."""
    frames = [line for line in _worker_lines(text) if line.startswith((" ", "\t"))]
    return "\n".join(["", "On the worker, most recent call last:", *frames]) if frames else ""
