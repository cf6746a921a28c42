"""The statements in a text of several, as DuckDB's own tokenizer reads it: a semicolon in a string ends nothing."""

from collections.abc import Iterator

import duckdb

from dicom_assets.query.errors import QueryError


def split(text: str) -> tuple[list[str], str]:
    """Return the statements that a semicolon ends, and what follows the last of them.

    Parameters
    ----------
    text
        SQL, which may be wrong or end in the middle of a string.

    Returns
    -------
    Statements without their semicolons, those that are empty or nothing but comments left out; and the rest, empty
    where it is nothing but comments.

    Raises
    ------
    QueryError
        The text has bytes that are no UTF-8.

    """
    parts = list(_parts(text))
    statements = [part.strip() for part in parts[:-1] if not _is_blank(part)]
    return statements, "" if _is_blank(parts[-1]) else parts[-1]


def statements_of(text: str) -> list[str]:
    """Return all statements of a text; the last may do without its semicolon."""
    statements, rest = split(text)
    return [*statements, rest.strip()] if rest else statements


def _parts(text: str) -> Iterator[str]:
    """Yield what stands before each semicolon, and what stands behind the last."""
    encoded, start = _encoded(text), 0
    for position, kind in duckdb.tokenize(text):
        if kind == duckdb.token_type.operator and encoded[position : position + 1] == b";":
            yield encoded[start:position].decode()
            start = position + 1
    yield encoded[start:].decode()


def _encoded(text: str) -> bytes:
    """Return a text in bytes, which positions of tokens count in."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise QueryError("the query holds bytes that are no UTF-8") from error


def _is_blank(text: str) -> bool:
    return all(kind == duckdb.token_type.comment for _, kind in duckdb.tokenize(text))
