"""The SQL engine behind a catalog: a DuckDB that reads what it is given and nothing else, unless told otherwise.

It is made for queries from people who are not trusted with the machine, such as the visitors of a web page: they reach
no file, no address, no setting and no extension. What is closed, and how, is in ``docs/sql.md``.
"""

import re
import threading
import uuid
import weakref
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dicom_assets.query.errors import CatalogError, QueryError
from dicom_assets.query.sql_text import literal
from dicom_assets.storage.scratch import scratch_folder

_INTERRUPT_AGAIN = 0.05
"""Seconds: an interrupt between two steps of a query has no effect and has to be repeated."""

_EXPLAIN = re.compile(r"\s*EXPLAIN(\s+ANALYZE)?\s+", re.IGNORECASE)
_READING = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.MULTI})
"""Types of statements that may only read. MULTI is a PIVOT, or a COPY of one: it runs a query of its own first."""

_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
}


class Interrupt:
    """Ends queries from another thread, as Ctrl-C does in a shell."""

    def __init__(self) -> None:
        self._sessions: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()

    def watch(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take in a session of an engine, for as long as it is referenced."""
        self._sessions.add(connection)

    def __call__(self) -> None:
        """End what is under way; between two steps of a query that has no effect and has to be repeated."""
        for connection in tuple(self._sessions):
            connection.interrupt()


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What queries may do, and how much of the machine they may use.

    Attributes
    ----------
    allow_files
        Folders, with everything below them, and files that queries may read besides the tables. Links that lead out of
        them are not followed.
    unsafe
        Queries may do all that the user of this process may: read and write files, attach databases, install
        extensions, change settings.
    memory_bytes
        The most memory that queries of this process may use at a time before they spill to disk or fail; by default
        DuckDB's, 80 % of all.
    seconds
        Time from the call until the result is read; a query that takes longer is interrupted. By default without end.
    threads
        Threads of a query, by default one for each core.
    interrupt
        Ends what is under way when it is called from another thread.

    """

    allow_files: tuple[Path, ...] = ()
    unsafe: bool = False
    memory_bytes: int | None = None
    seconds: float | None = None
    threads: int | None = None
    interrupt: Interrupt | None = None


def start(options: EngineOptions) -> duckdb.DuckDBPyConnection:
    """Return a new engine that can reach the files allowed and nothing else.

    To start one takes longer than most queries. Tables can still be registered: that needs no access of its own.

    Raises
    ------
    CatalogError
        A folder or file to be allowed does not exist, or there is no folder for temporary files.

    """
    engine = duckdb.connect(config={} if options.unsafe else _CLOSED)
    engine.execute("SET GLOBAL TimeZone = 'UTC'")
    # A table is one of the lake or a file that the query names, never a variable of the calling program.
    engine.execute("SET GLOBAL python_enable_replacements = false")
    # What does not fit into memory is patients' data: below a folder that only this user can read.
    engine.execute(f"SET temp_directory = {literal(str(_spill_folder()))}")
    if options.memory_bytes is not None:
        engine.execute(f"SET memory_limit = '{int(options.memory_bytes)} bytes'")
    if options.threads is not None:
        engine.execute(f"SET threads = {int(options.threads)}")
    if not options.unsafe:
        _close(engine, options.allow_files)
    return engine


def connect(engine: duckdb.DuckDBPyConnection, options: EngineOptions) -> duckdb.DuckDBPyConnection:
    """Return a session of an engine for one query, with tables and views of its own; its clock runs from here."""
    session = engine.cursor()
    if options.seconds is not None:
        _interrupt_after(session, options.seconds)
    if options.interrupt is not None:
        options.interrupt.watch(session)
    return session


def _spill_folder() -> Path:
    """Return where an engine may spill what does not fit into memory; it creates the folder when needed."""
    try:
        return scratch_folder() / f"duckdb-{uuid.uuid4().hex}"  # what one query puts there is not for another to read
    except OSError as error:
        raise CatalogError(f"there is no folder for temporary files: {error.strerror}; set TMPDIR") from error


def check_reads_only(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Refuse a query that would do anything but read.

    The settings keep it from other files, but to DuckDB, a file that may be read may be written as well.

    Raises
    ------
    QueryError
        The text is not one statement that reads.
    duckdb.Error
        The text is no SQL, or names what does not exist.

    """
    statements = connection.extract_statements(query)
    if not statements:
        raise QueryError("the query is empty")
    if len(statements) > 1:
        raise QueryError("this is more than one statement; one at a time is answered")
    text = _without_end(statements[0].query)
    if statements[0].type == duckdb.StatementType.EXPLAIN and (explained := _EXPLAIN.match(text)):
        text = text[explained.end() :]
        statements = connection.extract_statements(text)
    if len(statements) != 1 or statements[0].type not in _READING:
        kind = text.split(maxsplit=1)[0].upper()
        raise QueryError(f"{kind} does more than read: queries here only read, unless --unsafe is given")
    if statements[0].type == duckdb.StatementType.MULTI and "copy" in text.casefold():
        # To bind it would run it. No COPY of a PIVOT can do without that word, at this place.
        raise QueryError("COPY does more than read, and a PIVOT may not mention it: that takes --unsafe")
    try:
        # COPY can hide in a WITH clause. DuckDB refuses it there where a subquery stands, before anything is run.
        connection.sql(f"FROM (\n{text}\n)")
    except (duckdb.BinderException, duckdb.ParserException) as error:
        if "must be at the top level" in str(error) or isinstance(error, duckdb.ParserException):
            raise QueryError("a statement in this query does more than read; that takes --unsafe") from error
        raise


def _without_end(statement: str) -> str:
    """Return a statement without its final semicolon and the comments around that."""
    text = statement.encode()  # positions of tokens count in bytes
    end = len(text)
    for position, kind in reversed(duckdb.tokenize(statement)):
        if kind != duckdb.token_type.comment and text[position : position + 1] != b";":
            break
        end = position
    return text[:end].decode()


def _close(connection: duckdb.DuckDBPyConnection, allowed: tuple[Path, ...]) -> None:
    """Restrict the engine to the files allowed, and lock its settings."""
    folders: set[str] = set()
    files: set[str] = set()
    for path in allowed:
        if not path.exists():
            raise CatalogError(f"{path} is to be allowed, but does not exist")
        for spelling in (path.absolute(), path.resolve()):
            if path.is_dir():
                folders.add(f"{spelling}/")
            else:
                files.add(str(spelling))
    connection.execute(f"SET allowed_directories = [{', '.join(map(literal, sorted(folders)))}]")
    connection.execute(f"SET allowed_paths = [{', '.join(map(literal, sorted(files)))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _interrupt_after(connection: duckdb.DuckDBPyConnection, seconds: float) -> None:
    """Interrupt whatever an engine does after some time, as long as it is referenced."""
    ended = threading.Event()
    weakref.finalize(connection, ended.set)
    reference = weakref.ref(connection)

    def watch() -> None:
        pause = seconds
        while not ended.wait(pause):
            pause = _INTERRUPT_AGAIN
            held = reference()
            if held is not None:
                held.interrupt()
            del held

    threading.Thread(target=watch, name="query deadline", daemon=True).start()
