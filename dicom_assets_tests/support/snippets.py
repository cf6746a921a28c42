"""Fenced blocks of the documentation, and how each kind is run.

What a block is for is said in an HTML comment in front of it, where its language does not say it:

``<!-- file: NAME -->``
    The block is the content of a file, which is written before the blocks after it are run. Python files are run, a
    ``dagster.yaml`` is loaded.
``<!-- serves: PATH -->``
    The command listens on a port until it is ended, and answers at this path; by default at one of the Dagster UI.
``<!-- not run: REASON -->``
    The block cannot be run here.
"""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dicom_assets_tests.support.ports import free_ports

PROJECT = Path(__file__).parents[2]
PAGES = (PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md")))
NOT_RUN = "not run"

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_MARK = re.compile(r"<!-- *([\w ]+?)(?:: *(.*?))? *-->\s*$")
_TIMES = re.compile(r"\d+\.\d+|\d+(?= files per second)")
_PATIENCE = 600


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: Path
    line: int
    language: str
    code: str
    marks: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line} ({self.language or 'no language'})"


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        before, marks = text[: match.start()].rstrip(), {}
        while mark := _MARK.search(before):
            marks[mark[1]] = mark[2] or ""
            before = before[: mark.start()].rstrip()
        indent = match["indent"]
        code = "".join(line.removeprefix(indent) for line in match["code"].splitlines(keepends=True))
        found.append(Block(page, text.count("\n", 0, match.start()) + 1, match["language"], code, marks))
    return found


@dataclass
class Shell:
    """Where the blocks of one page are run, in their order.

    Attributes
    ----------
    folder
        Where commands are run.
    replaced
        Texts that stand in the documentation for a place, and that place here.
    environment
        Beside that of the tests.

    """

    folder: Path
    replaced: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DICOM_", "DAGSTER_"))}
        self._environment = {
            **inherited,
            "PATH": path,
            "PYTHONPATH": os.pathsep.join([str(PROJECT), str(self.folder)]),
            "COLUMNS": "120",
            **self.environment,
        }

    def here(self, code: str) -> str:
        """Return a code with the places of the documentation replaced."""
        for there, here in self.replaced.items():
            code = code.replace(there, here)
        return code

    def run(self, code: str) -> str:
        """Run a script of the shell, which has to succeed, and return what it printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.here(code)],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        assert "nanobind" not in done.stderr, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    def run_python(self, code: str) -> str:
        """Run a program, which has to succeed, and return what it printed."""
        (self.folder / "snippet_to_run.py").write_text(self.here(code), encoding="utf-8")
        return self.run("python -W ignore snippet_to_run.py")

    def transcript(self, code: str) -> None:
        """Run the commands behind ``$`` and look for the lines below each in its output, in their order.

        Numbers with a point and rates may differ; ``...`` stands for anything, a line of it for any lines.
        """
        for part in re.split(r"^\$ ", code, flags=re.MULTILINE)[1:]:
            command, expected = _command_and_output(part)
            printed = iter([" ".join(line.split()) for line in self.run(command).splitlines()])
            for line in expected:
                pattern = _pattern(line)
                assert any(pattern.fullmatch(seen) for seen in printed), f"{command}\ndid not print: {line}"

    def serve(self, code: str, path: str) -> None:
        """Run a command that listens until it is ended, and ask it for a page."""
        (port,) = free_ports(1)
        command = f"exec {self.here(code).strip()} --port {port}"
        with (self.folder / "serve.log").open("w") as log:
            server = subprocess.Popen(
                ["bash", "-c", command], cwd=self.folder, env=self._environment, stdout=log, stderr=log
            )
            try:
                _wait_for(f"http://127.0.0.1:{port}{path}", server)
            finally:
                server.terminate()
                server.wait(60)


def _command_and_output(part: str) -> tuple[str, list[str]]:
    """Return a command, which goes on over lines as the shell would read it, and the lines that it is to print."""
    lines = part.rstrip("\n").split("\n")
    taken = 1
    while _unfinished("\n".join(lines[:taken])) and taken < len(lines):
        taken += 1
    return "\n".join(lines[:taken]), [line for line in lines[taken:] if line.strip() not in {"", "..."}]


def _unfinished(command: str) -> bool:
    """Return whether a command ends within quotes, within a here-document, or in a backslash."""
    if here := re.search(r"<<'(\w+)'", command):
        return not command.endswith(f"\n{here[1]}")
    return command.endswith("\\") or command.count('"') % 2 == 1 or command.count("'") % 2 == 1


def _pattern(line: str) -> re.Pattern[str]:
    parts = []
    for part in " ".join(line.split()).split("..."):
        fixed = [re.escape(text) for text in _TIMES.split(part)]
        parts.append(r"[\d.]+".join(fixed))
    return re.compile(".*".join(parts))


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        assert server.poll() is None, "it ended"
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.5)
        else:
            return
