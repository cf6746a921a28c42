"""``dicom-assets series`` and ``dicom-assets studies``: what an archive holds, above files."""

import shutil
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from dicom_assets.cli.destination import Destination
from dicom_assets.cli.errors import clear_errors
from dicom_assets.cli.options import Json, LakeOption, Limit, OutputFile, Schema, Where
from dicom_assets.query.opening import open_catalog
from dicom_assets.query.row_query import RowQuery

Columns = Annotated[
    str | None,
    typer.Option("--columns", help="Columns, by commas; by default a few in a table, and all in JSON and files."),
]

_OTHERS = 68
"""Characters of the other columns of an overview, as they mostly are."""
_LEAST, _UNCUT = 12, 1000


@dataclass(frozen=True, slots=True)
class Level:
    """A view of groups of files.

    Attributes
    ----------
    view
        Its name.
    overview
        The columns that a terminal has room for, ``{room}`` standing for the characters of a description.
    order
        How people look for them.

    """

    view: str
    overview: str
    order: str

    def query(self, columns: str | None, where: str, limit: int | None, *, is_read: bool) -> str:
        """Return the SQL for some of them; where no columns are named, as many as there is room for."""
        chosen = columns or (self.overview.format(room=_room()) if is_read else "*")
        return RowQuery(self.view, where, chosen, self.order, limit).sql


def _room() -> int:
    """Return how long a description may be for the overview to fit: patients and numbers are never cut."""
    if not sys.stdout.isatty():
        return _UNCUT
    return max(_LEAST, shutil.get_terminal_size().columns - _OTHERS)


def _shortened(column: str) -> str:
    """Return SQL for a text that says by ``…`` that it was cut."""
    return f"CASE WHEN length({column}) > {{room}} THEN left({column}, {{room}} - 1) || '…' ELSE {column} END"


_SERIES = Level(
    "all_series",
    f"PatientID, StudyDate AS date, Modality, {_shortened('SeriesDescription')} AS description, instances, "
    "CASE WHEN is_volume THEN slices || ' x ' || round(slice_spacing, 3) ELSE 'no' END AS volume",
    "PatientID, StudyDate, StudyInstanceUID, SeriesNumber, SeriesInstanceUID",
)
_STUDIES = Level(
    "all_studies",
    f"PatientID, StudyDate AS date, {_shortened('StudyDescription')} AS description, "
    "array_to_string(modalities, ' ') AS modalities, series, instances",
    "PatientID, StudyDate, StudyInstanceUID",
)


def series(
    lake: LakeOption,
    schema: Schema = "dicom",
    where: Where = "true",
    columns: Columns = None,
    limit: Limit = None,
    json: Json = False,
    output: OutputFile = None,
) -> None:
    """List the series: what they are, how large, and whether their images make a volume."""
    with clear_errors():
        destination = Destination.chosen(output, json=json)
        query = _SERIES.query(columns, where, limit, is_read=destination.is_read)
        destination.write(open_catalog(lake, schema).sql(query))


def studies(
    lake: LakeOption,
    schema: Schema = "dicom",
    where: Where = "true",
    columns: Columns = None,
    limit: Limit = None,
    json: Json = False,
    output: OutputFile = None,
) -> None:
    """List the studies: whose they are, of which day, and what is in them."""
    with clear_errors():
        destination = Destination.chosen(output, json=json)
        query = _STUDIES.query(columns, where, limit, is_read=destination.is_read)
        destination.write(open_catalog(lake, schema).sql(query))
