"""Rows of entities: what their members agree about, and what they add up to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.extract.rollups import RollupStatus, RollupTable
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.pipeline.rollup.groups import Groups, as_counts
from dicom_assets.tables import PARTITION

Row = dict[str, Any]

_INSTANCE = "SOPInstanceUID"
_MOST_MISSING = 1000
"""Instance Numbers that are listed as missing: of more, the numbers do not count anything."""
_NO_NUMBER = pa.scalar(None, pa.int32())
_UNUSABLE = (CatalogStatus.DAMAGED, CatalogStatus.UNREADABLE)


def common_rows(members: pa.Table, table: RollupTable) -> tuple[list[Row], Groups]:
    """Return what every rollup says of its entities, and their distinct instances.

    Parameters
    ----------
    members
        Of entities of one prefix, as :func:`~dicom_assets.pipeline.rollup.due.members_of` orders them.
    table
        The rollup.

    Returns
    -------
    One row an entity, in the order of the members; and of the members the first of each SOP Instance UID, with those
    that have none.

    """
    groups = Groups(members, table.key)
    instances = groups.first_of_each(_INSTANCE)
    named = zip(_prefixes(groups), groups.keys, strict=True)
    rows: list[Row] = [{PARTITION: prefix, table.key: key} for prefix, key in named]
    _agree(rows, groups, table)
    columns = {
        "files": groups.sizes.tolist(),
        "instances": instances.sizes.tolist(),
        "frames": instances.sums(_frames(instances.rows)),
        "bytes": groups.sums(members["size"]),
    }
    for name, counts in columns.items():
        for row, count in zip(rows, counts, strict=True):
            row[name] = count
    for row, statuses in zip(rows, groups.counts("status"), strict=True):
        row["statuses"] = as_counts(statuses)
        row["status"], row["error"] = _state(row, statuses, table)
    return rows, instances


def study_rows(members: pa.Table, table: RollupTable) -> list[Row]:
    """Return the rows of studies."""
    rows, instances = common_rows(members, table)
    groups = Groups(members, table.key)
    series, modalities = groups.values("SeriesInstanceUID"), instances.values("Modality")
    for row, uids, kinds in zip(rows, series, modalities, strict=True):
        row |= {"series": len(uids), "modalities": kinds}
    return rows


def number_columns(members: pa.Table, instances: pa.Table) -> Row:
    """Return what the numbers and encodings of the members of one series say.

    Parameters
    ----------
    members
        All of them.
    instances
        Those that repeat no other.

    """
    syntaxes = pc.value_counts(members["TransferSyntaxUID"].drop_null().combine_chunks()).to_pylist()
    numbers = np.unique(instances["InstanceNumber"].drop_null().to_numpy())
    first, last = (int(numbers[0]), int(numbers[-1])) if len(numbers) else (None, None)
    return {
        "transfer_syntaxes": as_counts({entry["values"]: entry["counts"] for entry in syntaxes}),
        "first_instance_number": first,
        "last_instance_number": last,
        "missing_instance_numbers": _missing(numbers.astype(np.int64)),
    }


def _missing(numbers: np.ndarray[Any, np.dtype[np.int64]]) -> list[int] | None:
    """Return the whole numbers between the first and the last that are not there, ``None`` where they are too many."""
    if not len(numbers) or numbers[-1] - numbers[0] + 1 - len(numbers) > _MOST_MISSING:
        return [] if not len(numbers) else None
    every = np.arange(numbers[0], numbers[-1] + 1)
    missing: list[int] = np.setdiff1d(every, numbers, assume_unique=True).tolist()
    return missing


def _prefixes(groups: Groups) -> list[str]:
    found: list[str] = groups.rows[PARTITION].take(pa.array(groups.starts)).to_pylist()
    return found


def _agree(rows: Sequence[Row], groups: Groups, table: RollupTable) -> None:
    """Set the attributes, and which of them have several values; one that a member lacks does not disagree."""
    for row in rows:
        row["disagreements"] = []
    for name in table.attributes:
        for row, values in zip(rows, groups.values(name), strict=True):
            row[name] = values[0] if len(values) == 1 else None
            if len(values) > 1:
                row["disagreements"].append(name)


def _frames(instances: pa.Table) -> pa.ChunkedArray:
    """Return how many frames each instance has: as stated, else one where there are pixels to describe."""
    stated = pc.if_else(pc.greater(instances["NumberOfFrames"], 0), instances["NumberOfFrames"], _NO_NUMBER)
    one = pc.cast(pc.is_valid(instances["Rows"]), pa.int32())
    return pc.if_else(pc.is_valid(instances["Rows"]), pc.coalesce(stated, one), 0)


def _state(row: Mapping[str, Any], statuses: Mapping[str, int], table: RollupTable) -> tuple[str, str | None]:
    """Return the status of a row and its reason."""
    files = row["files"]
    if waiting := statuses.get(CatalogStatus.PENDING, 0):
        return RollupStatus.PENDING, f"{waiting} of {files} files wait for a run"
    if broken := sum(statuses.get(status, 0) for status in _UNUSABLE):
        return RollupStatus.DAMAGED, f"{broken} of {files} files are damaged or could not be read"
    wrong = [name for name in row["disagreements"] if name not in table.may_differ]
    if wrong:
        return RollupStatus.ISSUES, f"the files disagree about {', '.join(wrong)}"
    if copies := files - row["instances"]:
        return RollupStatus.ISSUES, f"{copies} of {files} files repeat an instance"
    if issues := statuses.get(CatalogStatus.ISSUES, 0):
        return RollupStatus.ISSUES, f"{issues} of {files} files have issues"
    return RollupStatus.OK, None
