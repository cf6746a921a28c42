"""The pages that are made from the code are in step with it."""

import importlib.util
import re

import pytest

from dicom_assets_tests.support.snippets import PROJECT

_SPEC = importlib.util.spec_from_file_location("reference", PROJECT / "docs" / "tools" / "reference.py")
reference = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(reference)


@pytest.mark.parametrize("name", list(reference.PAGES))
def test_a_page_is_in_step(name):
    page = (PROJECT / "docs" / name).read_text(encoding="utf-8")
    assert page == reference.PAGES[name](), "stale: run `make reference`"


def test_every_command_and_option_is_there():
    page = reference.cli_page()
    for command in ("catalog", "sql", "cohort create", "viewer install", "ui"):
        assert f"## {command}\n" in page
    for option in ("--lake TEXT", "--mode sync/append/overwrite", "--limit INTEGER", "--to PATH"):
        assert f"`{option}`" in page


def test_every_variable_is_there():
    from dicom_assets.orchestration import definitions
    from dicom_assets.spark import settings

    values = [*vars(definitions).values(), *vars(settings).values()]
    names = {value for value in values if isinstance(value, str) and value.startswith("DICOM_")}
    assert names == set(
        re.findall(r"`(DICOM_ASSETS_\w+)`", reference.configuration_page().partition("## Resources")[0])
    )


def test_every_field_and_option_says_what_it_is():
    for line in reference.configuration_page().splitlines():
        if line.startswith("| `"):
            assert len(line.split(" | ")[1].strip()) > 10, line


def test_the_metadata_of_a_run_is_described(deployment):
    events = deployment.run_all().get_asset_materialization_events()
    seen = {name for event in events for name in event.materialization.metadata}
    described = {*reference.TABLE_METADATA, *reference.RUN_METADATA, *reference.PARTITION_METADATA}
    unknown = {name for name in seen if name not in described and not name.startswith("status/")}
    assert not unknown, "describe them in docs/tools/reference.py"
    absent = described - seen - reference.NOT_ALWAYS
    assert not absent, "no run reports them any more"
