"""Words for SQL: what they find, that they work in every clause, and that pydicom would say the same."""

import contextlib
import datetime as dt
from itertools import islice
from pathlib import Path

import duckdb
import orjson
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary, keyword_for_tag

from dicom_assets.delta.lake import Lake
from dicom_assets.dicom.header import Header, header_json, read_header
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query import Catalog, EngineOptions, QueryError
from dicom_assets.query.words import WORDS, define_words
from dicom_assets_tests.query.conftest import append, catalog_row
from dicom_assets_tests.query.test_header_expression import CLAUSES
from dicom_assets_tests.support.corpus import pydicom_files

ELEMENTS = {
    "00080008": {"vr": "CS", "Value": ["ORIGINAL", "PRIMARY", "AXIAL"]},
    "00081070": {"vr": "PN", "Value": [{"Alphabetic": "Operator^One"}, {"Alphabetic": "B", "Ideographic": "山"}]},
    "00090010": {"vr": "LO", "Value": ["OTHER"]},
    "00090011": {"vr": "LO", "Value": ["GEMS_IDEN_01"]},
    "00091001": {"vr": "LO", "Value": ["not this"]},
    "00091101": {"vr": "LO", "Value": ["GE_GENESIS_FF"]},
    "00101030": {"vr": "DS", "Value": [70.0]},
    "00101020": {"vr": "DS"},
    "00080020": {"vr": "DA", "Value": ["20240131"]},
    "0008002A": {"vr": "DT", "Value": ["20240131235959.5+0100"]},
    "00280030": {"vr": "DS", "Value": [0.5, 0.25]},
    "00282000": {"vr": "OB", "InlineBinary": "AAAA"},
    "00400275": {
        "vr": "SQ",
        "Value": [
            {"00400007": {"vr": "LO", "Value": ["Chest"]}},
            {
                "00400007": {"vr": "LO", "Value": ["Head", "Neck"]},
                "00110010": {"vr": "LO", "Value": ['it\'s "mine"']},
                "00111002": {"vr": "DS", "Value": [1.5]},
            },
        ],
    },
    "00181151": {"vr": "IS", "Value": [100]},
}


def _lake(folder, headers):
    lake = Lake(str(folder))
    lake.ensure([OBJECT_CATALOG])
    rows = [
        catalog_row("p", name, path=name, header=None if header is None else _text(header))
        for name, header in headers.items()
    ]
    append(lake, OBJECT_CATALOG, rows)
    return lake


def _text(header):
    return header.decode() if isinstance(header, bytes) else orjson.dumps(header).decode()


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    meta = {"00020013": {"vr": "SH", "Value": ["MAKER"]}}
    headers = {
        "a": {"fileMeta": meta, "dataset": ELEMENTS},
        "b": {"fileMeta": meta, "dataset": {"00181151": {"vr": "IS", "Value": [200]}}},
        "c": {"fileMeta": {}, "dataset": {}},
        "d": None,
    }
    return Catalog(_lake(tmp_path_factory.mktemp("lake"), headers))


