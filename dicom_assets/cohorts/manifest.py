"""The members of a cohort as a list in a file, CSV, JSON or Parquet by its suffix."""

from pathlib import Path

import duckdb
import pyarrow as pa

from dicom_assets.query.formats import Format, choose_format, write

FILE = "file"
"""Column of a manifest of an export: path below its folder."""


def write_manifest(rows: pa.Table, output: Path | None, form: Format | None = None) -> int:
    """Write rows and return how many; the file appears when it is complete.

    Parameters
    ----------
    rows
        Members; where they have a column :data:`FILE`, it comes first.
    output
        The file, ``None`` for standard output.
    form
        Its format; by default as its name says.

    Raises
    ------
    OutputError
        The file cannot be written, or its suffix stands for no format.

    """
    names = sorted(rows.column_names, key=lambda name: name != FILE)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return write(connection.from_arrow(rows.select(names)), choose_format(form, output), output)
