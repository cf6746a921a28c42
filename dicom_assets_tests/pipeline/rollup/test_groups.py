"""What Arrow counts for all groups at once is what Python counts for each."""

from collections import Counter

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.pipeline.rollup.groups import Groups, as_counts

SCHEMA = pa.schema([("key", pa.string()), ("value", pa.string()), ("number", pa.int64())])
rows = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["1", "1.2", "2"]),
            "value": st.sampled_from([None, "a", "b"]),
            "number": st.sampled_from([None, 1, 2**40]),
        }
    ),
    max_size=20,
).map(lambda found: sorted(found, key=lambda row: row["key"]))


def by_key(found: list[dict]) -> list[list[dict]]:
    return [[row for row in found if row["key"] == key] for key in sorted({row["key"] for row in found})]


@given(rows)
def test_counts_values_and_sums(found):
    groups, expected = Groups(pa.Table.from_pylist(found, SCHEMA), "key"), by_key(found)
    assert groups.keys == sorted({row["key"] for row in found})
    assert groups.sizes.tolist() == [len(group) for group in expected]
    named = [Counter(row["value"] for row in group if row["value"] is not None) for group in expected]
    assert groups.counts("value") == named
    assert groups.values("value") == [sorted(counts) for counts in named]
    assert groups.sums(groups.rows["number"]) == [sum(row["number"] or 0 for row in group) for group in expected]
    assert [group.to_pylist() for group in groups.slices()] == expected


@given(rows)
def test_the_first_of_each_value_stays_and_all_without_one(found):
    expected = []
    for group in by_key(found):
        seen = set()
        for row in group:
            if row["value"] is None or row["value"] not in seen:
                expected.append(row)
            seen.add(row["value"])
    assert Groups(pa.Table.from_pylist(found, SCHEMA), "key").first_of_each("value").rows.to_pylist() == expected


def test_the_most_frequent_comes_first():
    assert as_counts({"b": 1, "a": 1, "c": 2}) == [
        {"value": "c", "files": 2},
        {"value": "a", "files": 1},
        {"value": "b", "files": 1},
    ]
