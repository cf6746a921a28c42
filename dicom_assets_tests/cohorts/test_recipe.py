"""What is asked for: shares, levels, names."""

import pytest

from dicom_assets.cohorts.errors import CohortNameError, SplitError
from dicom_assets.cohorts.recipe import Reference, Split, check_name


def test_shares_are_read_and_written():
    split = Split.parse("train=0.8, val=0.1,test=0.1", "StationName", 7)
    assert split == Split((("train", 0.8), ("val", 0.1), ("test", 0.1)), "StationName", 7)
    assert Split.parse(str(split), "StationName", 7) == split


@pytest.mark.parametrize(
    "text",
    [
        *("", "train", "train=", "train=x", "train=0.8", "train=0.8,test=0.3", "a=0,b=1", "a=-1,b=2", "a=1.0.0"),
        *("a=0.5,A=0.5", "../x=1", "a/b=1", "a=0.5,,b=0.5", "a=nan", "a=inf"),
    ],
)
def test_shares_that_make_no_sense_are_refused(text):
    with pytest.raises(SplitError):
        Split.parse(text)


def test_three_thirds_are_one():
    assert len(Split.parse("a=0.333333,b=0.333333,c=0.333334").shares) == 3
    Split((("a", 1 / 3), ("b", 1 / 3), ("c", 1 / 3)))


@pytest.mark.parametrize("name", ["", "1a", "a b", "a/b", "..", "a.b", "_a", "-a", "a" * 101, "ä", "a\n", "a@1"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(CohortNameError):
        check_name(name)


def test_references():
    assert Reference.parse("chest-ct_2") == Reference("chest-ct_2")
    assert Reference.parse("a@0") == Reference("a", 0)
    assert str(Reference("a", 3)) == "a@3"
    for text in ("a@", "a@-1", "a@x", "a@1@2", "@1", "a@²"):
        with pytest.raises(CohortNameError):
            Reference.parse(text)
