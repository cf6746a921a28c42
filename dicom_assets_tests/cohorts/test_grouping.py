"""Nobody stands in two splits, and nobody moves when others come."""

from collections import defaultdict

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_assets.cohorts.errors import SplitError
from dicom_assets.cohorts.grouping import BY, assign, draw
from dicom_assets.cohorts.recipe import Split

COLUMNS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
HALVES = Split((("a", 0.5), ("b", 0.5)))


def table(rows, by="PatientID"):
    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in COLUMNS}
    return pa.table({**columns, BY: pa.array([row.get(by) for row in rows], pa.string())})


def row(number, patient="P", study="1", series="1.1", **more):
    return dict(zip(COLUMNS, (patient, study, series, f"9.{number}"), strict=True)) | more


def splits(rows, split=HALVES, by="PatientID"):
    try:
        return assign(table(rows, by), split).to_pylist()
    except SplitError:
        return None


def few(prefix):
    return st.one_of(st.none(), st.just(""), st.integers(0, 12).map(lambda n: f"{prefix}{n}"))


ROWS = st.lists(
    st.fixed_dictionaries({"patient": few("P"), "study": few("1."), "series": few("2."), "Site": few("S")}), min_size=1
).map(lambda found: [row(number, **one) for number, one in enumerate(found)])


@given(ROWS, st.integers(0, 3), st.sampled_from(["PatientID", "StudyInstanceUID", "Site"]))
@settings(max_examples=200, deadline=None)
def test_nothing_that_is_shared_is_divided(rows, seed, by):
    found = splits(rows, Split(HALVES.shares, by, seed), by)
    if found is None:
        return
    for column in {*COLUMNS, by}:
        seen = defaultdict(set)
        for one, split in zip(rows, found, strict=True):
            if one[column]:
                seen[one[column]].add(split)
        assert all(len(where) == 1 for where in seen.values()), column


@given(ROWS, st.integers(0, 3), st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_does_not_count(rows, seed, random):
    split = Split(HALVES.shares, seed=seed)
    first = splits(rows, split)
    shuffled = random.sample(rows, len(rows))
    second = splits(shuffled, split)
    if first is not None:
        where = {one["SOPInstanceUID"]: there for one, there in zip(shuffled, second, strict=True)}
        assert [where[one["SOPInstanceUID"]] for one in rows] == first


def test_patients_stay_where_they_are_when_others_come():
    rows = [row(number, f"P{number}", f"1.{number}", f"2.{number}") for number in range(500)]
    all_of_them = splits(rows)
    assert splits(rows[100:300]) == all_of_them[100:300]
    assert splits([*rows, row(999, "P3", "1.999", "2.999")])[-1] == all_of_them[3], "a new study of an old patient"


def test_shares_come_out_as_asked_for():
    rows = [row(number, f"P{number}", f"1.{number}", f"2.{number}") for number in range(10_000)]
    split = Split.parse("train=0.7,val=0.1,test=0.2", seed=5)
    found = splits(rows, split)
    for name, share in split.shares:  # four standard deviations
        assert abs(found.count(name) / len(rows) - share) < 4 * (share * (1 - share) / len(rows)) ** 0.5


def test_another_seed_is_another_draw_and_the_same_seed_the_same():
    names = [f"0=P{number}" for number in range(200)]
    first, again, other = ([draw(name, Split(HALVES.shares, seed=seed)) for name in names] for seed in (1, 1, 2))
    assert first == again != other


def test_the_draw_is_the_one_that_is_documented():
    """Cohorts of years ago are made again by it: this must never change."""
    split = Split.parse("train=0.8,test=0.2", seed=1)
    found = "".join(draw(f"0=P{number}", split)[1] for number in range(40))
    assert found == "rrrrrrrrerrrrrrrrererrerrrrrrrreererrerr"


def test_a_study_with_two_patient_ids_is_one_group():
    rows = [row(0, "P1", "1"), row(1, "P2", "1", "1.2"), row(2, "P2", "2", "2.1"), row(3, None, "2", "2.2")]
    for seed in range(20):
        found = splits(
            [*rows, *(row(9 + n, f"Q{n}", f"7.{n}", f"7.{n}.1") for n in range(20))], Split(HALVES.shares, seed=seed)
        )
        assert len(set(found[:4])) == 1


def test_without_patient_the_study_counts_and_without_study_the_series():
    rows = [row(n, None, f"1.{n // 2}", f"2.{n}") for n in range(40)]
    found = splits(rows)
    assert found[::2] == found[1::2]
    assert set(found) == {"a", "b"}
    alone = splits([row(n, None, None, f"2.{n // 2}") for n in range(40)])
    assert alone[::2] == alone[1::2]
    assert set(splits([row(n, None, None, None) for n in range(40)])) == {"a", "b"}


def test_an_empty_split_is_refused():
    with pytest.raises(SplitError, match="would be empty: 1 groups by PatientID"):
        assign(table([row(0), row(1)]), HALVES)
