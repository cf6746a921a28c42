"""What keeps prefixes from being followed, gathered over the ticks of a sweep, in bounded space.

Plain data in, plain data out: nothing here imports Dagster.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Self

_SHOWN = 10
_LONGEST_REASON = 300


class TroubleKind(StrEnum):
    """Why a prefix is not followed; the value is what is said of it."""

    UNLISTED = "cannot be listed"
    """The prefix, a folder of it, or a folder above it."""
    REFUSED = "deletion refused"
    """So many files are gone that it looks like a fault of the archive."""
    FAILING = "keeps failing"
    """Its runs fail again and again on the same files."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that keeps a prefix from being followed.

    Attributes
    ----------
    kind
        What it is.
    prefix
        Of which prefix; empty for a folder above the prefixes.
    reason
        In one sentence.

    """

    kind: TroubleKind
    prefix: str
    reason: str = ""

    @property
    def name(self) -> str:
        """What tells it from others; not its reason, in which counts and times change."""
        return f"{self.kind.name} {self.prefix or self.reason}"


@dataclass(frozen=True, slots=True)
class Troubles:
    """All of a sweep: counted, the first of them shown.

    Attributes
    ----------
    counts
        By kind.
    shown
        The first ones.
    state
        Names them all: equal for equal troubles, whatever ticks found them. Empty when there are none.

    """

    counts: Mapping[str, int] = field(default_factory=dict)
    shown: tuple[Trouble, ...] = ()
    state: str = ""

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.counts)

    def plus(self, found: Sequence[Trouble]) -> Self:
        """Return these with more, found behind them."""
        state = self.state
        for one in found:
            state = blake2b(f"{state}\n{one.name}".encode(), digest_size=8).hexdigest()
        shown = (*self.shown, *(Trouble(one.kind, one.prefix, one.reason[:_LONGEST_REASON]) for one in found))
        counts = Counter(self.counts) + Counter(one.kind.value for one in found)
        return type(self)(dict(counts), shown[:_SHOWN], state)

    def line(self) -> str:
        """Return how many there are of each kind, in one line."""
        return ", ".join(f"{count} {kind}" for kind, count in self.counts.items())

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON values; empty when there are none."""
        if not self:
            return {}
        shown = [[one.kind.name, one.prefix, one.reason] for one in self.shown]
        return {"counts": dict(self.counts), "shown": shown, "state": self.state}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_json` made; raises ``KeyError``, ``TypeError`` or ``ValueError`` for other values."""
        if not value:
            return cls()
        shown = tuple(Trouble(TroubleKind[kind], str(prefix), str(reason)) for kind, prefix, reason in value["shown"])
        counts = {TroubleKind(kind).value: int(count) for kind, count in value["counts"].items()}
        return cls(counts, shown, str(value["state"]))
