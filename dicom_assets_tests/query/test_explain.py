"""A column that is not there may be an attribute of the header."""

import duckdb
import pytest

from dicom_assets.query import Catalog, QueryError
from dicom_assets.query.explain import explain
from dicom_assets.query.relations import Relations


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELECT FlipAngle FROM object_catalog",
            r"no column FlipAngle; it is in the header: dicom\(header, 'FlipAngle'\)",
        ),
        ("SELECT flipangle FROM object_catalog", r"may be meant for FlipAngle, .* dicom\(header, 'FlipAngle'\)"),
        ("SELECT FlipAngel FROM object_catalog", r"may be meant for FlipAngle, .* dicom\(header, 'FlipAngle'\)"),
        ("SELECT count(*) FROM object_catalog WHERE PatientWeight > 80", r"dicom\(header, 'PatientWeight'\)"),
        ("SELECT c.FlipAngle FROM object_catalog AS c", r"dicom\(header, 'FlipAngle'\)"),
        ("SELECT Modalty FROM object_catalog", r'Candidate bindings: "Modality"'),
        ("SELECT nothing_like_it FROM object_catalog", r'"nothing_like_it" not found'),
    ],
)
def test_what_is_suggested_is_what_answers(lake, query, message):
    with pytest.raises(QueryError, match=message) as caught:
        Catalog(lake).sql(query)
    assert "\n" not in str(caught.value)
    assert "PatientAge" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("file_index", "path IN (SELECT path FROM object_catalog WHERE dicom(header, 'FlipAngle') = '...')"),
        ("file_index JOIN object_catalog USING (path)", "dicom(header, 'FlipAngle')"),
        ("(SELECT 1 AS n)", "dicom(header, 'FlipAngle') in a query of object_catalog"),
    ],
)
def test_where_there_are_no_headers_the_hint_leads_to_those_of_files(lake, source, hint):
    with pytest.raises(QueryError) as caught:
        Catalog(lake).sql(f"SELECT 1 FROM {source} WHERE FlipAngle > 30")
    assert str(caught.value).endswith(f": {hint}")


@pytest.mark.parametrize("key", ["SeriesInstanceUID", "StudyInstanceUID", "PatientID"])
def test_series_studies_and_patients_are_found_by_those_of_their_files(key):
    with pytest.raises(duckdb.BinderException) as caught:
        duckdb.connect().sql(f"SELECT FlipAngle FROM (SELECT '1' AS {key})")
    told = explain(caught.value, lambda: {key, "PatientID"}, Relations.of((), ()), {})
    assert told == (
        "there is no column FlipAngle; it is in the headers of files: "
        f"{key} IN (SELECT {key} FROM object_catalog WHERE dicom(header, 'FlipAngle') = '...')"
    )
