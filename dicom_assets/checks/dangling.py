"""References to instances that no file of the catalog is."""

from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.checks.answer import answer_table
from dicom_assets.checks.check import Measured, Scope
from dicom_assets.checks.statements import instances_among, instances_referred_to
from dicom_assets.delta.newest import newest
from dicom_assets.tables import PARTITION, Table

_REFERENCES = "references"
_LISTED = 1_000
"""UIDs that stand in a query: by so few, data files are passed over that cannot hold them, as their bounds tell."""
_SEARCHED = 2_000
"""Data files of the catalog that a run searches for what is not in its prefixes: some seconds on a disk. What grows
with the archive has no place in a run over some of it."""


def measure_dangling(table: Table, scope: Scope) -> Measured:
    """Count the references of a scope to instances that are in no prefix of the catalog.

    What is referred to is most often of the same patient, so the prefixes of the scope are looked at first. Of the
    catalog beyond them one column is read, where something is still missing. If the catalog is too large for that and
    the scope is not all of it, what is not near is left open: neither found to be missing, nor counted as looked at.

    Parameters
    ----------
    table
        Has the column ``references``.
    scope
        Where the objects are that refer to others.

    """
    location = scope.lake.location(table)
    if _REFERENCES not in pa.schema(newest(location).schema().to_arrow()).names:
        return Measured(None)  # a table of an earlier release, as another check says
    told = answer_table(instances_referred_to(table, scope), scope)
    looked_at = pc.sum(told["times"]).as_py() or 0
    told = _absent(told, table, scope, scope)
    if scope.prefixes is not None and told.num_rows:
        if _is_large(scope):
            looked_at -= pc.sum(told["times"]).as_py()
            told = told.slice(0, 0)
        else:
            told = _absent(told, table, scope, replace(scope, prefixes=None))
    kinds: Counter[str] = Counter()
    for modality, times in zip(told["Modality"].to_pylist(), told["times"].to_pylist(), strict=True):
        kinds[modality or "without a modality"] += times
    prefixes = sorted(pc.unique(told[PARTITION]).to_pylist())
    return Measured(kinds.total(), looked_at, dict(sorted(kinds.items())), prefixes)


def _absent(told: pa.Table, table: Table, scope: Scope, place: Scope) -> pa.Table:
    """Return the references to instances that are not in some place."""
    if not told.num_rows:
        return told
    there = answer_table(instances_among(_missing(told, table, scope), place), scope)
    return told.filter(pc.invert(pc.is_in(told["uid"], there["uid"].combine_chunks())))


def _missing(told: pa.Table, table: Table, scope: Scope) -> list[str] | str:
    """Return the UIDs that are looked for: themselves, or where they are many the query that finds more than them."""
    uids = pc.unique(told["uid"].drop_null())
    return uids.to_pylist() if len(uids) <= _LISTED else instances_referred_to(table, scope)


def _is_large(scope: Scope) -> bool:
    """Return whether the catalog has more data files than a run searches."""
    delta = newest(scope.lake.location(scope.model.catalog))
    return bool(pa.table(delta.get_add_actions()).num_rows > _SEARCHED)
