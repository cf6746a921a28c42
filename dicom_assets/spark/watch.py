"""Watching work: an engine that says what it begins, and how far that is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dicom_assets.spark.work import FILES, Engine, Function, Progress, Runner, ignore_progress


@dataclass(frozen=True, slots=True)
class Job:
    """Work that begins.

    Attributes
    ----------
    items, size, kind
        How much it is: number and bytes of what has to be looked at, and what that is, in the plural.
    engine, url
        What does it, and the page of that, where it has one.

    """

    items: int
    size: int
    kind: str
    engine: str
    url: str


Watch = Callable[[Job], Progress]
"""Is told of each job when it begins, and returns what is told how far it is."""


@dataclass(frozen=True, slots=True)
class WatchedEngine:
    """An engine whose work is watched."""

    engine: Engine
    watch: Watch

    def runner(self, items: int, size: int, kind: str = FILES) -> Runner:
        """Return what runs some work, and tells of it."""
        runner = self.engine.runner(items, size, kind)
        return _WatchedRunner(runner, Job(items, size, kind, runner.name, runner.url), self.watch)


@dataclass(frozen=True, slots=True)
class _WatchedRunner:
    runner: Runner
    job: Job
    watch: Watch

    @property
    def name(self) -> str:
        return self.runner.name

    @property
    def url(self) -> str:
        return self.runner.url

    @property
    def parallelism(self) -> int:
        return self.runner.parallelism

    def run(self, function: Function, pieces: Sequence[bytes], progress: Progress = ignore_progress) -> list[bytes]:
        told = self.watch(self.job)

        def tell(share: float) -> None:
            told(share)
            progress(share)

        return self.runner.run(function, pieces, tell)
