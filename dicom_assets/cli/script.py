"""Queries from a file or a pipe."""

import sys
from pathlib import Path

from dicom_assets.query.errors import CatalogError
from dicom_assets.query.statements import statements_of

STDIN = "-"


class ScriptError(CatalogError):
    """A file of queries cannot be read, or holds none."""


def read_text(file: str) -> str:
    """Return the content of a file, or of standard input where ``-`` stands for it.

    Raises
    ------
    ScriptError
        It cannot be read, or is no text in UTF-8.

    """
    try:
        content = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ScriptError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScriptError(f"{file} is no text in UTF-8") from error


def read_statements(file: str) -> list[str]:
    """Return the statements of a file; raises :class:`ScriptError` where there is none."""
    statements = statements_of(read_text(file))
    if not statements:
        raise ScriptError(f"{file} holds no query")
    return statements
