"""Where the result of a command goes, and in which format."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from dicom_assets.cli.errors import tell
from dicom_assets.query.errors import OutputError
from dicom_assets.query.formats import Format, choose_format, write
from dicom_assets.query.spreadsheet import Spreadsheet
from dicom_assets.query.values import json_default
from dicom_assets.query.visible import visible


@dataclass(frozen=True)
class Destination:
    """Where a result goes.

    Attributes
    ----------
    form
        The format.
    output
        The file, ``None`` for standard output.
    spreadsheet
        What is done about texts that spreadsheets take for formulas.

    """

    form: Format = Format.TABLE
    output: Path | None = None
    spreadsheet: Spreadsheet = field(default_factory=Spreadsheet)

    @classmethod
    def chosen(
        cls, output: Path | None, form: Format | None = None, *, json: bool = False, spreadsheet_safe: bool = False
    ) -> "Destination":
        """Return the destination that options ask for.

        Raises
        ------
        OutputError
            They contradict each other, or the name of the file stands for no format.

        """
        if json and form not in (None, Format.JSON):
            raise OutputError(f"--json and --format {form} ask for different formats")
        chosen = choose_format(Format.JSON if json else form, output)
        return cls(chosen, output, Spreadsheet(safe=spreadsheet_safe))

    @property
    def is_read(self) -> bool:
        """Whether the result is for reading, rather than for programs."""
        return self.form is Format.TABLE

    def write(self, result: duckdb.DuckDBPyRelation | pa.RecordBatchReader) -> int:
        """Write a result and return its number of rows; a note tells of formulas in it.

        Raises
        ------
        QueryError
            The query failed on a value in the tables.
        OutputError
            The file cannot be written.

        """
        before = self.spreadsheet.formulas
        rows = write(result, self.form, self.output, self.spreadsheet)
        formulas = self.spreadsheet.formulas - before
        if formulas and not self.spreadsheet.safe and not (self.output is None and sys.stdout.isatty()):
            note = f"Note: spreadsheets take {formulas} of these cells for formulas"
            tell(f"{note}; --spreadsheet-safe prevents that.", style="yellow")
        return rows


def write_document(told: Any) -> None:
    """Write what tables hold as one JSON document, values as in :attr:`Format.JSON`; visible in a terminal."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
    text = orjson.dumps(told, default=json_default, option=options).decode()
    sys.stdout.write(visible(text, "\n") if sys.stdout.isatty() else text)


def tell_programs(told: Any) -> None:
    """Write what a command did, in JSON; in ASCII, so that it may go to a terminal as well."""
    sys.stdout.write(f"{json.dumps(told, indent=2)}\n")
