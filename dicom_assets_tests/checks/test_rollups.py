"""The checks of series and studies pass on sound tables, and fail on those that were changed to break their promise."""

import shutil

import pyarrow as pa
import pytest

from dicom_assets.checks import Severity, check_catalog, checks_of
from dicom_assets.checks.rollups import NO_FILES, NO_ROW, OTHER_COUNTS
from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.files import write_batches
from dicom_assets.extract.headers import with_columns
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL, CatalogModel
from dicom_assets.extract.rollups import SERIES
from dicom_assets.query import Catalog
from dicom_assets_tests.support.slices import put_slice, put_volume, update


@pytest.fixture
def source(tmp_path):
    source = tmp_path / "source"
    put_volume(source / "a", "1.1")
    put_volume(source / "it's b", "1.1", [6, 7])
    put_volume(source / "it's b", "1.2", StudyInstanceUID="2.9")
    return source


def outcomes(lake, prefixes=None):
    found = {(one.check.table.name, one.check.name): one for one in check_catalog(lake, prefixes)}
    return {key: one for key, one in found.items() if key[0] in ("series", "studies")}


def failed(lake, prefixes=None):
    return {key: one for key, one in outcomes(lake, prefixes).items() if not one.passed}


def cases(lake, outcome):
    """Return what the SQL of an outcome lists: as many cases as were counted."""
    rows = Catalog(lake).sql(outcome.sql).fetchall()
    assert len(rows) == outcome.measured.found
    return rows


def test_all_pass_on_sound_tables(source, lake):
    update(source, lake)
    assert not failed(lake)
    assert {name for _, name in outcomes(lake)} == {
        "key_is_unique",
        "schema_is_as_declared",
        "equals_its_groups",
        "few_errors",
        "patient_is_one",
    }


def test_a_series_in_two_prefixes_stands_twice_and_in_one_it_must_not(source, lake):
    update(source, lake)
    snapshot = lake.snapshot(SERIES, ["a"])
    again = pa.Table.from_batches([batch for _, batch in snapshot.rows(SERIES.schema.names)], SERIES.schema)
    adds = write_batches(snapshot.location.filesystem(), SERIES, again.to_batches())
    commit(snapshot.location, Change(adds, (), snapshot.writes))
    found = failed(lake)
    assert found["series", "key_is_unique"].check.blocking
    (row,) = cases(lake, found["series", "key_is_unique"])
    assert row == ("a", "1.1", 2)


def test_rows_that_grouping_does_not_give(source, lake):
    update(source, lake)
    lake.location(SERIES).open().delete("prefix = 'a'")
    lake.location(SERIES).open().update({"files": "9"}, predicate="SeriesInstanceUID = '1.2'")
    lake.location(SERIES).open().update({"SeriesInstanceUID": "'9.9'"}, predicate="SeriesInstanceUID = '1.1'")
    outcome = failed(lake)["series", "equals_its_groups"]
    assert outcome.severity is Severity.WARN
    assert outcome.measured.kinds == {NO_FILES: 1, OTHER_COUNTS: 1, NO_ROW: 2}
    assert sorted(outcome.measured.prefixes) == ["a", "it's b"]
    assert {row[1] for row in cases(lake, outcome)} == {"1.1", "1.2", "9.9"}


def test_a_missing_rollup_leaves_the_checks_of_other_tables(source, lake):
    update(source, lake)
    before = {(one.check.table.name, one.check.name) for one in check_catalog(lake)}
    shutil.rmtree(lake.location(SERIES).uri)
    after = {(one.check.table.name, one.check.name): one for one in check_catalog(lake)}
    assert set(after) == {key for key in before if key[0] != "series"} | {("series", "schema_is_as_declared")}
    assert [key for key, one in after.items() if not one.passed] == [("series", "schema_is_as_declared")]


def test_columns_of_ones_own_take_no_check_away():
    own = CatalogModel(with_columns(DEFAULT_EXTRACTORS, ["Weight=PatientWeight:number"]))
    names = [[(one.table.name, one.name) for one in checks_of(model)] for model in (own, DEFAULT_MODEL)]
    assert names[0] == names[1]


def test_a_study_of_several_patients_in_one_prefix_or_in_two(source, lake):
    put_slice(source / "it's b", "1.2", 9, StudyInstanceUID="2.9", PatientID="Q")
    put_slice(source / "c", "1.3", 1, PatientID="R")
    update(source, lake)
    outcome = failed(lake)["studies", "patient_is_one"]
    assert {row[2] for row in cases(lake, outcome)} == {"1.9", "2.9"}
    assert outcome.measured.prefixes == ["a", "it's b"]
    assert outcome.severity is Severity.WARN
    assert "PatientID" in outcome.sql
    assert ("studies", "patient_is_one") not in failed(lake, ["a"]), "a prefix by itself sees one"
