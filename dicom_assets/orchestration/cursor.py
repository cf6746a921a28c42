"""What the archive sensor remembers from tick to tick: how far its sweep has come, and what it was told of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from dicom_assets.orchestration.troubles import Troubles
from dicom_assets.pipeline.changes import ChangeStatus, Detection

MOST_TOLD = 1_000
"""Prefixes that a cursor remembers as told of; what is told beyond waits where it was told."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the sweep over all prefixes has come.

    Attributes
    ----------
    after
        The last prefix that was looked at; empty when a sweep begins.
    troubles
        What the sweep has met so far.
    began
        When the last sweep began, in seconds since 1970.
    news
        Number of the last event that was heard; ``None`` before the first tick.
    told
        Prefixes that were told to have changed, and were not found unchanged since.

    """

    after: str = ""
    troubles: Troubles = field(default_factory=Troubles)
    began: float = 0.0
    news: int | None = None
    told: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        """Return a cursor from its text; one that cannot be read begins a new sweep."""
        try:
            value = json.loads(text or "{}")
            return cls(
                str(value.get("after", "")),
                Troubles.from_json(value.get("troubles", {})),
                float(value.get("began", 0.0)),
                None if value.get("news") is None else int(value["news"]),
                tuple(value.get("told", ())),
            )
        except (ValueError, AttributeError, KeyError, TypeError):
            return cls()

    def write(self) -> str:
        """Return the cursor as text."""
        more = {"troubles": self.troubles.to_json(), "told": list(self.told)}
        kept = {name: value for name, value in more.items() if value}
        return json.dumps({"after": self.after, "began": self.began, "news": self.news, **kept})

    def sweeps(self, now: float, minutes: float) -> bool:
        """Return whether a sweep is under way, or the next is due."""
        return bool(self.after) or not 0 <= now - self.began < minutes * 60


def still_told(told: Sequence[str], found: Sequence[Detection]) -> tuple[str, ...]:
    """Return the prefixes to look at again: those that were not looked at, and those that had changed.

    Of these a run is requested, or holds them already; they are looked at until there is nothing left to do.

    Parameters
    ----------
    told
        Prefixes that were told of.
    found
        What was found of them, and of others that are to be followed like these.

    """
    settled = {one.prefix for one in found if one.status is not ChangeStatus.CHANGED}
    left = [one for one in told if one not in settled]
    known = set(told)
    more = [one.prefix for one in found if one.status is ChangeStatus.CHANGED and one.prefix not in known]
    # A first sweep finds all prefixes changed, and must leave room for what is told.
    return (*left, *more[: max(0, MOST_TOLD // 2 - len(left))])
