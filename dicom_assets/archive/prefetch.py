"""Files of an archive whose first bytes are fetched while others are worked on.

An object store takes some 25 ms for an answer, whatever its size, and gives many at once. Who asks for one file after
the other waits most of the time; here a number of files are *in flight*: asked for, or in memory until their turn.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from itertools import groupby
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, TypeVar

from dicom_assets.dicom.source import ByteSource, HeadCachedSource

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prefetch:
    """How much of an archive each task has in flight.

    Attributes
    ----------
    files
        The most files. 1 opens each file when it is its turn.
    size
        The most bytes, counted before they are asked for. One file may always be in flight, however large its part is.

    """

    files: int = 32
    size: int = 64 << 20


ONE_BY_ONE = Prefetch(files=1)
"""For archives that answer at once."""


@dataclass(frozen=True, slots=True)
class Upcoming(Generic[T]):
    """A file that will be read.

    Attributes
    ----------
    item
        What the caller knows it by.
    group
        Files of one group follow each other. Within a group they are handed out as they arrive, and groups in order.
    length
        How many of its first bytes are fetched.
    open
        Opens it, on another thread than that which reads on and closes it.

    """

    item: T
    group: str
    length: int
    open: Callable[[], AbstractContextManager[ByteSource]]


Opened = AbstractContextManager[ByteSource]
"""A file to be entered once. What went wrong while it was fetched is raised then, as if it was opened only there."""


def prefetch(files: Iterable[Upcoming[T]], bounds: Prefetch) -> Generator[tuple[T, Opened], None, None]:
    """Yield files with their first bytes in memory, as they arrive; each is done with when the next is asked for.

    What fails or hangs delays no other file of its group. Close the iterator where it is left early.

    Parameters
    ----------
    files
        In the order in which they are asked for.
    bounds
        How many are in flight, and how many bytes of them.

    """
    if bounds.files <= 1:
        for file in files:
            yield file.item, file.open()
        return
    with ThreadPoolExecutor(bounds.files, thread_name_prefix="prefetch") as pool:
        flight = _Flight(pool, bounds, deque(_numbered(files)))
        try:
            while (found := flight.take()) is not None:
                yield found.file.item, found
                flight.release(found)
                del found  # with the bytes, before the next is waited for
        finally:
            pool.shutdown(cancel_futures=True)
            flight.abandon()


def _numbered(files: Iterable[Upcoming[T]]) -> Iterator[tuple[int, Upcoming[T]]]:
    """Yield files with the number of their group."""
    for number, (_, members) in enumerate(groupby(files, lambda file: file.group)):
        for file in members:
            yield number, file


class _Fetched(Generic[T]):
    """A file that was opened, or an error in its place; closed by who enters it, or else by :meth:`close`."""

    def __init__(self, group: int, file: Upcoming[T]) -> None:
        self.group, self.file = group, file
        self._source: ByteSource | None = None
        self._error: BaseException | None = None
        self._closing = ExitStack()

    def fetch(self) -> None:
        """Open the file and read its first bytes; raises nothing."""
        try:
            with ExitStack() as stack:
                source = stack.enter_context(self.file.open())
                self._source = HeadCachedSource(source, source.read(0, self.file.length))
                self._closing = stack.pop_all()
        except BaseException as error:  # noqa: BLE001 - raised where the file is entered
            self._error = error

    def __enter__(self) -> ByteSource:
        if self._error is not None:
            raise self._error
        assert self._source is not None
        return self._source

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._source = None
        return self._closing.__exit__(kind, error, trace)

    def close(self) -> None:
        """Close the file where nobody has entered it."""
        with suppress(OSError):
            self._closing.close()


@dataclass(slots=True)
class _Flight(Generic[T]):
    """The files in flight.

    Attributes
    ----------
    pool, bounds
        What fetches them, and how many.
    waiting
        Those that are not asked for yet, with the number of their group.
    arrived
        Those that were fetched, in the order of their arrival.
    early
        Of these, those whose group has no turn yet, by its number.
    files, size
        How many are in flight, and how many of their bytes were asked for.
    left
        By group, how many were asked for and not handed out.
    turn
        Number of the group whose files are handed out.

    """

    pool: ThreadPoolExecutor
    bounds: Prefetch
    waiting: deque[tuple[int, Upcoming[T]]]
    arrived: SimpleQueue[_Fetched[T]] = field(default_factory=SimpleQueue)
    early: defaultdict[int, deque[_Fetched[T]]] = field(default_factory=lambda: defaultdict(deque))
    left: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    files: int = 0
    size: int = 0
    turn: int = 0

    def take(self) -> _Fetched[T] | None:
        """Return the next file, ``None`` when there are no more."""
        self._ask()
        while not self.left[self.turn]:
            # All of the group were handed out, for files are asked for in the order of their groups.
            if not self.files:
                return None
            del self.left[self.turn]
            self.turn += 1
        while not self.early[self.turn]:
            arrival = self.arrived.get()
            self.early[arrival.group].append(arrival)
        self.left[self.turn] -= 1
        return self.early[self.turn].popleft()

    def _ask(self) -> None:
        while self.waiting and self._admits(self.waiting[0][1]):
            group, file = self.waiting.popleft()
            self.files += 1
            self.size += file.length
            self.left[group] += 1
            self.pool.submit(self._fetch, _Fetched(group, file))

    def _admits(self, file: Upcoming[T]) -> bool:
        fits = self.files < self.bounds.files and self.size + file.length <= self.bounds.size
        return fits or not self.files

    def _fetch(self, fetched: _Fetched[T]) -> None:
        fetched.fetch()
        self.arrived.put(fetched)

    def release(self, fetched: _Fetched[T]) -> None:
        """Let others have the place of a file that is done with."""
        self.files -= 1
        self.size -= fetched.file.length

    def abandon(self) -> None:
        """Close what has arrived and was not handed out; nothing is being fetched any more."""
        while not self.arrived.empty():
            self.arrived.get().close()
        for group in self.early.values():
            for fetched in group:
                fetched.close()