def _of_a(catalog, expression):
    ((value,),) = catalog.sql(f"SELECT {expression} FROM object_catalog WHERE path = 'a'").fetchall()
    return value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("dicom(header, 'PatientWeight')", "70"),
        ("dicom(header, '00101030')", "70"),
        ("dicom(header, '(0010,1030)')", "70"),
        ("dicom_number(header, 'PatientWeight')", 70.0),
        ("dicom(header, 'PatientSize')", None),
        ("dicom(header, 'StudyID')", None),
        ("dicom(header, 'ImplementationVersionName')", "MAKER"),
        ("dicom(header, 'ImageType')", r"ORIGINAL\PRIMARY\AXIAL"),
        ("dicom(header, 'ImageType[1]')", "PRIMARY"),
        ("dicom(header, 'ImageType[7]')", None),
        ("dicom_list(header, 'ImageType')", ["ORIGINAL", "PRIMARY", "AXIAL"]),
        ("dicom_list(header, 'ImageType[2]')", ["AXIAL"]),
        ("dicom_list(header, 'PatientSize')", None),
        ("dicom(header, 'OperatorsName')", r"Operator^One\B=山"),
        ("dicom_list(header, 'OperatorsName')", ["Operator^One", "B=山"]),
        ("dicom_date(header, 'StudyDate')", dt.date(2024, 1, 31)),
        ("dicom_date(header, 'AcquisitionDateTime')", dt.date(2024, 1, 31)),
        ("dicom_date(header, 'PatientWeight')", None),
        ("dicom_number(header, 'StudyDate')", 20240131.0),
        ("dicom_number(header, 'ImageType')", None),
        ("dicom_number(header, 'PixelSpacing')", 0.5),
        ("dicom_number(header, 'PixelSpacing[1]')", 0.25),
        ("dicom_numbers(header, 'PixelSpacing')", [0.5, 0.25]),
        ("dicom_numbers(header, 'ImageType')", [None, None, None]),
        ("dicom(header, 'ICCProfile')", None),
        ("dicom(header, 'RequestAttributesSequence[0].ScheduledProcedureStepDescription')", "Chest"),
        ("dicom(header, 'RequestAttributesSequence.ScheduledProcedureStepDescription')", "Chest"),
        ("dicom(header, 'RequestAttributesSequence[1].ScheduledProcedureStepDescription')", r"Head\Neck"),
        ("dicom(header, 'RequestAttributesSequence[1].ScheduledProcedureStepDescription[1]')", "Neck"),
        ("dicom_list(header, 'RequestAttributesSequence[*].ScheduledProcedureStepDescription')",
         ["Chest", "Head", "Neck"]),
        ("dicom_list(header, 'RequestAttributesSequence[*].ScheduledProcedureStepDescription[0]')", ["Chest", "Head"]),
        ("len(dicom_json(header, 'RequestAttributesSequence')::JSON[])", 2),
        ("json_extract_string(dicom_json(header, 'RequestAttributesSequence[0]'), '$.00400007.vr')", "LO"),
        ("dicom(header, '(0009,\"GEMS_IDEN_01\",01)')", "GE_GENESIS_FF"),
        ("dicom(header, '(0009,\"OTHER\",01)')", "not this"),
        ("dicom(header, '(0009,\"GEMS_IDEN\",01)')", None),
        ("dicom(header, '00091101')", "GE_GENESIS_FF"),
        ("dicom(o.header, 'PatientWeight') FROM object_catalog o WHERE path = 'a' OR (SELECT 1) = 2 UNION SELECT '70'",
         "70"),
        ("header.dicom('PatientWeight')", "70"),
        ("DICOM ( header , /* kg */ 'PatientWeight' )", "70"),
        ("dicom_number(header, 'PatientWeight') / dicom_number(header, 'PixelSpacing') ** 2", 280.0),
        ("dicom(header, 'StudyDate') || dicom(header, 'PatientWeight')::VARCHAR", "2024013170"),
    ],
)  # fmt: skip
def test_a_word_finds_its_values(catalog, expression, value):
    assert _of_a(catalog, expression) == value


ASKED = (
    "dicom({h}, 'PatientComments')",
    "dicom_list({h}, 'PatientComments')",
    "dicom({h}, 'PatientComments[1]')",
    "dicom_number({h}, 'PatientComments')",
    "dicom_numbers({h}, 'PatientComments[*]')",
    "dicom_date({h}, 'PatientComments')",
    "dicom_json({h}, 'PatientComments')",
    "dicom({h}, 'RequestAttributesSequence.PatientComments')",
    "dicom({h}, '(0011,\"A.(B)\\é\",02)')",
    "dicom({h}, 'ReferencedImageSequence.(0011,\"A.(B)\\é\",02)')",
)
HOSTILE = (
    "",
    "20240131",
    "1.5",
    "]}",
    "\\",
    '"',
    '\\"',
    '"00104000":{"vr":"LT","Value":["x"]}',
    "x]}},",
    "\n",
    "}}\n",
    "é山",
)


