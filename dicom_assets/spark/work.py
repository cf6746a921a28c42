"""Work that can be cut into pieces: where it runs is chosen by its size, what it does is the same everywhere.

A piece is bytes, and so is each result: they travel to workers and back whatever the engine is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dicom_assets.spark.quiet import quiet_libraries

Function = Callable[[bytes], Iterable[bytes]]
"""Takes one piece of work and yields its results. Travels to workers by pickle, with what it refers to."""


class Runner(Protocol):
    """Runs pieces of work."""

    @property
    def name(self) -> str:
        """What the log and the metadata of a run call it."""
        ...

    @property
    def parallelism(self) -> int:
        """How many pieces run side by side."""
        ...

    def run(self, function: Function, pieces: Sequence[bytes]) -> list[bytes]:
        """Return the results of all pieces, in no particular order; raises when one of them fails for good."""
        ...


class Engine(Protocol):
    """Chooses where work runs."""

    def runner(self, items: int, size: int) -> Runner:
        """Return what runs some work.

        Parameters
        ----------
        items
            Number of files, or of what costs about as much.
        size
            Bytes to be read.

        """
        ...


@dataclass(frozen=True, slots=True)
class InProcess:
    """The process itself: for work that is done before a Java virtual machine has started."""

    name: str = "in process"
    parallelism: int = 1

    def runner(self, items: int, size: int) -> "InProcess":  # noqa: ARG002 - whatever the size
        """Return itself."""
        return self

    def run(self, function: Function, pieces: Sequence[bytes]) -> list[bytes]:
        """Run one piece after the other."""
        with quiet_libraries():
            return [result for piece in pieces for result in function(piece)]
