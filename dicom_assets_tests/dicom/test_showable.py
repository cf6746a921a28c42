import pytest

from dicom_assets.dicom.showable import may_be_shown


@pytest.mark.parametrize("status", ["ok", "issues", "truncated"])
@pytest.mark.parametrize(
    ("said", "shown"),
    [("YES", False), (" yes ", False), ("Yes", False), ("NO", True), ("", True), (None, True), ("UNKNOWN", True)],
)
def test_what_says_that_it_identifies_the_patient_is_not_shown(said, shown, status):
    assert may_be_shown(said, status) is shown


@pytest.mark.parametrize("said", ["YES", "NO", None])
@pytest.mark.parametrize("status", [None, "error", "unsupported", "not_dicom"])
def test_nothing_is_shown_while_it_is_not_known_what_its_header_says(said, status):
    assert not may_be_shown(said, status)
