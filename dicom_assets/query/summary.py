"""Counts of what a catalog holds, for the end of a command."""

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
    header_status, thumbnail_status
        By how the header was read, by how the thumbnail was made.
    modality
        DICOM files by ``Modality``.
    transfer_syntax
        DICOM files by the name of their transfer syntax.

    """

    files: int
    header_status: tuple[Count, ...]
    thumbnail_status: tuple[Count, ...]
    modality: tuple[Count, ...]
    transfer_syntax: tuple[Count, ...]


def summarize(catalog: Catalog) -> Summary:
    """Count the files of a catalog; raises :class:`CatalogError` when it cannot be read."""
    header_status = count_by(catalog, "header_status")
    transfer_syntax = count_by(catalog, "TransferSyntaxUID", "is_dicom")
    return Summary(
        files=sum(count.files for count in header_status),
        header_status=header_status,
        thumbnail_status=count_by(catalog, "thumbnail_status"),
        modality=count_by(catalog, "Modality", "is_dicom"),
        transfer_syntax=tuple(Count(transfer_syntax_name(count.value), count.files) for count in transfer_syntax),
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
    name = OBJECT_CATALOG[column].name
    query = (
        f'SELECT "{name}", count(*) FROM {OBJECT_CATALOG.name} WHERE {condition} '  # noqa: S608 - our own names
        "GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return tuple(Count(value, files) for value, files in catalog.sql(query).fetchall())
