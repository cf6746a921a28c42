"""How many files have which value: all facets from one pass over the table.

The pass groups files by all facets at once. What that leaves is small, so counts under any choice of facets come from
it without the table. It is kept for each text, condition and scope, as long as the version of the table is the present.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.browser.conditions import Condition, condition_of
from dicom_assets.serve.browser.facet import FACETS, Facet
from dicom_assets.serve.browser.selection import Selection
from dicom_assets.serve.remembered import Remembered

_KEPT = 32
_FILES = "files"


@dataclass(frozen=True, slots=True)
class Count:
    """A value of a facet, and how many of the files have it.

    Attributes
    ----------
    value, label
        The value, and what people call it.
    files
        How many, under what is chosen of other facets.
    is_chosen
        Whether it is one of those that are looked at.

    """

    value: str
    label: str
    files: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """A facet with the counts of its values."""

    facet: Facet
    counts: tuple[Count, ...]


class Cube:
    """Files of a selection, counted by all facets at once.

    Parameters
    ----------
    groups
        One row for each combination of values that there is: a column for each facet, and ``files``.

    """

    def __init__(self, groups: pa.Table) -> None:
        self._groups = groups

    @classmethod
    def of(cls, groups: pa.Table) -> "Cube":
        """Return the answer to :func:`groups_sql`, with texts for all values: empty where none is stated."""
        return cls(
            pa.table({facet.name: _texts(facet, groups[facet.name]) for facet in FACETS} | {_FILES: groups[_FILES]})
        )

    def total(self, selection: Selection) -> int:
        """Return how many files have the chosen values."""
        return int(pc.sum(self._under(selection, None)[_FILES]).as_py() or 0)

    def counts(self, facet: Facet, selection: Selection) -> tuple[Count, ...]:
        """Return the values of a facet, the most frequent first, months from the latest; files that state none last."""
        sums = self._summed([facet.name], self._under(selection, facet))
        chosen = selection.chosen(facet.name)
        counts = {str(row[facet.name]): int(row["files_sum"]) for row in sums}
        counts |= {value: 0 for value in chosen if value not in counts}
        found = [Count(value, facet.label(value), files, value in chosen) for value, files in counts.items()]
        if facet.is_month:
            return tuple(sorted(found, key=lambda count: count.value, reverse=True))
        return tuple(sorted(found, key=lambda count: (not count.value, -count.files, count.label)))

    def by(self, one: str, other: str, selection: Selection) -> dict[tuple[str, str], int]:
        """Return how many of the chosen files have which values of two facets."""
        rows = self._summed([one, other], self._under(selection, None))
        return {(row[one], row[other]): int(row["files_sum"]) for row in rows}

    def _summed(self, names: list[str], groups: pa.Table) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = groups.group_by(names).aggregate([(_FILES, "sum")]).to_pylist()
        return rows

    def _under(self, selection: Selection, besides: Facet | None) -> pa.Table:
        """Return the groups that have the chosen values of all facets but one."""
        groups = self._groups
        for facet in FACETS:
            chosen = selection.chosen(facet.name)
            if chosen and facet is not besides:
                groups = groups.filter(pc.is_in(groups[facet.name], pa.array(chosen, pa.string())))
        return groups


class Facets:
    """Counts of the present version of a catalog, kept between requests."""

    def __init__(self) -> None:
        self._cubes: Remembered[Cube] = Remembered(_KEPT)

    def cube(self, catalog: FixedCatalog, selection: Selection, count: Callable[[], Cube] | None = None) -> Cube:
        """Return the files of a selection, whatever facets are chosen; raises as :func:`condition_of` does.

        Parameters
        ----------
        catalog, selection
            Of which files.
        count
            Counts them, where that is not known; by default one pass over the table.

        """
        condition = condition_of(catalog, selection, with_facets=False)
        question = (condition.sql, condition.values)
        find = count or (lambda: _counted(catalog, condition, selection.where))
        return self._cubes.get(catalog.fixed.get(CATALOG_NAME), question, find)


def counted(cube: Cube, selection: Selection) -> Iterable[Counted]:
    """Return all facets with their counts; those that no file has a value of are left out."""
    for facet in FACETS:
        counts = cube.counts(facet, selection)
        if any(count.value for count in counts):
            yield Counted(facet, counts)


def groups_sql(table: str, known: frozenset[str], where: str = "true") -> str:
    """Return the query that counts files by all facets at once, of a table with some columns of ``object_catalog``."""
    columns = [f"{_grouped(facet, known)} AS {facet.name}" for facet in FACETS]
    names = ", ".join(facet.name for facet in FACETS)
    return (
        f"SELECT {names}, count(*) AS {_FILES} FROM (SELECT {', '.join(columns)} FROM {table}\n"  # noqa: S608 - ours
        f"WHERE {where}\n) GROUP BY ALL"
    )


def _counted(catalog: FixedCatalog, condition: Condition, where: str) -> Cube:
    known, source = catalog.columns(CATALOG_NAME), catalog.narrow(CATALOG_NAME, where)
    return Cube.of(catalog.ask(groups_sql(source, known, condition.sql), condition.values))


def _grouped(facet: Facet, known: frozenset[str]) -> str:
    """Return what files are grouped by; a catalog that lacks the column states nothing."""
    if facet.column not in known:
        return "NULL"
    return f"date_trunc('month', {facet.column})::DATE" if facet.is_month else facet.column


def _texts(facet: Facet, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if facet.is_month and pa.types.is_date(values.type):
        values = pc.strftime(values, "%Y-%m")
    return pc.fill_null(values.cast(pa.string()), "")
