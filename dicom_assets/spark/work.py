"""Work that can be cut into pieces: where it runs is chosen by its size, what it does is the same everywhere.

A piece is bytes, and so is each result: they travel to workers and back whatever the engine is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dicom_assets.spark.quiet import quiet_libraries

Function = Callable[[bytes], Iterable[bytes | float]]
"""Takes one piece of work and yields its results; in between, if it likes, the share of the piece that is done so far.

Travels to workers by pickle, with what it refers to.
"""

Progress = Callable[[float], None]
"""Is told the share of some work that is done, from 0 to 1: now and then, never less than before, from any thread."""


def ignore_progress(share: float) -> None:
    """Do nothing with what is told."""


FILES, ROWS, REWRITES = "files", "rows to join", "data files to rewrite"
"""Kinds of items."""

IN_PROCESS = "in process"
"""Name of the process itself as a runner."""


class Runner(Protocol):
    """Runs pieces of work."""

    @property
    def name(self) -> str:
        """What the log and the metadata of a run call it."""
        ...

    @property
    def url(self) -> str:
        """Page on which its work can be watched; empty where there is none."""
        ...

    @property
    def parallelism(self) -> int:
        """How many pieces run side by side."""
        ...

    def run(self, function: Function, pieces: Sequence[bytes], progress: Progress = ignore_progress) -> list[bytes]:
        """Return the results of all pieces, in no particular order; raises when one of them fails for good."""
        ...


class Engine(Protocol):
    """Chooses where work runs."""

    def runner(self, items: int, size: int, kind: str = FILES) -> Runner:
        """Return what runs some work.

        Parameters
        ----------
        items
            Number of files, or of what costs about as much.
        size
            Bytes to be read.
        kind
            What the items are, in the plural, for those who watch.

        """
        ...


@dataclass(frozen=True, slots=True)
class InProcess:
    """The process itself: for work that is done before a Java virtual machine has started."""

    name: str = IN_PROCESS
    url: str = ""
    parallelism: int = 1

    def runner(self, items: int, size: int, kind: str = FILES) -> "InProcess":  # noqa: ARG002 - whatever the work
        """Return itself."""
        return self

    def run(self, function: Function, pieces: Sequence[bytes], progress: Progress = ignore_progress) -> list[bytes]:
        """Run one piece after the other."""
        results: list[bytes] = []
        with quiet_libraries():
            for number, piece in enumerate(pieces):
                for result in function(piece):
                    if isinstance(result, bytes):
                        results.append(result)
                    else:
                        progress((number + result) / len(pieces))
                progress((number + 1) / len(pieces))
        return results
