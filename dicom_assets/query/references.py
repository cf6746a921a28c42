"""The tables and columns that a query refers to, as DuckDB's own parser reads it.

To open a table is to read its log, and to prepare the statistics of a column takes time for every data file. Both are
done only for what a query refers to. A table too many costs time and a table too few is an error, so a query that may
reach tables which it does not name (``SHOW TABLES``, ``query_table(...)``, ``information_schema``) gets all of them.

Why not ``DuckDBPyConnection.get_table_names``: it binds the query, which may read files, and it misses the table in
``WITH t AS (FROM t) FROM t``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import duckdb
import orjson

_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)

_OUR_QUALIFIERS = frozenset({"main", "temp"})
"""What may stand before the name of a registered table."""

# fmt: off
_TABLE_FUNCTIONS = frozenset({
    "generate_series", "glob", "json_each", "json_tree", "parquet_metadata", "parquet_scan", "parquet_schema", "range",
    "read_blob", "read_csv", "read_csv_auto", "read_json", "read_json_auto", "read_ndjson", "read_parquet", "read_text",
    "sniff_csv", "unnest",
})
# fmt: on
"""Table functions that read their arguments alone. Others may look up tables by name, or list them."""


@dataclass(frozen=True, slots=True)
class References:
    """What a query refers to.

    Attributes
    ----------
    tables
        The tables that the query may read, of those that there are.
    mentions
        Whether a column of this name, in any case, may occur in the query. A column that is wrongly left out is read
        all the same, only without skipping data files by its statistics.

    """

    tables: tuple[str, ...]
    mentions: Callable[[str], bool]


def references(connection: duckdb.DuckDBPyConnection, query: str, names: Sequence[str]) -> References:
    """Return what a query refers to, without running or binding it.

    Parameters
    ----------
    connection
        Any; it does not have to know the tables.
    query
        SQL, which may be wrong.
    names
        The tables that there are.

    """
    statements = _parse(connection, query)
    if statements is None:
        return _search(query, names)
    walk = _Walk({fold(name) for name in names})
    try:
        walk.follow(statements)
    except (KeyError, TypeError):  # a version of DuckDB that serializes otherwise
        return _search(query, names)
    if walk.reaches_all:
        return References(tuple(names), _search(query, names).mentions)
    return References(
        tuple(name for name in names if fold(name) in walk.tables), lambda column: fold(column) in walk.columns
    )


def _parse(connection: duckdb.DuckDBPyConnection, query: str) -> list[Any] | None:
    """Return the syntax trees of a query, ``None`` where DuckDB has none to show: for all but SELECT statements.

    ``DESCRIBE`` and ``SUMMARIZE`` are SELECT statements to it; ``EXPLAIN`` and ``PIVOT`` are not.
    """
    try:
        ((serialized,),) = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchall()
        tree = orjson.loads(serialized)
    except (duckdb.Error, orjson.JSONDecodeError):  # the latter for expressions nested a thousand deep
        return None
    return None if tree["error"] else tree["statements"]


def _search(query: str, names: Sequence[str]) -> References:
    """Return the names that occur anywhere in the text of a query; all tables when none does."""
    text = query.casefold()

    def occurs(name: str) -> bool:
        spelled = name.casefold()
        return any(form in text for form in (spelled, spelled.replace('"', '""'), spelled.replace("'", "''")))

    return References(tuple(filter(occurs, names)) or tuple(names), occurs)


def fold(name: str) -> str:
    """Return a name as DuckDB compares it: without case, in ASCII only."""
    return name.translate(_ASCII_LOWER)


@dataclass(slots=True)
class _Walk:
    """A walk over syntax trees that gathers names, all folded.

    Attributes
    ----------
    known
        The tables that there are.
    tables, columns
        Names found so far; of tables only known ones.
    reaches_all
        Whether the query may reach tables that it does not name.

    """

    known: set[str]
    tables: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)
    reaches_all: bool = False

    def follow(self, tree: Any) -> None:
        """Visit all nodes of a tree, each with the names that common table expressions hide from it."""
        pending: list[tuple[Any, frozenset[str]]] = [(tree, frozenset())]
        while pending:  # no recursion: expressions may be nested deeper than Python's stack
            node, hidden = pending.pop()
            if isinstance(node, list):
                pending.extend((child, hidden) for child in node)
            elif isinstance(node, dict):
                # Each expression sees those before it and not itself: `WITH t AS (FROM t) FROM t` reads the table t.
                for expression in (node.get("cte_map") or {}).get("map", ()):
                    pending.append((expression["value"], hidden))
                    hidden |= {fold(expression["key"])}
                self._visit(node, hidden)
                own = {fold(node["cte_name"])} if node.get("type") == "RECURSIVE_CTE_NODE" else set()
                for key, child in node.items():
                    if key != "cte_map":  # and the second half of a recursive expression does see itself
                        pending.append((child, hidden | own if key == "right" else hidden))

    def _visit(self, node: dict[str, Any], hidden: frozenset[str]) -> None:
        match node.get("type"):
            case "COLUMN_REF":
                self._add_columns(node["column_names"])  # with its qualifiers, and the fields of a struct
            case "JOIN":
                self._add_columns(node.get("using_columns", ()))
            case "BASE_TABLE":
                self._add_table(node["qualified_name"]["path"], hidden)
            case "TABLE_FUNCTION":
                self.reaches_all |= fold(node["function"]["function_name"]) not in _TABLE_FUNCTIONS
            case "SHOW_REF":
                self.reaches_all |= not node.get("query")  # SHOW TABLES, SHOW ALL TABLES, SHOW t

    def _add_columns(self, names: Iterable[str]) -> None:
        self.columns.update(map(fold, names))

    def _add_table(self, path: Sequence[str], hidden: frozenset[str]) -> None:
        *qualifiers, name = map(fold, path)
        if name in self.known and _OUR_QUALIFIERS.issuperset(qualifiers):
            if qualifiers or name not in hidden:
                self.tables.add(name)
        elif qualifiers or (name not in hidden and "." not in name):
            # Neither of the lake, nor of the query, nor a file: a view of the system, such as `duckdb_tables`.
            self.reaches_all = True
