from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.serve.browser.selection import (
    FACET_NAMES,
    MOST_RESULTS,
    PAGE_ROWS,
    SCOPE_NAMES,
    Level,
    Selection,
    SelectionError,
    View,
)

texts = st.text(st.characters(codec="utf-8"), max_size=40)
selections = st.builds(
    lambda level, facets, scope, text, where, sort, view, page: Selection.parse(
        [("level", level), ("q", text), ("where", where), ("sort", sort), ("page", str(page))]
        + ([("view", view)] if view else [])
        + facets
        + scope
    ),
    st.sampled_from(Level),
    st.lists(st.tuples(st.sampled_from(FACET_NAMES), texts), max_size=8),
    st.lists(st.tuples(st.sampled_from(SCOPE_NAMES), texts), max_size=3),
    texts,
    texts,
    texts,
    st.sampled_from([None, *View]),
    st.integers(1, MOST_RESULTS // PAGE_ROWS),
)


def parsed(link):
    return Selection.parse(parse_qsl(urlsplit(link).query, keep_blank_values=True))


@given(selections)
def test_a_link_is_a_cohort(selection):
    assert parsed(selection.link()) == selection
    assert selection.link("/plots").startswith("/plots")


@given(selections, st.sampled_from(FACET_NAMES), texts)
def test_a_value_that_is_chosen_twice_is_not_chosen(selection, facet, value):
    first = selection.at(1)
    twice = first.toggled(facet, value).toggled(facet, value)
    assert twice == first
    assert (value in first.chosen(facet)) != (value in first.toggled(facet, value).chosen(facet))


def test_two_links_to_one_cohort_are_equal():
    one = Selection().toggled("modality", "MR").toggled("modality", "CT").toggled("body", "")
    other = Selection().toggled("body", "").toggled("modality", "CT").toggled("modality", "MR")
    assert one == other
    assert one.link() == "/?modality=CT&modality=MR&body="
    assert Selection().link() == "/"


def test_one_level_down_the_scope_narrows():
    study = Selection().toggled("modality", "CT").within("study", "1.2", Level.SERIES)
    series = study.within("series", "1.2.3", Level.FILES)
    assert series.scope == (("study", "1.2"), ("series", "1.2.3"))
    assert series.chosen("modality") == ("CT",)
    assert series.without_scope("series").scope == study.scope
    assert series.sorted_by("size").sorted_by("size").sort == "-size"
    assert not series.is_everything
    assert Selection().at(3).is_everything


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ([("modalty", "CT")], "no filter of this name"),
        ([("level", "frames")], "no such level"),
        ([("view", "list")], "no such view"),
        ([("page", "0")], "numbered from 1"),
        ([("page", "²")], "numbered from 1"),
        ([("page", "9" * 400)], "numbered from 1"),
        ([("q", "x" * 201)], "longer than 200"),
        ([("where", "x" * 4001)], "longer than 4000"),
        ([("modality", str(n)) for n in range(61)], "more than 60"),
        ([("q", "\ud800")], "no UTF-8"),
    ],
)
def test_what_no_page_shows_is_refused(pairs, reason):
    with pytest.raises(SelectionError, match=reason) as refused:
        Selection.parse(pairs)
    assert "\n" not in str(refused.value)
