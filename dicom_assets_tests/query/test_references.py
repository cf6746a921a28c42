"""Which tables a query opens. A table too many costs time; a table too few is an error, and must not happen."""

import re

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query import Catalog
from dicom_assets.query import opened as opened_module
from dicom_assets.query.references import references
from dicom_assets.tables import FILE_INDEX

ALL = ("object_catalog", "object", "my cohort", 'a"b', "tables")


@pytest.fixture(scope="module")
def connection():
    return duckdb.connect()


@pytest.mark.parametrize(
    ("query", "tables"),
    [
        ("", ()),
        ("SELECT 1", ()),
        ("SELECT 'object_catalog'", ()),
        ("SELECT 1 AS object_catalog", ()),
        ("VALUES ('object_catalog') -- object_catalog", ()),
        ("SELECT object_catalog.path FROM object", ("object",)),
        ("FROM object_catalog", ("object_catalog",)),
        ("FROM OBJECT_Catalog", ("object_catalog",)),
        ("TABLE object_catalog", ("object_catalog",)),
        ("FROM 'object_catalog'", ("object_catalog",)),
        ('FROM "my cohort" JOIN object USING (path)', ("object", "my cohort")),
        ('FROM "a""b"', ('a"b',)),
        ("FROM main.object_catalog", ("object_catalog",)),
        ("FROM temp.main.object_catalog", ("object_catalog",)),
        ("DESCRIBE object", ("object",)),
        ("SUMMARIZE object", ("object",)),
        ("UNPIVOT object ON a, b INTO NAME n VALUE v", ("object",)),
        ("FROM object AS object_catalog", ("object",)),
        ("FROM 'cohort.csv' JOIN object USING (path)", ("object",)),
        ("FROM read_csv('object_catalog.csv'), object", ("object",)),
        ("FROM object, LATERAL (SELECT unnest(x) FROM object_catalog)", ("object_catalog", "object")),
        ("SELECT * FROM object WHERE path IN (FROM object_catalog SELECT path)", ("object_catalog", "object")),
        ("SELECT path FROM object ORDER BY (SELECT max(a) FROM object_catalog)", ("object_catalog", "object")),
        ("FROM object LIMIT (SELECT count(*) FROM object_catalog)", ("object_catalog", "object")),
        ("FROM object UNION ALL BY NAME FROM object_catalog", ("object_catalog", "object")),
        ("FROM object SEMI JOIN object_catalog USING (path)", ("object_catalog", "object")),
        ("WITH object AS (SELECT 1) FROM object", ()),
        ("WITH Object AS MATERIALIZED (FROM object_catalog) FROM oBJECT", ("object_catalog",)),
        ("WITH object AS (FROM object) FROM object", ("object",)),
        ("WITH object AS (SELECT 1) FROM main.object", ("object",)),
        ("WITH x AS (FROM object), object AS (SELECT 1) FROM x", ("object",)),
        ("FROM (WITH object AS (SELECT 1) FROM object), object", ("object",)),
        ("WITH object AS (SELECT 1) FROM (FROM (FROM object)) WHERE EXISTS (FROM object)", ()),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r, object) FROM r", ("object",)),
        ("WITH RECURSIVE object AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM object) FROM object", ()),
        ("WITH RECURSIVE object AS (FROM object UNION ALL SELECT n + 1 FROM object) FROM object", ("object",)),
    ],
)
def test_tables_are_those_that_the_query_reads(connection, query, tables):
    assert references(connection, query, ALL).tables == tables


@pytest.mark.parametrize(
    "query",
    [
        "SHOW TABLES",
        "SHOW ALL TABLES",
        "SHOW object",
        "FROM query_table('ob' || 'ject'), object_catalog",
        "FROM query('FROM object')",
        "FROM histogram(object, a)",
        "FROM pragma_table_info('object')",
        "FROM duckdb_tables()",
        "SELECT (SELECT count(*) FROM duckdb_columns), path FROM object",
        "FROM information_schema.tables",
        "FROM sqlite_master",
        "FROM object JOIN objects USING (path)",
        "WITH information_schema AS (SELECT 1) FROM information_schema.columns",
    ],
)
def test_a_query_that_may_reach_tables_it_does_not_name_gets_all(connection, query):
    assert references(connection, query, ALL).tables == ALL


@pytest.mark.parametrize(
    ("query", "tables"),
    [
        ("EXPLAIN SELECT * FROM Object_Catalog", ("object_catalog", "object")),
        ("PIVOT object_catalog ON Modality USING count(*)", ("object_catalog", "object")),
        ('FROM (PIVOT "a""b" ON Modality USING count(*))', ('a"b',)),
        ("COPY tables TO 'x.csv'", ("tables",)),
        ("SELEC 1", ALL),
        (f"SELECT {'+'.join(['path'] * 2000)} FROM object", ("object",)),
    ],
)
def test_what_the_parser_does_not_show_is_searched_as_text(connection, query, tables):
    found = references(connection, query, ALL)
    assert found.tables == tables
    assert not found.mentions("Rows")


