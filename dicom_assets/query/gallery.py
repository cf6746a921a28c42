"""The thumbnails of a catalog as one HTML page that needs nothing else: no server, no network, no other file.

Carries no names and no dates of patients, and only images that may be shown unasked
(:mod:`dicom_assets.dicom.showable`).
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from dicom_assets.dicom.showable import may_be_shown
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.query.database import Catalog
from dicom_assets.query.errors import OutputError
from dicom_assets.query.labels import file_size, transfer_syntax_name
from dicom_assets.query.pages import template
from dicom_assets.query.sql_text import literal

DEFAULT_TITLE = "DICOM catalog"
DEFAULT_LIMIT = 500
"""Cards on a page: a few megabytes, which a browser shows without effort."""

_MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})

_COUNT = """
SELECT count(*)
FROM object_catalog
WHERE (
{where}
)
"""
# Two queries: the first looks at every row but reads no thumbnail, the second reads the chosen rows only.
# Of a series the middle comes first, then its neighbours: the first slices of a scan show the air beside the patient.
_CHOICE = """
WITH chosen AS (
  SELECT prefix, path, relative_path, coalesce(thumbnail_status, '') <> 'ok' AS without_image,
         coalesce(SeriesInstanceUID, path) AS series,
         row_number() OVER (slices ORDER BY InstanceNumber, path) AS place,
         count(*) OVER slices AS slices
  FROM object_catalog
  WHERE (
{where}
  )
  WINDOW slices AS (PARTITION BY series, without_image)
)
SELECT prefix, path
FROM chosen
ORDER BY without_image,
         row_number() OVER (PARTITION BY series, without_image ORDER BY abs(place - (slices + 1) // 2), place DESC),
         relative_path
LIMIT {limit}
"""
_ROWS = """
SELECT relative_path, size, Modality, TransferSyntaxUID, "Rows", "Columns", NumberOfFrames, SeriesInstanceUID,
       SeriesNumber, InstanceNumber, BurnedInAnnotation, status, header_status,
       thumbnail_media_type, thumbnail
FROM object_catalog
WHERE prefix IN ({prefixes}) AND path IN ({paths})
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """How many files are on a page, and how many there are to choose from."""

    shown: int
    files: int

    def __str__(self) -> str:
        files = f"{self.files:,} {'file' if self.files == 1 else 'files'}"
        return files if self.shown == self.files else f"{self.shown:,} of {files}"


@dataclass(frozen=True)
class Card:
    """One file on the page, from its row of ``object_catalog``."""

    row: dict[str, Any]

    @property
    def path(self) -> PurePosixPath:
        """Path below the root of the archive."""
        return PurePosixPath(self.row["relative_path"])

    @property
    def folder(self) -> str:
        """Folder below the root of the archive."""
        return str(self.path.parent)

    @property
    def order(self) -> tuple[Any, ...]:
        """Place on the page: by folder, images first, by modality, then as a viewer orders the images of a series."""
        row = self.row
        numbers = (row["SeriesNumber"] or 0, row["SeriesInstanceUID"] or "", row["InstanceNumber"] or 0)
        return (self.folder, row["thumbnail"] is None, self.modality, *numbers, self.path.name)

    @property
    def modality(self) -> str:
        """Modality, or that there is none."""
        return self.row["Modality"] or "no modality"

    @property
    def transfer_syntax(self) -> str:
        """Name of the transfer syntax."""
        return transfer_syntax_name(self.row["TransferSyntaxUID"]) or ""

    @property
    def size(self) -> str:
        """Length of the file."""
        return file_size(self.row["size"] or 0)

    @property
    def dimensions(self) -> str:
        """Columns by rows, and frames when there are several."""
        row = self.row
        if not (row["Rows"] and row["Columns"]):
            return ""
        frames = row["NumberOfFrames"] or 1
        sizes = (row["Columns"], row["Rows"], *((frames,) if frames > 1 else ()))
        return " \N{MULTIPLICATION SIGN} ".join(map(str, sizes))

    @property
    def status(self) -> CatalogStatus:
        """What can be done with the file."""
        return CatalogStatus(self.row["status"])

    @property
    def has_image(self) -> bool:
        """Whether there is a thumbnail that a browser can show."""
        return self.row["thumbnail"] is not None and self.row["thumbnail_media_type"] in _MEDIA_TYPES

    @property
    def image(self) -> str | None:
        """The thumbnail as a data URI, ``None`` when there is none or it may not be shown."""
        row = self.row
        if not (self.has_image and may_be_shown(row["BurnedInAnnotation"], row["header_status"])):
            return None
        return f"data:{row['thumbnail_media_type']};base64,{base64.b64encode(row['thumbnail']).decode()}"


def write_gallery(
    catalog: Catalog, output: Path, *, title: str = DEFAULT_TITLE, where: str = "true", limit: int = DEFAULT_LIMIT
) -> Shown:
    """Write the page and return how many files are on it, and of how many.

    Parameters
    ----------
    catalog
        What to show.
    output
        The HTML file.
    title
        Heading of the page.
    where
        Condition in SQL on the columns of ``object_catalog`` that the files meet.
    limit
        The most files that it shows: those with an image come first, one of each series before a second one.

    Raises
    ------
    QueryError
        The condition is no SQL, or names what is not there.
    OutputError
        The file cannot be written.

    """
    (files,) = catalog.sql(_COUNT.format(where=where)).fetchall()[0]
    cards = sorted(_cards(catalog, where, limit), key=lambda card: card.order)
    html = template("gallery.html.jinja")
    try:
        with output.open("w", encoding="utf-8") as page:
            page.writelines(
                html.generate(title=title, files=files, shown=len(cards), groups=_groups(cards), **_choices(cards))
            )
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror}") from error
    return Shown(len(cards), files)


def _cards(catalog: Catalog, where: str, limit: int) -> Iterator[Card]:
    """Yield the files to show: those with an image first, and of every series one before another of the same."""
    chosen = catalog.sql(_CHOICE.format(where=where, limit=int(limit))).fetchall()
    if chosen:
        prefixes, paths = ({literal(value) for value in column} for column in zip(*chosen, strict=True))
        rows = catalog.sql(_ROWS.format(prefixes=", ".join(prefixes), paths=", ".join(paths)))
        yield from map(Card, rows.to_arrow_table().to_pylist())


def _groups(cards: Sequence[Card]) -> list[tuple[str, list[Card]]]:
    """Return the cards of each folder, folders without any image last."""
    groups = [(folder, list(group)) for folder, group in groupby(cards, key=lambda card: card.folder)]
    return sorted(groups, key=lambda group: all(card.image is None for card in group[1]))


def _choices(cards: Sequence[Card]) -> dict[str, list[str]]:
    """Return what the page can be filtered by: the modalities and states that are on it."""
    present = {card.status for card in cards}
    return {
        "modalities": sorted({card.modality for card in cards}),
        "statuses": [status for status in CatalogStatus if status in present],
    }
