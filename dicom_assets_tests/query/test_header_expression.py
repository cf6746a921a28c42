"""What README and docs/sql.md teach about attributes in the header works in every clause, as it stands there."""

import re
from pathlib import Path

import orjson
import pytest

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query import Catalog, QueryError
from dicom_assets_tests.query.conftest import append, catalog_row

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")
TUBE_CURRENT = "00181151"
CLAUSES = {
    "SELECT {} AS x FROM object_catalog ORDER BY path": ["100", "200", None],
    "SELECT path FROM object_catalog WHERE {} IS NOT NULL": ["a", "b"],
    "SELECT path FROM object_catalog WHERE {} IS NULL": ["c"],
    "SELECT path FROM object_catalog WHERE {} = '200'": ["b"],
    "SELECT path FROM object_catalog WHERE '200' = {}": ["b"],
    "SELECT path FROM object_catalog WHERE {} LIKE '1%'": ["a"],
    "SELECT path FROM object_catalog WHERE NOT {} = '200'": ["a"],
    "SELECT path FROM object_catalog WHERE {} IN ('200', '300')": ["b"],
    "SELECT path FROM object_catalog WHERE {} BETWEEN '1' AND '15'": ["a"],
    "SELECT path FROM object_catalog WHERE Modality = 'CT' AND {} = '200' AND Rows > 1": ["b"],
    "SELECT path FROM object_catalog WHERE {} = '100' OR {} IS NULL AND Modality = 'CT' ORDER BY path": ["a", "c"],
    "SELECT path FROM object_catalog WHERE {}::INTEGER > 150": ["b"],
    "SELECT path FROM object_catalog WHERE TRY_CAST({} AS DOUBLE) * 2 < 300": ["a"],
    "SELECT {} || ' mA' FROM object_catalog ORDER BY path": ["100 mA", "200 mA", None],
    "SELECT CASE WHEN {} = '100' THEN 'low' ELSE {} END FROM object_catalog ORDER BY path": ["low", "200", None],
    "SELECT {} AS x FROM object_catalog GROUP BY {} ORDER BY {} DESC NULLS LAST": ["200", "100", None],
    "SELECT Modality FROM object_catalog GROUP BY Modality HAVING max({}) = '200'": ["CT"],
    "SELECT {} AS x FROM object_catalog GROUP BY {} HAVING {} IS NOT NULL ORDER BY x": ["100", "200"],
    "SELECT path FROM object_catalog QUALIFY row_number() OVER (PARTITION BY {} ORDER BY {}) = 1 ORDER BY 1": [*"abc"],
    "SELECT count(*) FILTER (WHERE {} IS NOT NULL) FROM object_catalog": [2],
}  # fmt: skip


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    lake.ensure([OBJECT_CATALOG])
    rows = []
    for path, current in (("a", 100), ("b", 200), ("c", None)):
        tags = {
            "00080008": {"vr": "CS", "Value": ["ORIGINAL", "PRIMARY"]},
            "00081070": {"vr": "PN", "Value": [{"Alphabetic": "Operator^One"}]},
            "00400275": {"vr": "SQ", "Value": [{"00400007": {"vr": "LO", "Value": ["Chest"]}}]},
        }
        tags |= {TUBE_CURRENT: {"vr": "IS", "Value": [current]}} if current else {}
        header = {"fileMeta": {"00020013": {"vr": "SH", "Value": ["MAKER"]}}, "dataset": tags}
        rows.append(catalog_row("p", path, path=path, header=orjson.dumps(header).decode()))
    append(lake, OBJECT_CATALOG, rows)
    return Catalog(lake)


def _expressions(text):
    """Return the SQL expressions on the Tube Current that a text teaches: in spans and blocks of code."""
    blocks = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    shown = [code.strip() for code in (*blocks, *spans) if "SELECT" not in code]
    return [code for code in shown if TUBE_CURRENT in code or "XRayTubeCurrent" in code]


@pytest.mark.parametrize("clause", CLAUSES)
def test_the_expression_of_the_readme_works_in_every_clause(catalog, clause):
    (expression,) = _expressions(README)
    found = catalog.sql(clause.replace("{}", expression)).fetchall()
    assert [value for (value,) in found] == CLAUSES[clause]


def test_operators_would_not(catalog):
    (expression,) = _expressions(f"so: `header->'dataset'->'{TUBE_CURRENT}'->'Value'->>0`, and not `x`")
    broken = 0
    for clause, expected in CLAUSES.items():
        try:
            found = catalog.sql(clause.replace("{}", expression)).fetchall()
        except QueryError:
            broken += 1
        else:
            broken += [value for (value,) in found] != expected
    assert broken > len(CLAUSES) / 2


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("one value", "100"),
        ("a number", 100.0),
        ("all values", ["ORIGINAL", "PRIMARY"]),
        ("the name of a person", "Operator^One"),
        ("in a sequence", "Chest"),
        ("of the file meta information", "MAKER"),
    ],
)
def test_the_expressions_of_the_page_find_their_values(catalog, attribute, value):
    expression = re.search(rf"\| {attribute} \| `([^`]+)`", PAGE)[1]
    assert catalog.sql(f"SELECT {expression} FROM object_catalog WHERE path = 'a'").fetchall() == [(value,)]


def test_the_query_of_the_page_is_answered(catalog):
    (query,) = (block for block in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL) if "XRayTubeCurrent" in block)
    assert catalog.sql(query).fetchall() == [("200", 1)]


def test_what_the_page_says_of_the_operators_is_so(catalog):
    with pytest.raises(QueryError):
        catalog.sql("SELECT header->'dataset'->>'x' IS NOT NULL FROM object_catalog")
    assert catalog.sql("SELECT (header->'fileMeta'->>'x') IS NULL FROM object_catalog").fetchall() == [(True,)] * 3


def test_the_cohort_of_the_readme_is_answered(catalog):
    (query,) = (block for block in re.findall(r"```sql\n(.*?)```", README, re.DOTALL) if "slices" in block)
    assert catalog.sql(query).fetchall() == []
