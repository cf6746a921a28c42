r"""Words for SQL: ``dicom(header, 'PatientWeight')`` and its sisters, as macros of the engine.

A macro is text to DuckDB: it stands in any clause of any statement, and what runs is what its body says, over whole
columns. The body would have to know every attribute; instead, each query gets macros for the words that stand in it::

    dicom(header, attribute) := CASE WHEN attribute IN ('PatientWeight', 'ImageType', ...)
        THEN <expression of (CASE attribute WHEN 'PatientWeight' THEN '$.dataset.00101030.Value[*]' WHEN ... END)> ...

Attributes are constants, so that the planner leaves of this one expression with one path. DuckDB binds the whole body
at each call, hence one branch for all attributes that are read alike. They are found among the tokens of a query,
as DuckDB's own lexer reads them, which works for statements that have no syntax tree to show (``EXPLAIN``, ``PIVOT``,
``COPY``); and words that do not exist are told before anything runs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import duckdb

from dicom_assets.dicom.header.attribute_path import AttributePathError, Step, parse_attribute_path
from dicom_assets.query.errors import QueryError
from dicom_assets.query.json_values import (
    Place,
    all_values,
    as_json,
    date,
    first_text,
    joined,
    number,
    place_of_array,
    place_of_first,
    place_of_values,
    texts,
)
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
    place
        From the name of the header and the steps to an attribute to where its values are.
    expression
        From such a place, and SQL of the path in it, to SQL.
    of_items
        Whether it may be asked for a whole sequence.

    """

    name: str
    description: str
    type: str
    place: Callable[[str, Sequence[Step]], Place]
    expression: Callable[[Place, str], str]
    of_items: bool = False


WORDS: Mapping[str, Word] = {
    word.name: word
    for word in (
        Word(
            "dicom",
            r"Text: several values with `\` between them, a person's name with `=` between its groups.",
            "VARCHAR",
            place_of_values,
            lambda place, path: joined(all_values(place, path)),
        ),
        Word(
            "dicom_number",
            "The first value as a number; null where it is none.",
            "DOUBLE",
            place_of_first,
            lambda place, path: number(first_text(place, path)),
        ),
        Word(
            "dicom_date",
            "The first value as a date, of a DT its date; null where it is none.",
            "DATE",
            place_of_first,
            lambda place, path: date(first_text(place, path)),
        ),
        Word(
            "dicom_list",
            "All values as a list of texts.",
            "VARCHAR[]",
            place_of_values,
            lambda place, path: texts(all_values(place, path)),
        ),
        Word(
            "dicom_numbers",
            "All values as a list of numbers, with null for those that are none.",
            "DOUBLE[]",
            place_of_values,
            lambda place, path: f"list_transform({texts(all_values(place, path))}, lambda n: {number('n')})",
        ),
        Word(
            "dicom_json",
            "The values as JSON: also the items of a sequence.",
            "JSON",
            place_of_array,
            as_json,
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
    branches = " ".join(
        f"WHEN attribute IN ({', '.join(map(literal, paths))}) THEN {word.expression(place, _path(paths))}"
        for place, paths in _read_alike(word, attributes)
    )
    # For calls that were not found, in query('...'). It fails as a cast, because error() is volatile to DuckDB, and
    # volatile expressions are refused in windows.
    otherwise = f"CAST(CAST({literal(_REFUSAL.format(name=word.name))} AS INTEGER) AS {word.type})"
    return f"CREATE TEMP MACRO {word.name}({_HEADER}, attribute) AS CASE {branches} ELSE {otherwise} END"


def _read_alike(word: Word, attributes: Iterable[str]) -> Iterable[tuple[Place, Mapping[str, str]]]:
    """Return the paths of attributes, in groups that have one expression but for the path, each with one of its places.

    The type of an extraction is bound by its path: a list where that is to many values.
    """
    groups: dict[tuple[str, bool, str | None], tuple[Place, dict[str, str]]] = {}
    for attribute in attributes:
        place = _place(word, attribute)
        _, paths = groups.setdefault((place.source, place.has_many, place.rest), (place, {}))
        paths[attribute] = place.path
    return groups.values()


def _path(paths: Mapping[str, str]) -> str:
    """Return SQL for the path of an attribute: a constant, and one of these for other attributes, for it is bound."""
    cases = [f"WHEN {literal(attribute)} THEN {literal(path)}" for attribute, path in paths.items()]
    fallback = literal(next(iter(paths.values())))
    return f"CASE attribute {' '.join(cases)} ELSE {fallback} END"


def _place(word: Word, attribute: str) -> Place:
    """Return where the values of an attribute are; raises :class:`QueryError`."""
    try:
        return word.place(_HEADER, _steps(word, attribute))
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
