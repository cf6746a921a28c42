"""The reference page of the checks is in step with the code."""

from pathlib import Path

from dicom_assets.checks import CheckOptions, checks_of
from dicom_assets.checks.describe import checks_page, main
from dicom_assets.extract.model import DEFAULT_MODEL

ROOT = Path(__file__).parents[2]
REMEDY = "stale: run `python -m dicom_assets.checks.describe`"


def test_page_of_checks_is_in_step_with_the_checks():
    assert (ROOT / "docs" / "checks.md").read_text(encoding="utf-8") == checks_page(), REMEDY


def test_page_names_every_check_and_every_option():
    page = checks_page()
    for check in checks_of(DEFAULT_MODEL):
        assert f"| `{check.name}` | `{check.table.name}` |" in page
    for name in CheckOptions.__dataclass_fields__:
        assert f"`CheckOptions.{name}`" in page


def test_a_stale_page_is_replaced(tmp_path):
    main(tmp_path)
    assert (tmp_path / "docs" / "checks.md").read_text(encoding="utf-8") == checks_page()
