"""``dicom-assets series`` and ``dicom-assets studies``: what an archive holds, above files."""

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


@dataclass(frozen=True, slots=True)
class Level:
    """A view of groups of files.

    Attributes
    ----------
    view
        Its name.
    overview
        The columns that a terminal has room for.
    order
        How people look for them.

    """

    view: str
    overview: str
    order: str

    def query(self, columns: str | None, where: str, limit: int | None, *, is_read: bool) -> str:
        """Return the SQL for some of them; where no columns are named, as many as there is room for."""
        chosen = columns or (self.overview if is_read else "*")
        return RowQuery(self.view, where, chosen, self.order, limit).sql


_SERIES = Level(
    "all_series",
    "PatientID, StudyDate AS date, Modality, SeriesNumber AS number, SeriesDescription AS description, "
    "instances, slices, round(slice_spacing, 3) AS spacing, is_volume AS volume",
    "PatientID, StudyDate, StudyInstanceUID, SeriesNumber, SeriesInstanceUID",
)
_STUDIES = Level(
    "all_studies",
    "PatientID, StudyDate AS date, StudyDescription AS description, modalities, series, instances, bytes",
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
