import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_assets.serve.browser.facet import FACETS
from dicom_assets.serve.browser.facets import Cube, counted
from dicom_assets.serve.browser.selection import FACET_NAMES, Selection
from dicom_assets.serve.remembered import Remembered

VALUES = ("", "CT", "MR")
files = st.lists(st.tuples(*[st.sampled_from(VALUES)] * len(FACET_NAMES)), max_size=30)


def cube_of(rows):
    columns = {name: [row[place] for row in rows] for place, name in enumerate(FACET_NAMES)}
    table = pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})
    return Cube(
        table.group_by(list(FACET_NAMES)).aggregate([([], "count_all")]).rename_columns([*FACET_NAMES, "files"])
    )


@settings(max_examples=60, deadline=None)
@given(files, st.lists(st.tuples(st.sampled_from(FACET_NAMES), st.sampled_from(VALUES)), max_size=4))
def test_counts_are_those_of_the_files_under_the_other_facets(rows, chosen):
    selection = Selection.parse(chosen)
    cube = cube_of(rows)

    def matches(row, besides=None):
        return all(
            not selection.chosen(name) or name == besides or row[place] in selection.chosen(name)
            for place, name in enumerate(FACET_NAMES)
        )

    assert cube.total(selection) == sum(map(matches, rows))
    for place, facet in enumerate(FACETS):
        expected = dict.fromkeys(selection.chosen(facet.name), 0)
        for row in rows:
            if matches(row, facet.name):
                expected[row[place]] = expected.get(row[place], 0) + 1
        assert {count.value: count.files for count in cube.counts(facet, selection)} == expected
    both = cube.by("month", "modality", selection)
    assert sum(both.values()) == cube.total(selection)


def test_the_most_frequent_comes_first_files_that_state_none_last_and_a_facet_without_values_is_left_out():
    cube = cube_of([("CT", "", "", "2024-01", "ok", ""), ("MR", "", "", "2024-02", "ok", ""), ("MR", *([""] * 5))])
    found = {one.facet.name: [(c.label, c.files) for c in one.counts] for one in counted(cube, Selection())}
    assert found == {
        "modality": [("MR", 2), ("CT", 1)],
        "month": [("2024-02", 1), ("2024-01", 1), ("not stated", 1)],
        "status": [("ok", 2), ("not stated", 1)],
    }


def test_answers_are_kept_for_one_version_and_not_without_end():
    asked = []
    known = Remembered(2)

    def ask(version, question):
        return known.get(version, question, lambda: asked.append(question) or question)

    one, other = object(), object()
    assert [ask(one, name) for name in "aabca"] == list("aabca")
    assert asked == list("abca"), "the third made the first go"
    ask(other, "a")
    ask(one, "a")
    assert asked == list("abcaaa")
