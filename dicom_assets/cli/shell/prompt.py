"""The shell in a terminal: a prompt with a history, lines that go on until a semicolon, and what is said of errors."""

import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from platformdirs import user_state_path
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import ThreadedCompleter
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from dicom_assets.cli.errors import tell
from dicom_assets.cli.shell.completer import QueryCompleter
from dicom_assets.cli.shell.errors import LeaveShell
from dicom_assets.cli.shell.interruption import InterruptedQueryError, interruptible
from dicom_assets.cli.shell.session import Session, is_whole
from dicom_assets.errors import DicomAssetsError
from dicom_assets.query.engine import Interrupt

PROMPT = "dicom> "
_GOES_ON = "   ...> "
_OWNER_ONLY, _FOLDER_OF_OWNER = 0o600, 0o700


class QueryHistory(FileHistory):
    """Queries of earlier shells; a disk that is full costs the history and not the shell."""

    def store_string(self, string: str) -> None:
        """Keep a query."""
        with suppress(OSError):
            super().store_string(string)


def converse(session: Session, interrupt: Interrupt) -> None:
    """Take queries and answer them until the user leaves."""
    prompt: PromptSession[str] = PromptSession(
        PROMPT,
        multiline=Condition(_goes_on),
        prompt_continuation=_GOES_ON,
        history=open_history(user_state_path("dicom-assets") / "history"),
        completer=ThreadedCompleter(QueryCompleter(session.vocabulary)),
        complete_while_typing=False,
    )
    while True:
        try:
            text = prompt.prompt()
        except KeyboardInterrupt:  # what was typed is given up
            continue
        except EOFError:
            return
        try:
            interruptible(partial(session.run, text), interrupt)
        except LeaveShell:
            return
        except (InterruptedQueryError, KeyboardInterrupt):  # the latter just before it begins
            tell("Interrupted.", style="yellow")
        except DicomAssetsError as error:
            tell(f"Error: {error}")
        sys.stdout.flush()


def _goes_on() -> bool:
    """Return whether Enter begins a new line."""
    try:
        return not is_whole(get_app().current_buffer.text)
    except DicomAssetsError:  # running it says what is wrong with it
        return False


def open_history(file: Path) -> History:
    """Return the history in a file that only this user can read: queries name patients.

    Where there can be no file, it lasts as long as the shell.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=_FOLDER_OF_OWNER)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, _OWNER_ONLY))
    except OSError:
        return InMemoryHistory()
    return QueryHistory(str(file))
