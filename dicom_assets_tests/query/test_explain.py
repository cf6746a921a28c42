"""A column that is not there may be an attribute of the header."""

import pytest

from dicom_assets.query import Catalog, QueryError


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
