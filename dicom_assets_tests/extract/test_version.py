"""The versions of extractors: an option that shapes rows and is not in the version leaves stale rows behind."""

import subprocess
import sys
from dataclasses import dataclass, field, fields, is_dataclass, replace

import pytest

from dicom_assets.dicom.render.options import Limits
from dicom_assets.dicom.thumbnail import ThumbnailOptions
from dicom_assets.extract.thumbnails import ThumbnailExtractor
from dicom_assets.extract.version import changed_options
from dicom_assets_tests.support.dicom import hostile


def render_nothing(plan, frames):
    raise NotImplementedError


def every_other_value(options):
    """Yield copies of options, each with one field changed, down into the dataclasses within."""
    for option in fields(options):
        value = getattr(options, option.name)
        if is_dataclass(value):
            yield from (replace(options, **{option.name: changed}) for changed in every_other_value(value))
        else:
            yield replace(options, **{option.name: render_nothing if callable(value) else value + 1})


def test_every_option_of_thumbnails_counts_in_the_version():
    changed = list(every_other_value(ThumbnailOptions()))
    assert len(changed) >= 7
    versions = [ThumbnailExtractor(options).version for options in (ThumbnailOptions(), *changed)]
    assert len(set(versions)) == len(versions)


def test_the_defaults_keep_the_version_short():
    assert ThumbnailExtractor().version == "thumbnails-2"
    assert ThumbnailExtractor(ThumbnailOptions(limits=Limits(seconds=30))).version == "thumbnails-2"


@pytest.mark.parametrize(
    ("options", "version"),
    [
        (ThumbnailOptions(longest_side=128), "thumbnails-2+longest_side=128"),
        (ThumbnailOptions(limits=Limits(seconds=5)), "thumbnails-2+limits.seconds=5"),
        (
            ThumbnailOptions(jpeg_quality=80, renderer=hostile.render_hostile),
            "thumbnails-2+jpeg_quality=80+renderer=dicom_assets_tests.support.dicom.hostile:render_hostile",
        ),
    ],
)
def test_a_version_names_what_differs_from_the_defaults(options, version):
    assert ThumbnailExtractor(options).version == version


def test_a_version_is_the_same_in_every_process():
    code = (
        "from dicom_assets.dicom.thumbnail import ThumbnailOptions\n"
        "from dicom_assets.extract.thumbnails import ThumbnailExtractor\n"
        "from dicom_assets_tests.support.dicom.hostile import render_hostile\n"
        "print(ThumbnailExtractor(ThumbnailOptions(renderer=render_hostile)).version)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert told == ThumbnailExtractor(ThumbnailOptions(renderer=hostile.render_hostile)).version


@dataclass(frozen=True)
class Later:
    """Options of an extractor to come."""

    size: int = 1
    added_later: str = "a"
    within: Limits = field(default_factory=Limits)


def test_an_option_that_is_added_later_counts_without_being_named():
    assert changed_options(Later()) == ""
    assert changed_options(Later(added_later="b", within=Limits(max_bytes=2))) == "+added_later=b+within.max_bytes=2"
