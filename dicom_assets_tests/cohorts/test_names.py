"""Names of folders and files are safe whatever headers say, and tell values apart."""

from pathlib import PurePosixPath

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dicom_assets.cohorts.members import SCHEMA
from dicom_assets.cohorts.names import safe_name, targets

HOSTILE = [
    "..",
    ".",
    "../../etc/passwd",
    "/etc",
    "a/b",
    "a\\b",
    "-rf",
    "~",
    "CON",
    "a\nb",
    "\0",
    "a" * 5000,
    "_x",
    "é",
    "\ud800",
]


def members(*rows):
    whole = [{"path": f"/archive/{n}", "relative_path": f"{n}", **row} for n, row in enumerate(rows)]
    return pa.Table.from_pylist(whole, SCHEMA)


@given(st.text(min_size=1))
@example("..")
@example("%2E%2E")
@example("a" * 101)
def test_a_name_is_one_harmless_part_of_a_path(value):
    name = safe_name(value)
    assert name.isascii()
    assert 0 < len(name) <= 100
    assert not set(name) & set('/\\\0\n:*?"<>| ')
    assert name[0] not in "._-"
    assert not name.endswith(".")
    assert PurePosixPath("/folder", name).parent == PurePosixPath("/folder")


@given(st.text(min_size=1), st.text(min_size=1))
@example("..", "%2E%2E")
@example("a/b", "a%2Fb")
@example("a" * 200, "a" * 201)
def test_different_values_have_different_names(one, other):
    assert (safe_name(one) == safe_name(other)) == (one == other)


def test_plain_identifiers_are_as_they_are():
    for value in ("P1", "1.2.840.10008", "TCGA-AB_1.x"):
        assert safe_name(value) == value


@pytest.mark.parametrize("value", HOSTILE[:-1])
def test_no_value_leads_out_of_the_folder(value):
    row = {"PatientID": value, "StudyInstanceUID": value, "SeriesInstanceUID": value, "SOPInstanceUID": value}
    (target,) = targets(members(row))
    parts = PurePosixPath(target).parts
    assert len(parts) == 4
    assert not {"..", ".", "/"} & set(parts)


def test_missing_identifiers_have_folders_that_no_value_has():
    (target,) = targets(members({"SOPInstanceUID": "1.2"}))
    assert target == "_no-patient-id/_no-study/_no-series/1.2.dcm"
    (named,) = targets(members({"SOPInstanceUID": "1.2", "PatientID": "_no-patient-id"}))
    assert not named.startswith("_")


def test_copies_of_an_object_are_told_apart_in_their_order():
    row = {"PatientID": "P", "StudyInstanceUID": "1", "SeriesInstanceUID": "2", "SOPInstanceUID": "3"}
    found = list(targets(members(row, {**row, "PatientID": "p"}, row, row)))
    assert found == ["P/1/2/3.dcm", "p/1/2/3~2.dcm", "P/1/2/3~3.dcm", "P/1/2/3~4.dcm"]
    assert len({name.casefold() for name in found[:1] + found[2:]}) == 3


def test_splits_come_first_and_packed_files_say_so():
    row = {"PatientID": "P", "StudyInstanceUID": "1", "SeriesInstanceUID": "2", "SOPInstanceUID": "3", "split": "train"}
    assert list(targets(members({**row, "relative_path": "a/b.DCM.GZ"}))) == ["train/P/1/2/3.dcm.gz"]


@given(
    st.lists(st.tuples(*(st.sampled_from(["a", "A", "a~2", "%61", "..", None]),) * 3, st.sampled_from(["1", "1~2"])))
)
def test_no_two_members_have_one_target(rows):
    names = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    found = [target.casefold() for target in targets(members(*(dict(zip(names, row, strict=True)) for row in rows)))]
    assert len(set(found)) == len(found)
