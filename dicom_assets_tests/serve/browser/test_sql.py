"""The page of SQL reaches the tables and nothing else, in bounded time, with a bounded answer."""

import io
from urllib.parse import quote

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from dicom_assets.serve.browser import sql_page
from dicom_assets.serve.site import Limits
from dicom_assets.storage.scratch import scratch_folder
from dicom_assets_tests.serve.browser.conftest import client_of
from dicom_assets_tests.serve.browser.html import Html


def ask(served, query, path="/sql"):
    return served.client.get(f"{path}?query={quote(query)}")


def test_words_views_and_tables_are_those_of_the_command_line(served):
    answer = ask(served, "SELECT dicom(header, 'PatientName') AS name FROM object_catalog WHERE path LIKE '%CT_small%'")
    assert "CompressedSamples^CT1" in answer.text
    for view in ("issues", "problems", "duplicates", "all_series", "patients"):
        assert ask(served, f"FROM {view} LIMIT 1").status_code == 200
    start = Html(served.client.get("/sql").text)
    assert "object_catalog" in start.text
    assert "all_series" in start.text
    assert start.violations == []


def test_all_examples_have_an_answer(served):
    for title, query in sql_page.EXAMPLES:
        assert ask(served, query).status_code == 200, title


def test_a_query_of_several_lines_stays_as_it_was_written(served):
    query = "SELECT path,\n\tsize -- of the file\nFROM object_catalog\nLIMIT 3"
    assert query in Html(ask(served, query).text).text
    where = "size > 1\nAND 'a' <> '\u00e9'"
    page = Html(served.client.get(f"/?level=files&where={quote(where)}").text)
    assert where in page.text, "in the box"
    (sent, *_) = page.all("input", name="where")
    assert sent["value"] == where, "as the search sends it on"


def test_rows_of_files_lead_to_their_pages(served):
    html = Html(ask(served, "SELECT prefix, path FROM object_catalog ORDER BY path").text)
    links = [link for link in html.links if link.startswith("/file?")]
    assert links
    assert served.client.get(links[0]).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_parquet('http://127.0.0.1:1/x')",
        "COPY object_catalog TO '/tmp/stolen.csv'",
        "WITH x AS (COPY (SELECT 1) TO '/tmp/stolen.csv') SELECT 1",
        "ATTACH '/tmp/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "PRAGMA database_list",
        "CALL duckdb_settings()",
        "CREATE TABLE t AS SELECT 1",
        "DROP VIEW patients",
        "DELETE FROM object_catalog",
        "EXPORT DATABASE '/tmp/stolen'",
        "SELECT 1; SELECT 2",
        "SELECT getenv('HOME')",
        "SELECT",
        "-- nothing",
    ],
)
def test_nothing_but_the_tables_can_be_reached(served, query):
    for path in ("/sql", "/answer.csv"):
        answer = ask(served, query, path)
        assert answer.status_code == 400
        assert Html(answer.text).all("p", role="alert")
        assert "root:" not in answer.text


def test_an_answer_is_bounded_and_says_so(served):
    html = Html(ask(served, "SELECT range FROM range(10_000_000_000)").text)
    assert f"The first {sql_page.SHOWN_ROWS} rows" in " ".join(html.text.split())
    assert len(html.all("td")) == sql_page.SHOWN_ROWS
    whole = Html(ask(served, "SELECT 1 AS one").text)
    assert "The first" not in whole.text


def test_a_query_that_takes_too_long_is_ended(served):
    client = client_of(served.lake, limits=Limits(query_seconds=0.3))
    answer = client.get(f"/sql?query={quote('SELECT max(a.range * b.range) FROM range(1000000) a, range(1000000) b')}")
    assert answer.status_code == 400
    assert client.get("/?level=files").status_code == 200


def test_answers_come_as_files_and_leave_none(served):
    query = "SELECT '=1+1' AS formula, 2 AS two, 'ä' AS letter"
    csv = ask(served, query, "/answer.csv")
    assert pa_csv.read_csv(io.BytesIO(csv.content)).to_pylist() == [{"formula": "'=1+1", "two": 2, "letter": "ä"}]
    assert csv.headers["content-disposition"] == 'attachment; filename="answer.csv"'
    parquet = ask(served, query, "/answer.parquet")
    assert pq.read_table(io.BytesIO(parquet.content)).to_pylist() == [{"formula": "=1+1", "two": 2, "letter": "ä"}]
    failed = ask(served, "SELECT error('x') FROM range(3)", "/answer.csv")
    assert failed.status_code == 400
    assert list(scratch_folder().glob("answer-*")) == []


def test_numbers_of_any_width_stand_to_the_right(served):
    query = "SELECT 1::UTINYINT AS a, 2::HUGEINT AS b, 1.5::FLOAT AS c, 'x' AS d, 7::USMALLINT AS e, true AS f"
    html = served.client.get("/sql", params={"query": query}).text
    assert [f'class="number"><bdi>{name}' in html for name in "abcdef"] == [True, True, True, False, True, False]


def test_names_in_backticks_are_shown_as_code(served):
    html = served.client.get("/sql").text
    assert "`" not in html.split("<h2>Views</h2>")[1]
