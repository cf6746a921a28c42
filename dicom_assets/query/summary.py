"""Counts of what a catalog holds, for the end of a command."""

from collections.abc import Mapping
from dataclasses import dataclass

from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query.database import Catalog
from dicom_assets.query.labels import transfer_syntax_name


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


def count_by(catalog: Catalog, column: str, condition: str = "true") -> tuple[Count, ...]:
    """Count the files of ``object_catalog`` that meet a condition by the values of a column.

    Parameters
    ----------
    catalog
        The catalog.
    column
        Name of a column of ``object_catalog``.
    condition
        SQL.

    """
    return _count_all(catalog, {column: condition})[column]


def _count_all(catalog: Catalog, conditions: Mapping[str, str]) -> dict[str, tuple[Count, ...]]:
    """Count by several columns in one query: each query opens an engine and the table anew."""
    names = [OBJECT_CATALOG[column].name for column in conditions]
    query = " UNION ALL ".join(
        f"SELECT '{name}', \"{name}\", count(*) FROM {OBJECT_CATALOG.name} WHERE {condition} "  # noqa: S608 - ours
        f'GROUP BY "{name}"'
        for name, condition in zip(names, conditions.values(), strict=True)
    )
    found: dict[str, list[Count]] = {name: [] for name in names}
    for name, value, files in catalog.sql(query).fetchall():
        found[name].append(Count(value, files))
    return {name: tuple(sorted(counts, key=_order)) for name, counts in found.items()}


def _order(count: Count) -> tuple[int, bool, str]:
    return (-count.files, count.value is None, count.value or "")
