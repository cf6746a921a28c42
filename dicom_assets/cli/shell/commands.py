"""The dot commands of the shell, by the names that DuckDB and SQLite gave them."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_assets.cli.script import read_text
from dicom_assets.cli.shell.errors import LeaveShell, ShellError
from dicom_assets.query.formats import Format
from dicom_assets.query.visible import visible
from dicom_assets.query.vocabulary import quoted

if TYPE_CHECKING:
    from dicom_assets.cli.shell.session import Session

MODES = (Format.TABLE, Format.CSV, Format.JSON)
_ON_OFF = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class Command:
    """One dot command.

    Attributes
    ----------
    usage
        What it takes.
    help
        One sentence.
    run
        What it does, with what was typed behind its name.

    """

    usage: str
    help: str
    run: Callable[["Session", str], None]


def carry_out(session: "Session", line: str) -> None:
    """Carry out a dot command; raises :class:`ShellError` for one that there is not."""
    name, _, argument = line.rstrip("; \t").partition(" ")
    command = COMMANDS.get(name)
    if command is None:
        raise ShellError(f"there is no command {name}; .help lists those that there are")
    command.run(session, argument.strip())


def _help(_: "Session", __: str) -> None:
    width = max(len(f"{name} {command.usage}") for name, command in COMMANDS.items())
    for name, command in COMMANDS.items():
        _say(f"{f'{name} {command.usage}':{width}}  {command.help}")
    _say("A query ends with a semicolon. Tab completes tables, columns and DICOM keywords; Ctrl-C ends a query.")


def _set_mode(session: "Session", asked: str) -> None:
    if asked not in MODES:
        raise ShellError(f"the mode is {session.mode}; .mode takes {', '.join(MODES)}")
    session.mode = Format(asked)


def _leave(_: "Session", __: str) -> None:
    raise LeaveShell


def _read(session: "Session", file: str) -> None:
    if not file:
        raise ShellError("name a file: .read FILE")
    with session.nested(file):
        session.run(read_text(file))


def _show_schema(session: "Session", asked: str) -> None:
    names = [asked.strip('"')] if asked else _tables(session)
    for number, name in enumerate(names):
        result = session.catalog.sql(f"SELECT * FROM {quoted(name)} LIMIT 0")  # noqa: S608 - quoted
        width = max(map(len, result.columns))
        if not asked:
            _say(f"\n{name}" if number else name)
        for column, type_ in zip(result.columns, result.types, strict=True):
            _say(f"{'' if asked else '  '}{column:{width}}  {type_}")


def _show_tables(session: "Session", _: str) -> None:
    for name in _tables(session):
        _say(name)


def _tables(session: "Session") -> list[str]:
    return [row[0] for row in session.catalog.sql("SHOW TABLES").fetchall()]


def _set_timer(session: "Session", asked: str) -> None:
    if asked not in _ON_OFF:
        raise ShellError(f"the timer is {'on' if session.timer else 'off'}; .timer takes on, off")
    session.timer = _ON_OFF[asked]


def _say(line: str) -> None:
    sys.stdout.write(f"{visible(line, chr(10))}\n")
    sys.stdout.flush()


COMMANDS: Mapping[str, Command] = {
    ".help": Command("", "These commands.", _help),
    ".mode": Command("table|csv|json", "How answers are shown.", _set_mode),
    ".quit": Command("", "Leave; so does Ctrl-D.", _leave),
    ".read": Command("FILE", "Run the queries and commands of a file.", _read),
    ".schema": Command("[TABLE]", "Columns and their types, of all tables or one.", _show_schema),
    ".tables": Command("", "Tables and views.", _show_tables),
    ".timer": Command("on|off", "Tell how long each query takes.", _set_timer),
}
