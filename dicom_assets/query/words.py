r"""Words for SQL: ``dicom(header, 'PatientWeight')`` and its sisters, as macros of the engine.

A macro is text to DuckDB: it stands in any clause of any statement, and what runs is what its body says, over whole
columns. The body would have to know every attribute; instead, each query gets macros for the words that stand in it::

    dicom(header, word) := CASE word WHEN 'PatientWeight' THEN <expression> WHEN ... END

Words are constants, so that the planner leaves of this the one expression. They are found among the tokens of a query,
as DuckDB's own lexer reads them, which works for statements that have no syntax tree to show (``EXPLAIN``, ``PIVOT``,
``COPY``); and words that do not exist are told before anything runs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import duckdb

from dicom_assets.dicom.header.attribute_path import AttributePathError, Step, parse_attribute_path
from dicom_assets.query.errors import QueryError
from dicom_assets.query.json_values import date, first_text, joined, json_of, number, texts, values_of
from dicom_assets.query.sql_text import literal

_HEADER = "header"
_REFUSAL = "{name}() takes a header and the name of an attribute, as a constant text: {name}(header, 'PatientWeight')"
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Word:
    """One of the functions.

    Attributes
    ----------
    name
        As it stands in SQL.
    description
        What it returns, for the documentation.
    type
        In SQL.
    expression
        From the name of the header and the steps to an attribute to SQL.
    of_items
        Whether it may be asked for a whole sequence.

    """

    name: str
    description: str
    type: str
    expression: Callable[[str, Sequence[Step]], str]
    of_items: bool = False


WORDS: Mapping[str, Word] = {
    word.name: word
    for word in (
        Word(
            "dicom",
            r"Text: several values with `\` between them, a person's name with `=` between its groups.",
            "VARCHAR",
            lambda header, steps: joined(values_of(header, steps)),
        ),
        Word(
            "dicom_number",
            "The first value as a number; null where it is none.",
            "DOUBLE",
            lambda header, steps: number(first_text(header, steps)),
        ),
        Word(
            "dicom_date",
            "The first value as a date, of a DT its date; null where it is none.",
            "DATE",
            lambda header, steps: date(first_text(header, steps)),
        ),
        Word(
            "dicom_list",
            "All values as a list of texts.",
            "VARCHAR[]",
            lambda header, steps: texts(values_of(header, steps)),
        ),
        Word(
            "dicom_numbers",
            "All values as a list of numbers, with null for those that are none.",
            "DOUBLE[]",
            lambda header, steps: f"list_transform({texts(values_of(header, steps))}, lambda n: {number('n')})",
        ),
        Word(
            "dicom_json",
            "The values as JSON: also the items of a sequence.",
            "JSON",
            json_of,
            of_items=True,
        ),
    )
}


def define_words(connection: duckdb.DuckDBPyConnection, queries: Iterable[str]) -> None:
    """Give an engine the functions that some queries use.

    Parameters
    ----------
    connection
        The engine.
    queries
        SQL, which may be wrong.

    Raises
    ------
    QueryError
        A word names no attribute, a sequence where values are due, or is no constant.

    """
    used: dict[str, dict[str, None]] = {}
    for query in queries:
        for name, attribute in _calls(query):
            if attribute is None:
                raise QueryError(_REFUSAL.format(name=name))
            used.setdefault(name, {})[attribute] = None
    for name, attributes in used.items():
        connection.execute(_macro(WORDS[name], attributes))


def _macro(word: Word, attributes: Iterable[str]) -> str:
    cases = " ".join(f"WHEN {literal(attribute)} THEN {_expression(word, attribute)}" for attribute in attributes)
    # For calls that were not found, in query('...'). It fails as a cast, because error() is volatile to DuckDB, and
    # volatile expressions are refused in windows.
    otherwise = f"CAST(CAST({literal(_REFUSAL.format(name=word.name))} AS INTEGER) AS {word.type})"
    return f"CREATE TEMP MACRO {word.name}({_HEADER}, attribute) AS CASE attribute {cases} ELSE {otherwise} END"


def _expression(word: Word, attribute: str) -> str:
    """Return SQL for an attribute of the header; raises :class:`QueryError`."""
    try:
        return word.expression(_HEADER, _steps(word, attribute))
    except AttributePathError as error:
        raise QueryError(str(error)) from error


def _steps(word: Word, attribute: str) -> tuple[Step, ...]:
    steps = parse_attribute_path(attribute)
    if steps[-1].vr == "SQ" and not word.of_items:
        raise AttributePathError(
            f"{attribute!a} is a sequence: name an attribute of its items, as in {attribute}[0].CodeValue, or take "
            "all of it with dicom_json()"
        )
    return steps


def _calls(query: str) -> Iterator[tuple[str, str | None]]:
    """Yield each call of a word in a text of SQL: its name, and its attribute where that is a constant."""
    tokens = list(_tokens(query))
    for place, token in enumerate(tokens[:-1]):
        name = token.strip('"').lower()
        if name in WORDS and tokens[place + 1] == "(":
            yield name, _constant(_last_argument(tokens, place + 2))


def _tokens(query: str) -> Iterator[str]:
    """Yield the tokens of a text of SQL without comments."""
    text = query.encode()  # positions count in bytes
    found = [*duckdb.tokenize(query), (len(text), None)]
    for (start, kind), (end, _) in pairwise(found):
        if kind != duckdb.token_type.comment:
            yield text[start:end].decode().strip()


def _last_argument(tokens: Sequence[str], start: int) -> list[str]:
    """Return the tokens of the last argument of a call whose arguments begin at a place."""
    depth, argument = 0, list[str]()
    for piece in tokens[start:]:
        if piece == ")" and depth == 0:
            break
        depth += (piece in _OPENING) - (piece in _CLOSING)
        if piece == "," and depth == 0:
            argument = []
        else:
            argument.append(piece)
    return argument


def _constant(argument: Sequence[str]) -> str | None:
    """Return the text of an argument that is one plain constant."""
    if len(argument) != 1 or not (argument[0].startswith("'") and argument[0].endswith("'") and len(argument[0]) > 1):
        return None
    return argument[0][1:-1].replace("''", "'")
