"""What the commit of a cohort says of it: the query, the versions of the tables that it was made from, the counts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.cohorts.recipe import Level, Recipe, Reference, Split
from dicom_assets.delta.origin import run_id_of

COHORT = "dicom_assets/cohort"
"""Metadata of a commit: the record, as JSON."""

_COUNTED = {
    "instances": "SOPInstanceUID",
    "series": "SeriesInstanceUID",
    "studies": "StudyInstanceUID",
    "patients": "PatientID",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a cohort, or a split of it, holds.

    Attributes
    ----------
    files, bytes
        Members, and their sizes in all.
    instances, series, studies, patients
        Different identifiers.

    """

    files: int = 0
    bytes: int = 0
    instances: int = 0
    series: int = 0
    studies: int = 0
    patients: int = 0

    @classmethod
    def of(cls, rows: pa.Table) -> "Counts":
        """Return the counts of rows of members."""
        distinct = {name: pc.count_distinct(rows[column]).as_py() for name, column in _COUNTED.items()}
        return cls(rows.num_rows, pc.sum(rows["size"]).as_py() or 0, **distinct)


@dataclass(frozen=True, slots=True)
class Record:
    """One version of a cohort.

    Attributes
    ----------
    name, version
        What it is called, and the version of its Delta table.
    made_at, run_id
        When it was committed, and by which run.
    recipe, over
        What was asked for, and the table that the condition was about.
    tables
        Version of each table that it was made from.
    source
        Root of the archive that the paths are below, in text; empty where the catalog did not tell.
    counts, splits
        Of the whole, and of each split.
    digest
        Names the members: equal digests, equal members.

    """

    name: str
    version: int
    made_at: datetime
    run_id: str | None
    recipe: Recipe
    over: str
    tables: Mapping[str, int]
    source: str
    counts: Counts
    splits: Mapping[str, Counts]
    digest: str

    @property
    def reference(self) -> Reference:
        """How this version is named."""
        return Reference(self.name, self.version)

    def told(self) -> dict[str, Any]:
        """Return all of it as plain values, for JSON."""
        plain = asdict(self)
        return {**plain, "made_at": self.made_at.isoformat()}

    def to_json(self) -> str:
        """Return what is kept in the commit, as JSON: all but what the commit itself tells."""
        told = {name: value for name, value in self.told().items() if name not in ("name", "version", "run_id")}
        return orjson.dumps(told).decode()

    @classmethod
    def of_commit(cls, name: str, commit: Mapping[str, Any]) -> "Record | None":
        """Return the record that an entry of a table's history holds, ``None`` where it is no commit of a cohort."""
        if COHORT not in commit:
            return None
        told = orjson.loads(commit[COHORT])
        recipe, split = told["recipe"], told["recipe"]["split"]
        return cls(
            name,
            commit["version"],
            datetime.fromisoformat(told["made_at"]).astimezone(UTC),
            run_id_of(commit),
            Recipe(
                recipe["where"],
                Level(recipe["level"]),
                split and Split(tuple((n, share) for n, share in split["shares"]), split["by"], split["seed"]),
            ),
            told["over"],
            told["tables"],
            told["source"],
            Counts(**told["counts"]),
            {name: Counts(**counts) for name, counts in told["splits"].items()},
            told["digest"],
        )