CASES = st.tuples(
    st.lists(
        st.one_of(
            st.sampled_from(HOSTILE),
            st.text(max_size=8),
            st.none(),
            st.integers(-9, 1 << 60),
            st.just({"Alphabetic": '"]}'}),
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(HOSTILE),
    st.sampled_from(("before", "after", "only", "nowhere")),
)


def _marked(values, nested, place):
    """Return the text of a header with an attribute, and the same in an item of a sequence somewhere."""
    element = {"vr": "LT", "Value": values}
    private = {"00110010": {"vr": "LO", "Value": ["A.(B)\\é"]}, "00111002": {"vr": "LO", "Value": [nested]}}
    item = {"vr": "SQ", "Value": [{"00104000": {"vr": "LT", "Value": [nested]}, **private}]}
    reserved = {
        "00110010": {"vr": "LO", "Value": ["A.(B)\\éx"]},
        "00110011": {"vr": "LO", "Value": ["A.(B)\\é", "more"]},
        "00111102": {"vr": "LO", "Value": ["of the data set"]},
    }
    dataset = {
        "before": {"00081140": item, "00104000": element, **reserved},
        "after": {"00104000": element, "00400275": item},
        "only": {"00081140": item, "00400275": item},
        "nowhere": {"00100010": {"vr": "PN", "Value": [{"Alphabetic": nested}]}},
    }[place]
    return header_json(Header(HeaderStatus.OK, dataset=dataset)).decode()


@settings(max_examples=10, deadline=None)
@given(cases=st.lists(CASES, min_size=8, max_size=40))
def test_a_header_is_read_alike_with_and_without_marks_in_its_text(cases):
    """Headers of today are searched, those of earlier versions parsed."""
    marked = [_marked(*case) for case in cases]
    with duckdb.connect() as connection:
        query = f"SELECT {', '.join(ASKED)} FROM (SELECT unnest(?::VARCHAR[]) AS header)".format(h="header")
        define_words(connection, [query])
        found = connection.execute(query, [marked]).fetchall()
        assert found == connection.execute(query, [[text.rstrip() for text in marked]]).fetchall()
    for (_, _, place), (*_, array, _, own, _) in zip(cases, found, strict=True):
        assert (array is None) == (place in ("only", "nowhere"))
        assert own == ("of the data set" if place == "before" else None)


def test_an_element_of_today_is_found_without_its_header_being_parsed():
    text = header_json(Header(HeaderStatus.OK, dataset={"00104000": {"vr": "LT", "Value": ["seen"]}})).decode()
    broken = text.replace("}}\n", "]]\n")
    with duckdb.connect() as connection:
        query = "SELECT dicom(header, 'PatientComments') FROM (SELECT ?::VARCHAR AS header)"
        define_words(connection, [query])
        assert connection.execute(query, [broken]).fetchone() == ("seen",)
        with pytest.raises(duckdb.InvalidInputException, match="JSON"):
            connection.execute(query, [broken.rstrip()]).fetchone()


def test_a_creator_with_quotes_is_found_in_an_item(catalog):
    step = "(0011,\"it''s \""
    with pytest.raises(QueryError, match="there is no attribute"):  # a quote cannot be part of what quotes enclose
        _of_a(catalog, f"dicom(header, 'RequestAttributesSequence[1].{step}mine\"\",02)')")


def test_a_private_element_has_the_block_of_its_creator_in_its_own_data_set(tmp_path):
    item = {"00090010": {"vr": "LO", "Value": ["it's"]}, "00091001": {"vr": "LO", "Value": ["inner"]}}
    dataset = {
        "00081140": {"vr": "SQ", "Value": [item]},
        "00090010": {"vr": "LO", "Value": ["OTHER"]},
        "000900FF": {"vr": "LO", "Value": ["it's"]},
        "00091001": {"vr": "LO", "Value": ["other"]},
        "0009FF01": {"vr": "SQ", "Value": [{"00101030": {"vr": "DS", "Value": [3.5]}}]},
    }
    catalog = Catalog(_lake(tmp_path, {"a": {"fileMeta": {}, "dataset": dataset}}))
    assert _of_a(catalog, "dicom(header, 'ReferencedImageSequence.(0009,\"it''s\",01)')") == "inner"
    assert _of_a(catalog, "dicom_number(header, '(0009,\"it''s\",01)[0].PatientWeight')") == 3.5
    assert _of_a(catalog, "dicom_numbers(header, '(0009,\"it''s\",01)[*].PatientWeight')") == [3.5]
    assert _of_a(catalog, "dicom(header, '(0009,\"it''s\",01)')") is None
    with pytest.raises(QueryError, match=r"instead of \[\*\]"):
        _of_a(catalog, "dicom(header, 'ReferencedImageSequence[*].(0009,\"it''s\",01)')")


@pytest.mark.parametrize("clause", CLAUSES)
def test_a_word_works_in_every_clause(catalog, clause):
    query = clause.replace("{}", "dicom(header, 'XRayTubeCurrent')").replace("FROM object_catalog", "FROM three")
    found = catalog.sql(f"WITH three AS (FROM object_catalog WHERE path < 'd') {query}").fetchall()
    assert [value for (value,) in found] == CLAUSES[clause]


TUBE = "dicom(header, 'XRayTubeCurrent')"
KINDS = (
    "SELECT count(*) FROM object_catalog a JOIN object_catalog b ON dicom(a.header, {word}) = dicom(b.header, {word})",
    "WITH x AS (SELECT dicom_number(header, {word}) AS c FROM object_catalog) SELECT count(*) FROM x WHERE c > 50",
    "SELECT count(*) FROM object_catalog WHERE path IN (SELECT path FROM object_catalog WHERE {tube} IS NOT NULL)",
    "SELECT count(*) FROM object_catalog o WHERE EXISTS (SELECT 1 WHERE dicom(o.header, {word}) <> '')",
    "SELECT count(DISTINCT {tube}) FROM object_catalog",
    "FROM object_catalog SELECT len(list_filter(list(header), lambda h: dicom(h, {word}) <> ''))",
    "SELECT count(*) FROM (SELECT DISTINCT ON ({tube}) path FROM object_catalog WHERE {tube} IS NOT NULL)",
    "SELECT max({tube})::INT // 100 FROM object_catalog",
    "SELECT count(*) FROM object_catalog GROUP BY {tube} IS NULL ORDER BY {tube} IS NULL LIMIT 1",
    "SELECT sum(n)::INT FROM (SELECT {tube} AS c, count(*) AS n FROM object_catalog GROUP BY ALL) WHERE c IS NOT NULL",
    "SELECT count(*) FROM object_catalog GROUP BY ROLLUP ({tube} IS NULL) HAVING NOT {tube} IS NULL",
    "(SELECT 2 FROM object_catalog WHERE {tube} = '100') UNION (SELECT 2 FROM object_catalog WHERE {tube} = '200')",
)


@pytest.mark.parametrize("query", [kind.format(tube=TUBE, word="'XRayTubeCurrent'") for kind in KINDS])
def test_a_word_works_in_every_kind_of_query(catalog, query):
    assert catalog.sql(query).fetchall() == [(2,)]


def test_a_word_works_where_duckdb_shows_no_syntax_tree(catalog, tmp_path):
    pivoted = catalog.sql(
        f"PIVOT (SELECT prefix, {TUBE} AS c FROM object_catalog) ON c IN ('100', '200') USING count(*)"
    )
    assert pivoted.fetchall() == [("p", 1, 1)]
    plan = catalog.sql(f"EXPLAIN SELECT {TUBE} FROM object_catalog").fetchall()[0][1]
    assert "00181151" in plan
    unsafe = Catalog(catalog.lake, engine=EngineOptions(unsafe=True))
    unsafe.sql(f"COPY (SELECT {TUBE} FROM object_catalog ORDER BY path LIMIT 1) TO '{tmp_path}/x.csv' (HEADER false)")
    assert Path(tmp_path, "x.csv").read_text() == "100\n"


def test_a_plan_holds_the_expression_of_its_word_and_no_other(catalog):
    words = [f"dicom(header, '{word}')" for word in ("PatientWeight", "StudyID", "PatientSize")]
    query = f"SELECT {words[0]} FROM object_catalog WHERE {words[1]} IS NULL OR {words[2]} IS NULL"
    plan = catalog.sql(f"EXPLAIN {query}").fetchall()[0][1]
    assert "00101030" in plan
    assert "constant text" not in plan


def test_words_that_are_read_in_different_ways_stand_in_one_query(catalog):
    item = "RequestAttributesSequence[*].ScheduledProcedureStepDescription"
    lists = {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "ImageType[2]": ["AXIAL"],
        "ImplementationVersionName": ["MAKER"],
        item: ["Chest", "Head", "Neck"],
        '(0009,"OTHER",01)': ["not this"],
        '(0009,"GEMS_IDEN_01",01)': ["GE_GENESIS_FF"],
        "OperatorsName": ["Operator^One", "B=山"],
        "PatientSize": None,
    }
    firsts = {"PixelSpacing": 0.5, "PixelSpacing[1]": 0.25, item: None, "XRayTubeCurrent": 100.0}
    arrays = {"ImageType[1]": '"PRIMARY"', "PatientWeight": "[70.0]"}
    expected = {"dicom_list": lists, "dicom_number": firsts, "dicom_json": arrays}
    calls = [f"{name}(header, '{attribute}')" for name, found in expected.items() for attribute in found]
    (row,) = catalog.sql(f"SELECT {', '.join(calls)} FROM object_catalog WHERE path = 'a'").fetchall()
    assert list(row) == [value for found in expected.values() for value in found.values()]


FORTY = [entry[4] for entry in DicomDictionary.values() if entry[0] == "LO" and entry[4]][:40]


def _body(name, attributes):
    """Return the macro of a word in a query for some attributes."""
    with duckdb.connect() as connection:
        define_words(connection, [f"SELECT {name}(header, '{attribute}')" for attribute in attributes])
        found = connection.execute(
            "SELECT macro_definition FROM duckdb_functions() WHERE function_name = ? AND database_name = 'temp'", [name]
        ).fetchall()
    ((body,),) = found
    return body


@pytest.mark.parametrize("name", WORDS)
def test_each_call_binds_as_much_for_forty_words_as_for_one(name):
    one, forty = (_body(name, FORTY[:count]) for count in (1, 40))
    assert forty.count("$.dataset.") >= 40
    assert forty.count("json_extract") == one.count("json_extract") > 0
    assert one.count(" THEN ") < forty.count(" THEN ") <= one.count(" THEN ") + 2 * 39
    indexed = [f"{keyword}[1]" for keyword in FORTY]
    assert _body(name, FORTY + indexed).count("json_extract") <= 2 * one.count("json_extract")


def test_columns_are_named_as_they_are_asked_for(catalog):
    assert catalog.sql("SELECT dicom(header, 'PatientWeight') FROM object_catalog").columns == [
        "dicom(\"header\", 'PatientWeight')"
    ]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT dicom(header, 'PatientWieght') FROM object_catalog", "did you mean PatientWeight"),
        ("EXPLAIN SELECT dicom(header, 'PatientWieght') FROM object_catalog", "did you mean PatientWeight"),
        ("SELECT dicom(header, 'RequestAttributesSequence') FROM object_catalog", "is a sequence"),
        ("SELECT dicom(header, 'x'') OR 1=1 --') FROM object_catalog", "there is no attribute"),
        ("SELECT dicom('PatientWeight') FROM object_catalog", "Candidate macros: dicom"),
        ("SELECT dicom(header, PatientWeight) FROM object_catalog", "constant text: dicom"),
        ("SELECT dicom(header, 'Patient' || path) FROM object_catalog", "constant text: dicom"),
        ("SELECT dicom(header, NULL) FROM object_catalog", "constant text: dicom"),
        ("SELECT dicom() FROM object_catalog", "constant text: dicom"),
    ],
)
def test_a_wrong_word_is_one_clear_line(catalog, query, message):
    with pytest.raises(QueryError, match=message) as caught:
        catalog.sql(query).fetchall()
    assert "\n" not in str(caught.value)


