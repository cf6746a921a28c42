"""docs/headers.md says what the code does: limits, statuses, codes, and tests that exist."""

import dataclasses
import re
from pathlib import Path

import pytest

from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.limits import DEFAULT_LIMITS
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.dicom.header import test_damaged, test_duplicates, test_resync, test_trailing

PAGE = (Path(__file__).parents[3] / "docs" / "headers.md").read_text("utf-8")


def section(title):
    return re.split(r"^## ", PAGE.partition(f"\n## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("field", dataclasses.fields(DEFAULT_LIMITS), ids=lambda field: field.name)
def test_limits(field):
    assert f"| `{field.name}` | {getattr(DEFAULT_LIMITS, field.name):,} |" in section("Limits")


def test_statuses():
    assert re.findall(r"^\| `(\w+)` ", section("Status"), re.MULTILINE) == list(HeaderStatus)


def test_codes():
    rows = re.findall(r"^\| (`.*?`) \|", section("Issue codes"), re.MULTILINE)
    assert re.findall(r"`(\w+)`", "".join(rows)) == list(IssueCode)


def test_damages():
    rows = re.findall(r"^\| .* \| `(\w+)` \| .* \| `(\w+)` \|$", section("Damaged files"), re.MULTILINE)
    assert len(rows) > 40
    assert {status for status, _ in rows} <= set(HeaderStatus)
    modules = (test_damaged, test_resync, test_duplicates, test_trailing)
    known = {name for module in modules for name in dir(module) if callable(getattr(module, name))}
    assert not {test for _, test in rows} - known
