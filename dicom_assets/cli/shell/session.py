"""One shell: what it remembers, and what it does for one statement or one dot command."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dicom_assets.cli.destination import Destination
from dicom_assets.cli.errors import tell
from dicom_assets.cli.shell.commands import carry_out
from dicom_assets.cli.shell.errors import ShellError
from dicom_assets.query.database import Catalog
from dicom_assets.query.formats import Format
from dicom_assets.query.statements import split, statements_of
from dicom_assets.query.vocabulary import Vocabulary

_DEEPEST = 8
"""Files that read files: one that reads itself ends there."""


@dataclass
class Session:
    """A shell.

    Attributes
    ----------
    catalog
        What is asked.
    mode
        How answers are shown.
    timer
        Whether the time of each query is told.
    answered
        Number of statements and commands that were carried out.
    vocabulary
        The words of the catalog.

    """

    catalog: Catalog
    mode: Format = Format.TABLE
    timer: bool = False
    answered: int = field(default=0, init=False)
    vocabulary: Vocabulary = field(init=False)
    _depth: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.vocabulary = Vocabulary(self.catalog)

    def run(self, text: str) -> None:
        """Carry out a text: dot commands, which are one line each, and statements, up to the first that fails.

        Raises
        ------
        DicomAssetsError
            One failed.
        LeaveShell
            One was ``.quit``.

        """
        for one in split_input(text):
            if one.startswith("."):
                carry_out(self, one)
            else:
                self._answer(one)
            self.answered += 1

    def _answer(self, query: str) -> None:
        started = time.monotonic()
        Destination(self.mode).write(self.catalog.sql(query))
        if self.timer:
            tell(f"Time: {time.monotonic() - started:.3f} s", style="dim")

    @contextmanager
    def nested(self, file: str) -> Iterator[None]:
        """Enter a file of queries; raises :class:`ShellError` when files that read files go too deep."""
        if self._depth >= _DEEPEST:
            raise ShellError(f"{file} is not read: files read files {_DEEPEST} deep already")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1


def split_input(text: str) -> Iterator[str]:
    """Yield the dot commands and statements of a text: a line that begins with a point, where no statement is open."""
    pending: list[str] = []
    for line in text.splitlines():
        if line.startswith(".") and is_whole("\n".join(pending)):
            yield from statements_of("\n".join(pending))
            pending.clear()
            yield line.strip()
        else:
            pending.append(line)
    yield from statements_of("\n".join(pending))


def is_whole(text: str) -> bool:
    """Return whether nothing is missing at the end of a text: a dot command, or statements with their semicolons."""
    return text.startswith(".") or not split(text)[1]
