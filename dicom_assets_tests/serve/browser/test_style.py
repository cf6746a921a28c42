"""The style sheet: legible in both schemes, and nothing from elsewhere."""

import re

import pytest

from dicom_assets.serve.browser.static import content
from dicom_assets_tests.query.test_gallery import _contrast

CSS = content("browser.css").decode()
_ROOTS = [dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)]
THEMES = {"light": _ROOTS[0], "dark": _ROOTS[0] | _ROOTS[1]}


@pytest.mark.parametrize("theme", THEMES)
def test_all_text_has_a_contrast_of_at_least_4_5(theme):
    colours = THEMES[theme]
    grounds = {"text": ("ground", "panel"), "quiet": ("ground", "panel"), "accent": ("ground", "panel", "chosen")}
    grounds |= {"warn": ("ground", "panel"), "bad": ("ground", "panel"), "view-quiet": ("view",)}
    for text, behind in grounds.items():
        for ground in behind:
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for number in range(8):
        assert _contrast(colours[f"c{number}"], colours["panel"]) >= 2.5, f"bars of the colour {number}"


def test_colours_stand_in_the_themes_and_nothing_is_loaded():
    rules = re.sub(r":root \{.*?\}", "", CSS, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-f]{3,8}\b(?=[;, )])|rgba?\(", rules) == []
    assert "url(" not in CSS
    assert "@import" not in CSS
