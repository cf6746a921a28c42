"""References to instances that no file of the catalog is."""

from collections import Counter

import pyarrow as pa

from dicom_assets.checks.answer import answer
from dicom_assets.checks.check import Measured, Scope
from dicom_assets.checks.statements import dangling_references, within
from dicom_assets.tables import Table

_REFERENCES = "references"


def measure_dangling(table: Table, scope: Scope) -> Measured:
    """Count the references of a scope to instances that are in no prefix of the catalog.

    Most prefixes have no object that refers to others: then the UIDs of the catalog are not read.

    Parameters
    ----------
    table
        Has the column ``references``.
    scope
        Where the objects are that refer to others.

    """
    location = scope.lake.location(table)
    if _REFERENCES not in pa.schema(location.open().schema().to_arrow()).names:
        return Measured(None)  # a table of an earlier release, as another check says
    ((looked_at,),) = answer(
        f'SELECT count(*) FROM (SELECT unnest("{_REFERENCES}") AS r FROM {table.name} WHERE {within(scope)}) '  # noqa: S608
        "WHERE r.level = 'instance'",
        scope,
    )
    if not looked_at:
        return Measured(0, 0)
    kinds: Counter[str] = Counter()
    prefixes: set[str] = set()
    query = f"SELECT Modality, prefix, count(*) FROM ({dangling_references(scope)}) GROUP BY ALL"  # noqa: S608
    for modality, prefix, count in answer(query, scope):
        kinds[modality or "without a modality"] += count
        prefixes.add(prefix)
    return Measured(kinds.total(), looked_at, dict(sorted(kinds.items())), sorted(prefixes))
