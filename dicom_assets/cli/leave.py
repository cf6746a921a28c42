"""The end of a command: all is closed that asked for it, and the process is gone.

The interpreter would take apart every module and object first, which takes half a second with Dagster, Arrow and DuckDB
loaded and serves nobody. mypy and others end so for the same reason.
"""

import atexit
import os
import sys
import threading
from typing import NoReturn

_INTERRUPTED = 130
"""Exit code of a command that Ctrl-C or SIGTERM ended."""
_UNWRITABLE = 120
"""Exit code of Python where what was printed cannot be written, such as to a closed pipe."""


def leave(end: SystemExit) -> NoReturn:
    """End this process with the exit code that it was asked to end with."""
    code = _code(end)
    # Who interrupts a command waits for nothing: a call to a Spark Connect server would be waited for to its end.
    for thread in threading.enumerate() if code != _INTERRUPTED else ():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()  # noqa: SLF001 - what Python calls, and the only way to
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or _UNWRITABLE
    os._exit(code)


def _code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)  # noqa: T201 - as Python does
    return 1
