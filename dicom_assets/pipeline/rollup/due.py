"""Which rows are due: every entity with a digest of its members, which changes when any of them does.

A member counts by its path below the root of the archive, its fingerprint and the version of its catalog row, so that
nothing is due after a move of the archive. Columns of one's own do not count: no rollup is made of them.
"""

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.extract.headers import without_own_columns
from dicom_assets.extract.rollups import RollupTable
from dicom_assets.pipeline.columns import join_text
from dicom_assets.tables import PARTITION

VERSION_OF = ("relative_path", "fingerprint", "extractor_version")
"""Columns of ``object_catalog`` that tell the version of a member."""
MEMBER = (*VERSION_OF, "removed_at")
"""Columns of it that are needed to tell what is due, besides the UID of the entity."""

_DIGEST_BYTES = 16
_ROWS_AT_ONCE = 1 << 16
_END = "\0"
"""Of each part of a version: no path, and no tag of a version, holds it."""


def members_of(catalog: pa.Table, key: str) -> pa.Table:
    """Return the members of all entities, those of one after another, in the order of their paths.

    Parameters
    ----------
    catalog
        Rows of ``object_catalog``: ``prefix``, the key, :data:`MEMBER`, and any others.
    key
        Name of the column with the UID of the entity.

    """
    there = pc.and_(pc.is_null(catalog["removed_at"]), pc.is_valid(catalog[key]))
    order = [(name, "ascending") for name in (PARTITION, key, "relative_path")]
    return catalog.filter(there).sort_by(order)


def due_rows(members: pa.Table, table: RollupTable) -> pa.Table:
    """Return the rows that are due.

    Parameters
    ----------
    members
        As :func:`members_of` returns them.
    table
        The rollup.

    Returns
    -------
    Columns ``prefix``, the key, ``extractor_version`` and ``files``, one row an entity, in the order of the members.

    """
    starts = starts_of(members, PARTITION, table.key)
    first = members.select([PARTITION, table.key]).take(pa.array(starts))
    ends = np.append(starts[1:], members.num_rows)
    versions = [f"{table.version} {digest}" for digest in _digests(members, ends)]
    return first.append_column("extractor_version", pa.array(versions, pa.string())).append_column(
        "files", pa.array(ends - starts, pa.int64())
    )


def starts_of(rows: pa.Table, *columns: str) -> npt.NDArray[np.int64]:
    """Return the places where the value of some text columns changes, the first row included; shape ``(groups,)``."""
    if not rows.num_rows:
        return np.zeros(0, np.int64)
    changes = np.zeros(rows.num_rows - 1, bool)
    for name in columns:
        values = rows[name].combine_chunks()
        changes |= pc.not_equal(values.slice(1), values.slice(0, len(values) - 1)).to_numpy(zero_copy_only=False)
    return np.append(0, np.flatnonzero(changes) + 1).astype(np.int64)


def _digests(members: pa.Table, ends: npt.NDArray[np.int64]) -> Iterator[str]:
    """Yield a digest of the versions of each entity's members; Python is called per entity, not per member."""
    hasher = blake2b(digest_size=_DIGEST_BYTES)
    for start in range(0, members.num_rows, _ROWS_AT_ONCE):
        text, offsets = _versions(members.slice(start, _ROWS_AT_ONCE))
        rows, place = len(offsets) - 1, 0
        for end in ends[np.searchsorted(ends, start, "right") : np.searchsorted(ends, start + rows, "right")] - start:
            hasher.update(text[offsets[place] : offsets[end]])
            yield hasher.hexdigest()
            hasher, place = blake2b(digest_size=_DIGEST_BYTES), end
        hasher.update(text[offsets[place] : offsets[rows]])


def _versions(members: pa.Table) -> tuple[memoryview, npt.NDArray[np.int64]]:
    """Return the versions of members as one text, and where each begins: shape ``(members + 1,)``."""
    path, fingerprint, version = (pc.fill_null(members[name], "") for name in VERSION_OF)
    parts = path, fingerprint, without_own_columns(version)
    lines = pa.concat_arrays([join_text(*parts, _LAST, separator=_END).cast(pa.large_string())])
    _, offsets, text = lines.buffers()
    return memoryview(text or b""), np.frombuffer(offsets, np.int64)[: len(lines) + 1]


_LAST = ""
"""Joined behind the parts of a version, so that the last of them ends like the others."""
