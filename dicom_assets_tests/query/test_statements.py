import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.query.errors import QueryError
from dicom_assets.query.statements import split, statements_of


@pytest.mark.parametrize(
    ("text", "statements", "rest"),
    [
        ("", [], ""),
        (" ;; ;", [], ""),
        ("SELECT 1", [], "SELECT 1"),
        ("SELECT 1;", ["SELECT 1"], ""),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"], ""),
        ("SELECT ';'; SELECT 2", ["SELECT ';'"], " SELECT 2"),
        ("SELECT 'a;b", [], "SELECT 'a;b"),
        ("SELECT 'it''s;' ;", ["SELECT 'it''s;'"], ""),
        ('SELECT "a;b";', ['SELECT "a;b"'], ""),
        ("SELECT $$;$$;", ["SELECT $$;$$"], ""),
        ("SELECT 1 -- ;\n;", ["SELECT 1 -- ;"], ""),
        ("SELECT 1; -- done", ["SELECT 1"], ""),
        ("-- nothing;\n", [], ""),
        ("/* ; */ SELECT 1;", ["/* ; */ SELECT 1"], ""),
        ("SELECT 'é山;'; SELECT 'ü';", ["SELECT 'é山;'", "SELECT 'ü'"], ""),
    ],
)
def test_statements_end_where_sql_says_so(text, statements, rest):
    assert split(text) == (statements, rest)


def test_the_last_statement_of_a_file_may_do_without_a_semicolon():
    assert statements_of("SELECT 1;\nSELECT 2\n") == ["SELECT 1", "SELECT 2"]


def test_bytes_that_are_no_text_are_one_clear_error():
    with pytest.raises(QueryError, match="no UTF-8"):
        split("SELECT '\udc80';")


_LITERALS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(st.lists(_LITERALS, min_size=1, max_size=5))
def test_strings_of_any_content_do_not_end_a_statement(texts):
    literals = ["'" + text.replace("'", "''") + "'" for text in texts]
    statements = [f"SELECT {literal} AS x" for literal in literals]
    assert split("".join(f"{statement};" for statement in statements)) == (statements, "")
