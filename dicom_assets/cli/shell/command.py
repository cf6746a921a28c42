"""The command: where queries come from, and what the shell may do."""

import sys
from typing import Annotated

import typer

from dicom_assets.cli.errors import clear_errors, tell
from dicom_assets.cli.options import AllowFiles, LakeOption, Schema, Unsafe
from dicom_assets.cli.script import STDIN, read_text
from dicom_assets.cli.shell.errors import LeaveShell
from dicom_assets.cli.shell.session import Session
from dicom_assets.errors import DicomAssetsError
from dicom_assets.query.engine import EngineOptions, Interrupt
from dicom_assets.query.opening import open_catalog


def shell(
    lake: LakeOption,
    schema: Schema = "dicom",
    file: Annotated[
        str | None, typer.Option("-f", "--file", metavar="SCRIPT", help="Run the queries and commands of this file.")
    ] = None,
    allow_files: AllowFiles = None,
    unsafe: Unsafe = False,
) -> None:
    """Query the tables, one query after the other: with a history, completion by Tab, and .help for commands.

    What comes from a file or through a pipe is carried out up to the first query that fails; the command exits with 1
    then, or with 2 where that was the first.
    """
    interrupt = Interrupt()
    with clear_errors():
        engine = EngineOptions(allow_files=tuple(allow_files or ()), unsafe=unsafe, interrupt=interrupt)
        session = Session(open_catalog(lake, schema, engine=engine))
        session.catalog.tables()  # a lake that is not there is no lake to talk about
        if file is None and sys.stdin.isatty():
            from dicom_assets.cli.shell.prompt import converse

            converse(session, interrupt)
            return
        _run_script(session, read_text(file or STDIN))


def _run_script(session: Session, text: str) -> None:
    """Carry out a text."""
    try:
        session.run(text)
    except LeaveShell:
        return
    except DicomAssetsError as error:
        if not session.answered:
            raise
        tell(f"Error: {error}")
        raise typer.Exit(1) from error
