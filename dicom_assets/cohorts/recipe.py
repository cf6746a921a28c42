"""What is asked for when a cohort is made: a condition, a level, a split; and how cohorts are named."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dicom_assets.cohorts.errors import CohortError, CohortNameError, SplitError

PATIENT = "PatientID"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
_SHARE = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9_-]{0,99})\s*=\s*([0-9.]+)\s*")
_ROUNDING = 1e-6


class Level(StrEnum):
    """What the condition is about, and what is taken whole."""

    INSTANCE = "instance"
    """Columns of ``object_catalog``: the files that meet the condition."""
    SERIES = "series"
    """Columns of ``all_series``: all files of the series that meet it."""
    STUDY = "study"
    """Columns of ``all_studies``: all files of the studies that meet it."""


@dataclass(frozen=True, slots=True)
class Split:
    """How members are dealt to splits.

    Attributes
    ----------
    shares
        Name and share of each split, in their order; shares add up to 1.
    by
        Column of ``object_catalog``: files with one value of it stand in one split. A patient, a study and a series
        stand in one split whatever it is.
    seed
        Of the draw.

    Raises
    ------
    SplitError
        Shares are not of this kind.

    """

    shares: tuple[tuple[str, float], ...]
    by: str = PATIENT
    seed: int = 0

    def __post_init__(self) -> None:
        names = [name.casefold() for name, _ in self.shares]
        if len(set(names)) != len(names):
            raise SplitError("two splits have the same name")
        total = math.fsum(share for _, share in self.shares)
        if any(share <= 0 for _, share in self.shares) or abs(total - 1) > _ROUNDING:
            raise SplitError(f"the shares of a split are above 0 and add up to 1; these add up to {total:g}")

    @classmethod
    def parse(cls, text: str, by: str = PATIENT, seed: int = 0) -> "Split":
        """Return the split that a text such as ``train=0.8,test=0.2`` describes; raises :class:`SplitError`."""
        shares = []
        for part in text.split(","):
            match = _SHARE.fullmatch(part)
            try:
                shares.append((match[1], float(match[2])) if match else ("", math.nan))
            except ValueError:
                match = None
            if match is None:
                raise SplitError(f"{part.strip()!a} is no share of a split: write it as train=0.8,test=0.2")
        return cls(tuple(shares), by, seed)

    def __str__(self) -> str:
        """Return the shares as :meth:`parse` takes them."""
        return ",".join(f"{name}={share:g}" for name, share in self.shares)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a cohort is made of.

    Attributes
    ----------
    where
        Condition in SQL.
    level
        Which table it is about.
    split
        How members are dealt to splits, ``None`` where they are not.

    """

    where: str = "true"
    level: Level = Level.INSTANCE
    split: Split | None = None

    @classmethod
    def of(
        cls, where: str, level: Level | str, split: Mapping[str, float] | None, by: str = PATIENT, seed: int = 0
    ) -> "Recipe":
        """Return the recipe of plain values, as callers write them.

        Raises
        ------
        CohortError
            The level or the shares make no sense.

        """
        if level not in tuple(Level):
            raise CohortError(f"{str(level)!a} is no level: take {', '.join(Level)}")
        return cls(where, Level(level), None if split is None else Split(tuple(split.items()), by, seed))


@dataclass(frozen=True, slots=True)
class Reference:
    """A cohort, at one version or at its latest: ``name`` or ``name@version``.

    Attributes
    ----------
    name
        Of the cohort.
    version
        Of its Delta table, ``None`` for the latest.

    """

    name: str
    version: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Return what a text refers to; raises :class:`CohortNameError`."""
        name, at, version = text.partition("@")
        if at and not (version.isascii() and version.isdecimal()):
            raise CohortNameError(f"{text!a} names no version: write {name!a}@ and a number, such as {name}@0")
        return cls(check_name(name), int(version) if at else None)

    def __str__(self) -> str:
        """Return the reference as :meth:`parse` takes it."""
        return self.name if self.version is None else f"{self.name}@{self.version}"


def check_name(name: str) -> str:
    """Return a name that a cohort can have; raises :class:`CohortNameError` for any other."""
    if not _NAME.fullmatch(name):
        raise CohortNameError(
            f"a cohort cannot be called {name!a}: take letters, digits, '_' and '-', a letter first, at most 100"
        )
    return name
