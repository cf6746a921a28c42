"""Which cut makes no more prefixes than Dagster takes well."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.archive import many_prefixes
from dicom_assets.archive.many_prefixes import MOST_PREFIXES, too_many
from dicom_assets.archive.prefixes import PrefixCut, moved_prefix

PATIENTS = [f"PAT{number:06}" for number in range(MOST_PREFIXES + 1)]


def test_as_many_as_dagster_takes_are_well():
    assert too_many(PATIENTS[1:], PrefixCut()) is None
    assert too_many([".", *PATIENTS[1:]], PrefixCut()) is not None


def test_the_finest_cut_that_makes_fewer_is_named_with_its_number_and_how_to_get_there():
    many = too_many([".", *PATIENTS], PrefixCut())
    assert (many.better, many.better_count) == (PrefixCut(1, 8), 2002)
    for words in (
        "20,002 prefixes of depth 1",
        "--prefix-depth 1 --prefix-chars 8 would make 2,002",
        "--move-prefixes",
    ):
        assert words in str(many)


def test_a_cut_that_makes_too_many_is_made_coarser():
    keys = [f"{chr(0x4E00 + number)}a*" for number in range(MOST_PREFIXES)] + ["zz*"]
    assert too_many(keys, PrefixCut(1, 2)).better == PrefixCut(0), "one character is too many, too"


def test_a_depth_less_is_taken_where_names_do_not_help():
    keys = [f"{number:05}/{letter}" for number in range(MOST_PREFIXES) for letter in "ab"]
    assert too_many(keys, PrefixCut(2)).better == PrefixCut(1)


names = st.text("ab*\u00e9.", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))


@given(st.lists(st.tuples(names, names), min_size=6, max_size=40), st.integers(0, 3), st.sampled_from([1, 2]))
def test_the_number_is_that_of_the_prefixes_that_the_catalog_would_have(folders, chars, depth):
    cut = PrefixCut(depth, chars)
    keys = {cut.key(folder) for folder in folders}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many_prefixes, "MOST_PREFIXES", 5)
        many = too_many(keys, cut)
        if many is None:
            assert len(keys) <= 5
            return
    assert {moved_prefix(key, cut, many.better) for key in keys} == {many.better.key(folder) for folder in folders}
    assert many.better_count == len({many.better.key(folder) for folder in folders}) <= 5