def test_another_form_of_the_syntax_tree_is_searched_as_text(connection):
    class Later:
        def execute(self, *_):
            return self

        def fetchall(self):
            return [('{"error":false,"statements":[{"type":"BASE_TABLE","name":"object"}]}',)]

    assert references(Later(), "FROM object", ALL).tables == ("object",)


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT path FROM object WHERE MODALITY = 'CT'", {"path", "Modality"}),
        ('SELECT o."Rows" FROM object o', {"Rows"}),
        ("SELECT 'Rows', a.b.size FROM object", {"size"}),
        ("FROM object JOIN object_catalog USING (path, Modality)", {"path", "Modality"}),
        ('FROM object SELECT * EXCLUDE (path) REPLACE (size + 1 AS x) ORDER BY "Rows"', {"size", "Rows"}),
        ("FROM object SELECT count(*) FILTER (size > 1) GROUP BY ALL HAVING max(Rows) > 1", {"size", "Rows"}),
        ("FROM object SELECT row_number() OVER (PARTITION BY path ORDER BY size) QUALIFY Rows = 1",
         {"path", "size", "Rows"}),
        ("FROM object SELECT list_filter([1], lambda x: x > size)", {"size"}),
        ("FROM query('FROM object WHERE size = 1')", {"size"}),
        ("FROM object", set()),
    ],
)  # fmt: skip
def test_columns_are_those_that_the_query_mentions(connection, query, columns):
    mentions = references(connection, query, ALL).mentions
    assert {name for name in ("path", "Modality", "Rows", "size") if mentions(name)} == columns


NAMES = ("obj", "object", "object_catalog", "my cohort")
SPELLED = ("obj", "OBJ", '"Obj"', "object", '"object"', "Object_Catalog", '"my cohort"', "main.obj")
EXPRESSIONS = ("obj", "object", "OBJECT", "x", '"my cohort"')
FORMS = (
    "SELECT a FROM {table}",
    "SELECT a FROM {table} WHERE 'object_catalog obj' <> 'object'",
    "WITH {name} AS ({query}) {query}",
    "WITH {name} AS ({query}), {name} AS ({query}) {query}",
    "WITH RECURSIVE z AS (({query}) UNION ALL SELECT a + 1 AS a FROM z WHERE a < 5) {query}",
    "WITH RECURSIVE obj AS (({query}) UNION ALL SELECT a + 1 AS a FROM obj WHERE a < 5) {query}",
    "({query}) UNION ALL ({query})",
    "SELECT a FROM ({query}) AS object",
    "SELECT a FROM {table} WHERE a IN ({query})",
    "SELECT a FROM {table} JOIN ({query}) AS y USING (a)",
    "SELECT (SELECT max(a) FROM ({query})) AS a",
)


@st.composite
def queries(draw, depth=3):
    """Return a query over the tables that nests tables, common table expressions and subqueries; all have `a`."""
    fill = {
        "{table}": lambda: draw(st.sampled_from(SPELLED)),
        "{name}": lambda: draw(st.sampled_from(EXPRESSIONS)),
        "{query}": lambda: draw(queries(depth=depth - 1)),
    }
    form = draw(st.sampled_from(FORMS if depth else FORMS[:2]))
    return re.sub(r"\{\w+\}", lambda place: fill[place[0]](), form)


def _answer(query, names):
    with duckdb.connect() as engine:
        for number, name in enumerate(NAMES):
            if name in names:
                engine.register(name, pa.table({"a": [number, 10]}))
        return sorted(engine.execute(query).fetchall())


@settings(max_examples=150, deadline=None)
@given(query=queries())
def test_the_answer_is_the_same_with_the_tables_found_as_with_all(connection, query):
    try:
        expected = _answer(query, NAMES)
    except duckdb.ParserException:  # two common table expressions of one name
        return
    assert _answer(query, references(connection, query, NAMES).tables) == expected


def test_a_table_that_only_a_text_names_is_not_opened(tmp_path, monkeypatch):
    lake = Lake(str(tmp_path))
    lake.ensure([FILE_INDEX, OBJECT_CATALOG])
    opened = []
    as_dataset = opened_module.as_dataset

    def noted(location, *arguments):
        opened.append(location.uri.rpartition("/")[2])
        return as_dataset(location, *arguments)

    monkeypatch.setattr(opened_module, "as_dataset", noted)
    assert Catalog(lake).sql("SELECT 'object_catalog' AS name FROM file_index").fetchall() == []
    assert Catalog(lake).sql("SELECT 'object_catalog'").fetchall() == [("object_catalog",)]
    assert opened == ["file_index"]