def test_a_word_out_of_sight_is_refused_and_not_null(catalog):
    hidden = "FROM query('SELECT dicom(header, ''StudyID'') FROM object_catalog')"
    with pytest.raises(Exception, match="constant text"):
        catalog.sql(f"SELECT *, dicom(header, 'PatientWeight') FROM object_catalog, ({hidden})").fetchall()


def test_a_text_that_only_looks_like_a_call_is_left_alone(catalog):
    query = """SELECT 'dicom(header, ''Nonsense'')' AS "dicom(" /* dicom(header, 'Nonsense') */ -- dicom(header, 'N')"""
    assert catalog.sql(query).fetchall() == [("dicom(header, 'Nonsense')",)]


@given(st.text(max_size=30))
@settings(max_examples=40, deadline=None)
def test_no_word_does_more_than_name_an_attribute(catalog, word):
    try:
        found = catalog.sql("SELECT dicom(header, '" + word.replace("'", "''") + "') FROM object_catalog").fetchall()
    except QueryError:
        return
    assert len(found) == 4


def test_two_threads_ask_by_different_words(catalog):
    assert _of_a(catalog, "dicom(header, 'PatientWeight')") == "70"
    assert _of_a(catalog, "dicom(header, 'StudyDate')") == "20240131"


# What pydicom says of every top-level element of every file that comes with it.

