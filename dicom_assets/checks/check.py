"""What a check is, and what comes out of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import CatalogModel
from dicom_assets.query.database import Catalog
from dicom_assets.query.engine import EngineOptions
from dicom_assets.tables import PARTITION, Table

MEMORY_BYTES = 512 << 20
"""What a query may use before it spills to disk."""


class Severity(StrEnum):
    """What a failed check means."""

    WARN = "warning"
    """Somebody should look; what is built on the table is right all the same, or another run is about to mend it."""
    ERROR = "error"
    """What is built on the table would be wrong."""


class Unit(StrEnum):
    """What is counted, and what a bound is a number of."""

    COUNT = "count"
    """Cases; so is the bound."""
    SHARE = "share"
    """Cases; the bound is a share of what was looked at."""
    HOURS = "hours"
    """Hours; so is the bound."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a check looks.

    Attributes
    ----------
    catalog
        The tables, for queries. All that is asked in a scope, and in others of this catalog, shares an engine.
    model
        What the tables are.
    prefixes
        Look at these only; ``None`` is everywhere.

    """

    catalog: Catalog
    model: CatalogModel
    prefixes: tuple[str, ...] | None = None

    @classmethod
    def of(cls, lake: Lake, model: CatalogModel, prefixes: tuple[str, ...] | None = None) -> "Scope":
        """Return a scope of a lake, whose queries keep within bounds."""
        return cls(Catalog(lake, engine=EngineOptions(memory_bytes=MEMORY_BYTES)), model, prefixes)

    @property
    def lake(self) -> Lake:
        """Where the tables are."""
        return self.catalog.lake


@dataclass(frozen=True, slots=True)
class Measured:
    """What a look at the tables found.

    Attributes
    ----------
    found
        How many cases, or hours; ``None`` where there is nothing to measure.
    looked_at
        Of how many.
    kinds
        How many of each kind, where there are several.
    prefixes
        Where the cases are.
    sql
        Lists the cases, where that takes more than the check itself knows.
    severity
        Of these very cases, where not all are alike.
    differences
        What is not as it should be, in words that carry no values.

    """

    found: float | None
    looked_at: int | None = None
    kinds: Mapping[str, int] = field(default_factory=dict)
    prefixes: Sequence[str] = ()
    sql: str | None = None
    severity: Severity | None = None
    differences: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One promise about one table.

    Attributes
    ----------
    name
        The same for the same promise about different tables.
    table
        About which.
    description
        What is promised, one sentence.
    severity, bound, unit
        What it means when more is found than the bound.
    statement
        Returns the SQL that lists the cases in a scope, one row each, with the column ``prefix``.
    kind
        Column of that SQL which tells kinds of cases apart.
    reaches
        Column of that SQL with another prefix that the case reaches into.
    measure
        Finds the cases by other means. By default, the rows of the SQL are counted.
    blocking
        Whether nothing should be built on the table while the check fails.

    """

    name: str
    table: Table
    description: str
    severity: Severity
    statement: Callable[[Scope], str]
    bound: float = 0
    unit: Unit = Unit.COUNT
    kind: str = ""
    reaches: str = PARTITION
    measure: Callable[[Scope], Measured] | None = None
    blocking: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check went.

    Attributes
    ----------
    check
        The check.
    measured
        What was found.
    sql
        Lists the cases.

    """

    check: Check
    measured: Measured
    sql: str

    @property
    def passed(self) -> bool:
        """Whether no more was found than the bound allows."""
        found, bound = self.measured.found or 0, self.check.bound
        return found <= (bound * (self.measured.looked_at or 0) if self.check.unit is Unit.SHARE else bound)

    @property
    def severity(self) -> Severity:
        """What it means if the check failed."""
        return self.measured.severity or self.check.severity

    @property
    def found_text(self) -> str:
        """What was found, for people."""
        found, of = self.measured.found, self.measured.looked_at
        if found is None:
            return "nothing to measure"
        if self.check.unit is Unit.HOURS:
            return f"{found:,.1f} h"
        if self.check.unit is Unit.SHARE and of:
            return f"{found:,.0f} of {of:,} ({found / of:.2%})"
        return f"{found:,.0f}"

    @property
    def bound_text(self) -> str:
        """What is allowed, for people."""
        return bound_text(self.check.bound, self.check.unit)


def bound_text(bound: float, unit: Unit) -> str:
    """Return a bound with its unit."""
    match unit:
        case Unit.SHARE:
            return f"{bound:.2%}".replace(".00%", "%")
        case Unit.HOURS:
            return f"{bound:,.1f} h".replace(".0 h", " h")
        case _:
            return f"{bound:,.0f}"
