"""Who stands in which split: nothing of one patient stands in two.

Files belong together when they share a patient, a study, a series, or the column that is split by; and so do files
that are linked by others in this way, as where one study has two Patient IDs. What belongs together is a *group*. The
split of a group is a hash of the seed and of the group's name alone, so that it stays where it is when others come or
go, and is the same in every cohort of that seed.
"""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.cohorts.errors import SplitError
from dicom_assets.cohorts.recipe import PATIENT, Split

BY = "_by"
"""Column of the rows that are split: what the column that is split by holds, as text."""

_UNIT = "_unit"
"""The series, or the instance where there is none: the smallest thing that is never divided."""
_LINKS = (BY, PATIENT, "StudyInstanceUID", _UNIT)


def assign(rows: pa.Table, split: Split) -> pa.Array:
    """Return the split of each row.

    Parameters
    ----------
    rows
        Columns :data:`BY`, ``PatientID``, ``StudyInstanceUID``, ``SeriesInstanceUID`` and ``SOPInstanceUID``, all
        text, the last without nulls. An empty text is a null.
    split
        The shares.

    Returns
    -------
    pyarrow.Array
        Names of splits, one for each row.

    Raises
    ------
    SplitError
        A split would have no members.

    """
    columns = {name: _filled(rows[name]) for name in (BY, PATIENT, "StudyInstanceUID", "SeriesInstanceUID")}
    units = pc.coalesce(columns.pop("SeriesInstanceUID"), rows["SOPInstanceUID"])
    linked = pa.table({**columns, _UNIT: units})
    distinct = linked.group_by(list(_LINKS)).aggregate([])
    names = _groups([tuple(row.values()) for row in distinct.select(list(_LINKS)).to_pylist()])
    split_of = {name: draw(name, split) for name in sorted(set(names))}
    _refuse_empty(split, list(split_of.values()))
    by_unit = dict(zip(distinct[_UNIT].to_pylist(), (split_of[name] for name in names), strict=True))
    places = pc.index_in(units.combine_chunks(), value_set=pa.array(list(by_unit), pa.string()))
    return pa.array(list(by_unit.values()), pa.string()).take(places)


def draw(group: str, split: Split) -> str:
    """Return the split of a group: SHA-256 of seed and name as a number in [0, 1), held against the shares."""
    number = int.from_bytes(sha256(f"{split.seed}\n{group}".encode()).digest()[:8]) / 2**64
    ends = np.cumsum([share for _, share in split.shares])
    place = int(np.searchsorted(ends, number, side="right"))
    return split.shares[min(place, len(split.shares) - 1)][0]


def _filled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _groups(rows: Sequence[tuple[str | None, ...]]) -> list[str]:
    """Return the name of the group of each row: the smallest value of the first link that the group has.

    Rows are of one group when they have a value of a link in common, or are joined by other rows that have.
    """
    parents: dict[tuple[int, str], tuple[int, str]] = {}

    def root(node: tuple[int, str]) -> tuple[int, str]:
        parents.setdefault(node, node)
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    anchors = []
    for row in rows:
        nodes = [(link, value) for link, value in enumerate(row) if value is not None]
        roots = [root(node) for node in nodes]
        smallest = min(roots)  # the root of a group is its smallest node, which names it
        for other in roots:
            parents[other] = smallest
        anchors.append(nodes[0])
    return [f"{link}={value}" for link, value in map(root, anchors)]


def _refuse_empty(split: Split, drawn: Sequence[str]) -> None:
    empty = [name for name, _ in split.shares if name not in drawn]
    if empty:
        raise SplitError(
            f"the split {empty[0]} would be empty: {len(drawn)} groups by {split.by} are dealt to "
            f"{len(split.shares)} splits; take another seed, other shares or more files"
        )