TEXTS = {"AE", "AS", "CS", "DA", "DT", "LO", "LT", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
NUMBERS = {"DS", "IS", "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV"}


def _said(element):
    """Return the values of an element as pydicom has them, ``None`` for what a word does not say."""
    if element.VR not in TEXTS | NUMBERS | {"PN", "AT"}:
        return None
    value = element.value
    values = list(value) if element.VM > 1 else [value]
    return [None if one in (None, "") else one for one in values]


def _spelled(vr, value):
    if value is None:
        return None
    if vr == "AT":
        return f"{int(value):08X}"
    if vr == "PN":
        return str(value).rstrip("=") or None
    return value if vr in NUMBERS else str(value)


def _comparable(dataset, header):
    """Yield the elements whose value pydicom and the header agree to read, with their JSON tag."""
    issues = {issue.path for issue in header.issues}
    for element in dataset:
        tag = f"{int(element.tag):08X}"
        if tag not in issues and element.tag.group != 0x7FE0 and element.tag.element != 0:
            yield tag, element


def _expected(path):
    """Return the header of a file, and what pydicom says of its elements by tag; nothing where it cannot read it."""
    try:
        with pydicom.dcmread(path) as dataset:
            elements = list(dataset.file_meta) + list(dataset)
    except Exception:  # noqa: BLE001 - pydicom cannot read it at all
        return None, {}
    header = read_header(BytesSource(path.read_bytes()))
    expected = {}
    for tag, element in _comparable(elements, header):
        with contextlib.suppress(Exception):  # pydicom cannot convert the value
            if (values := _said(element)) is not None:
                expected[tag] = (element.VR, [_spelled(element.VR, value) for value in values])
    return header, expected


def _answers(catalog, tags):
    """Yield each tag with the text, list and numbers that its words find in each file."""
    ordered = iter(sorted(tags))
    while batch := list(islice(ordered, 8)):
        columns = []
        for tag in batch:
            word = keyword_for_tag(int(tag, 16)) or tag
            if tag[:2] in ("50", "60") and tag[2:4] != "00":  # a keyword of several groups means the first
                word = tag
            columns += [f"{name}(header, '{word}')" for name in ("dicom", "dicom_list", "dicom_numbers")]
        rows = catalog.sql(f"SELECT path, {', '.join(columns)} FROM object_catalog").fetchall()
        for place, tag in enumerate(batch):
            yield tag, {path: found[3 * place : 3 * place + 3] for path, *found in rows}


@pytest.mark.slow
def test_words_say_what_pydicom_says(tmp_path):
    files = {str(number): _expected(path) for number, path in enumerate(pydicom_files())}
    headers = {name: header_json(header) for name, (header, said) in files.items() if said}
    catalog = Catalog(_lake(tmp_path, headers))
    compared, differences = 0, []
    for tag, found in _answers(catalog, {tag for _, said in files.values() for tag in said}):
        for name, (_, said) in files.items():
            if tag in said:
                compared += 1
                if not _agree(*said[tag], *found[name]):
                    differences.append((pydicom_files()[int(name)].name, tag, *said[tag], *found[name]))
    print(*(str(difference)[:300] for difference in differences), sep="\n")
    assert not differences
    assert len(headers) > 100
    assert compared > 5_000


def _agree(vr, values, text, as_list, as_numbers):
    """Say whether words and pydicom have the same values; pydicom leaves padding at the end of some (PS3.5 6.2)."""
    if all(value is None for value in values):
        return not any(as_list or ()) and text is None
    if vr in NUMBERS:
        return as_numbers == [None if value is None else float(value) for value in values]
    padding = " \0"
    stripped = [value and (value.rstrip(padding) or None) for value in values]
    found = [value and value.rstrip(padding) for value in as_list]
    parts = [text] if len(values) == 1 else text.split("\\")  # a text such as a UT may hold a backslash
    return found == stripped and [part.rstrip(padding) for part in parts] == [value or "" for value in stripped]
