"""The thumbnails of a catalog as one HTML page that needs nothing else: no server, no network, no other file.

Carries no names of persons and no dates, neither on cards nor in the headers that these open, and only images that may
be shown unasked (:mod:`dicom_assets.dicom.showable`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dicom_assets.extract.status import CatalogStatus
from dicom_assets.query.database import Catalog
from dicom_assets.query.errors import OutputError
from dicom_assets.query.gallery_cards import Card, groups
from dicom_assets.query.pages import template
from dicom_assets.query.sql_text import literal

DEFAULT_TITLE = "DICOM catalog"
DEFAULT_LIMIT = 500
"""Cards on a page: a few megabytes, which a browser shows without effort."""

_MOST_HEADERS = 1_000
"""Cards that open their header: beyond, the page would be too large to open."""

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
SELECT relative_path, size, Modality, TransferSyntaxUID, "Rows", "Columns", NumberOfFrames, PatientID,
       StudyInstanceUID, StudyDescription, SeriesInstanceUID, SeriesDescription, SeriesNumber, InstanceNumber,
       BurnedInAnnotation, status, header_status, thumbnail_media_type, thumbnail, header
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
    series = groups(_cards(catalog, where, limit))
    cards = [card for group in series for card in group.cards]
    html = template("gallery.html.jinja")
    try:
        with output.open("w", encoding="utf-8") as page:
            page.writelines(
                html.generate(
                    title=title,
                    files=files,
                    shown=len(cards),
                    groups=series,
                    headers=[card.header for card in cards[:_MOST_HEADERS]],
                    **_choices(cards),
                )
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


def _choices(cards: Sequence[Card]) -> dict[str, list[str]]:
    """Return what the page can be filtered by: the modalities and states that are on it."""
    present = {card.status for card in cards}
    return {
        "modalities": sorted({card.modality for card in cards}),
        "statuses": [status for status in CatalogStatus if status in present],
    }
