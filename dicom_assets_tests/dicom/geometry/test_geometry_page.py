"""The page about geometry is in step with the code."""

import re

import pytest

from dicom_assets.dicom.geometry import DISCRIMINATORS, NotVolume, Orientation
from dicom_assets_tests.support.snippets import PROJECT

PAGE = (PROJECT / "docs" / "geometry.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*NotVolume, *Orientation, *DISCRIMINATORS])
def test_every_name_is_explained(name):
    assert f"`{name}`" in PAGE


def test_reasons_are_in_the_order_in_which_they_are_looked_at():
    table = PAGE.partition("## Why not")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)[1:] == list(NotVolume)
