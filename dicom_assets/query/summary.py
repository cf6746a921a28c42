"""Counts of what a catalog holds, for the end of a command."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query.database import Catalog
from dicom_assets.query.labels import transfer_syntax_name
from dicom_assets.query.sql_text import identifier


@dataclass(frozen=True, slots=True)
class Count:
    """Number of files that share a value; the value is ``None`` where the column is null."""

    value: str | None
    files: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over ``object_catalog``, each in descending order.

    Attributes
    ----------
    files
        Number of rows.
    metadata_status, header_status, thumbnail_status
        By how the first bytes were read, how the header was read, how the thumbnail was made.
    modality
        DICOM files by ``Modality``.
    transfer_syntax
        DICOM files by the name of their transfer syntax.

    """

    files: int
    metadata_status: tuple[Count, ...]
    header_status: tuple[Count, ...]
    thumbnail_status: tuple[Count, ...]
    modality: tuple[Count, ...]
    transfer_syntax: tuple[Count, ...]


_CONDITIONS = {
    "metadata_status": "true",
    "header_status": "true",
    "thumbnail_status": "true",
    "Modality": "is_dicom",
    "TransferSyntaxUID": "is_dicom",
}


def summarize(catalog: Catalog) -> Summary:
    """Count the files of a catalog; raises :class:`CatalogError` when it cannot be read."""
    counts = _count_all(catalog, _CONDITIONS)
    return Summary(
        files=sum(count.files for count in counts["header_status"]),
        metadata_status=counts["metadata_status"],
        header_status=counts["header_status"],
        thumbnail_status=counts["thumbnail_status"],
        modality=counts["Modality"],
        transfer_syntax=tuple(
            Count(transfer_syntax_name(count.value), count.files) for count in counts["TransferSyntaxUID"]
        ),
    )


def _count_all(catalog: Catalog, conditions: Mapping[str, str]) -> dict[str, tuple[Count, ...]]:
    """Count by several columns in one pass: of a large catalog, a pass for each would open all data files each time."""
    names = [OBJECT_CATALOG[column].name for column in conditions]
    tests = list(dict.fromkeys(conditions.values()))
    asked = ", ".join([*map(identifier, names), *(f"({test})" for test in tests), "count(*)"])
    found: dict[str, Counter[str | None]] = {name: Counter() for name in names}
    for row in catalog.sql(f"SELECT {asked} FROM {OBJECT_CATALOG.name} GROUP BY ALL").fetchall():  # noqa: S608 - ours
        values, files = row[: len(names)], row[-1]
        met = dict(zip(tests, row[len(names) : -1], strict=True))
        for name, value, test in zip(names, values, conditions.values(), strict=True):
            if met[test]:
                found[name][value] += files
    return {
        name: tuple(sorted((Count(value, files) for value, files in counts.items()), key=_order))
        for name, counts in found.items()
    }


def _order(count: Count) -> tuple[int, bool, str]:
    return (-count.files, count.value is None, count.value or "")
