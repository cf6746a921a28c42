"""A program in a terminal of its own, as a user sits before it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]|\x1b\][^\x07]*\x07|\r|\x07")
_PATIENCE = 120.0
_IN_THE_FOREGROUND = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""The terminal becomes that of the program, whose keys then reach it as signals."""


class Terminal:
    """A pseudo terminal with a program in it.

    Parameters
    ----------
    command
        The program.
    environment
        All of it.
    size
        Lines and columns.

    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], size: tuple[int, int] = (40, 80)):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", _IN_THE_FOREGROUND, *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=dict(environment),
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""
        """All that was on the screen, without what moves the cursor."""
        self._read = b""
        self._place = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(_PATIENCE)
        os.close(self._ours)

    def send(self, text: str) -> None:
        """Type."""
        os.write(self._ours, text.encode())

    def expect(self, pattern: str) -> str:
        """Wait until something is shown behind what was expected before, and return it."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            if found := re.compile(pattern).search(self.seen, self._place):
                self._place = found.end()
                return found[0]
            if time.monotonic() > deadline or not self._more():
                raise AssertionError(f"{pattern!r} was not shown: {self.seen[self._place :]!r}")

    def type_and_press(self, text: str, key: str, pattern: str) -> None:
        """Type a text and, a second later, press a key, until something is shown.

        A key that comes before the program has taken up the text may only take the text back: then it is typed again.
        """
        for _ in range(10):
            self.send(text)
            self._shows(None, 1.0)
            self.send(key)
            if self._shows(re.compile(pattern), _PATIENCE / 10):
                return
        raise AssertionError(f"{pattern!r} was not shown: {self.seen[self._place :]!r}")

    def _shows(self, pattern: re.Pattern[str] | None, seconds: float) -> bool:
        """Read for some seconds, or until something is shown behind what was expected before."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._more()
            if pattern is not None and (found := pattern.search(self.seen, self._place)):
                self._place = found.end()
                return True
        return False

    def wait(self) -> int:
        """Wait for the end of the program and return its exit code."""
        while self._more():
            pass
        return self.process.wait(_PATIENCE)

    def _more(self) -> bool:
        """Read what is there, or comes within a second; returns false at the end of the program."""
        if select.select([self._ours], [], [], 1.0)[0]:
            try:
                part = os.read(self._ours, 65536)
            except OSError:  # Linux says so where the program has ended
                part = b""
            if not part:
                return False
            self._read += part
            self.seen = _CONTROL.sub("", self._read.decode(errors="ignore"))
        return True
