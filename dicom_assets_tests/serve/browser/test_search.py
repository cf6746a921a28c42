"""A search from one pass finds what the counts and the rows from a pass each are."""

import pytest

from dicom_assets.serve.browser.facet import FACETS
from dicom_assets.serve.browser.facets import Facets
from dicom_assets.serve.browser.listing import rows_of
from dicom_assets.serve.browser.search import is_search, search
from dicom_assets.serve.browser.selection import Level, Selection


@pytest.mark.parametrize(
    "query",
    [
        {"q": "s"},
        {"q": "scout", "sort": "-InstanceNumber"},
        {"q": "dcm", "modality": "CT", "sort": "size"},
        {"where": "Rows > 10", "status": "ok", "sort": "-StudyDate"},
        {"q": "s", "month": "2024-02", "modality": "OT", "where": "InstanceNumber > 2"},
        {"q": "s", "modality": ""},
        {"q": "dcm", "level": "problems"},
        {"q": "nothing of this kind"},
    ],
)
def test_one_pass_finds_what_two_do(served, query):
    selection = Selection.parse({"level": "files", **query}.items())
    assert is_search(selection)
    catalog = served.catalog
    found, cube = search(catalog, selection), Facets().cube(catalog, selection)
    assert [path for _, path in found.keys] == [row["path"] for row in rows_of(catalog, selection, 0).rows]
    for facet in FACETS:
        assert found.cube.counts(facet, selection) == cube.counts(facet, selection)
    assert found.cube.total(selection) == cube.total(selection)


def test_what_needs_no_pass_over_texts_is_no_search():
    assert not is_search(Selection(level=Level.FILES))
    assert not is_search(Selection(level=Level.STUDIES, text="x"))
