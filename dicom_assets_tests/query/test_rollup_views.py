"""Series, studies and patients, whatever prefixes they stand below."""

import pytest

from dicom_assets import open_catalog
from dicom_assets.delta.lake import Lake
from dicom_assets_tests.support.slices import put_slice, put_volume, update


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def source(tmp_path):
    source = tmp_path / "source"
    put_volume(source / "a", "1.1", [1, 2, 3], PatientName="One")
    put_volume(source / "b", "1.1", [4, 5], Manufacturer="ACME")
    put_volume(source / "b", "1.2", PatientID="Q", StudyInstanceUID="2.9", StudyDate="20240102", Modality="MR")
    return source


@pytest.fixture
def ask(source, lake):
    update(source, lake)
    return lambda query: open_catalog(lake.root).sql(query).fetchall()


def test_a_series_in_two_prefixes_is_one(ask):
    ((prefixes, files, instances, frames),) = ask(
        "SELECT prefixes, files, instances, frames FROM all_series WHERE SeriesInstanceUID = '1.1'"
    )
    assert (prefixes, files, instances, frames) == (["a", "b"], 5, 5, 5)
    ((first, last, missing, maker),) = ask(
        "SELECT first_instance_number, last_instance_number, missing_instance_numbers, Manufacturer FROM all_series "
        "WHERE len(prefixes) > 1"
    )
    assert (first, last, missing, maker) == (1, 5, None, "ACME")
    ((statuses, syntaxes),) = ask("SELECT statuses, transfer_syntaxes FROM all_series WHERE len(prefixes) > 1")
    assert statuses == [{"value": "ok", "files": 5}]
    assert syntaxes == [{"value": "1.2.840.10008.1.2.1", "files": 5}]
    ((path, frame),) = ask("SELECT thumbnail_path, thumbnail_frame FROM all_series WHERE len(prefixes) > 1")
    assert path.endswith("1.1-002.dcm"), "that of the larger part"
    assert frame == 1


def test_of_equal_parts_the_first_prefix_stands_for_the_series(source, lake):
    for prefix, series in (("d", "1.5"), ("c", "1.6")):
        put_volume(source / prefix, series, [1, 2, 3])
    update(source, lake)
    for prefix, series in (("c", "1.5"), ("d", "1.6")):  # the first prefix is written last, and first
        put_volume(source / prefix, series, [1, 2, 3])
    update(source, lake)
    query = "SELECT thumbnail_path FROM all_series WHERE SeriesInstanceUID >= '1.5' ORDER BY SeriesInstanceUID"
    pictures = [picture for (picture,) in open_catalog(lake.root).sql(query).fetchall()]
    assert pictures == [str(source / "c" / name) for name in ("1.5-002.dcm", "1.6-002.dcm")]


def test_the_slices_of_a_spread_series_were_not_looked_at_together(ask):
    assert ask("SELECT is_volume, not_volume_reason, slices, gaps FROM all_series ORDER BY SeriesInstanceUID") == [
        (False, "spread", None, None),
        (True, None, 5, []),
    ]


def test_what_prefixes_disagree_about_is_named(source, lake):
    put_slice(source / "c", "1.1", 6, PatientID="Other", SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    update(source, lake)
    catalog = open_catalog(lake.root)
    series = "SELECT PatientID, disagreements, status, error FROM all_series WHERE SeriesInstanceUID = '1.1'"
    assert catalog.sql(series).fetchall() == [
        (None, ["PatientID", "SOPClassUID"], "issues", "the files of its prefixes disagree")
    ]
    study = "SELECT PatientID, disagreements, prefixes, series, status FROM all_studies WHERE StudyInstanceUID = '1.9'"
    assert catalog.sql(study).fetchall() == [(None, ["PatientID"], ["a", "b", "c"], 1, "issues")]


def test_the_worst_of_the_parts_is_that_of_the_whole(source, lake):
    path = put_slice(source / "c", "1.1", 6)
    path.write_bytes(path.read_bytes()[:-40])
    update(source, lake)
    found = open_catalog(lake.root).sql("SELECT status, error FROM all_series WHERE SeriesInstanceUID = '1.1'")
    assert found.fetchall() == [("damaged", "1 of 1 files are damaged or could not be read")]


def test_patients(ask):
    assert ask(
        "SELECT PatientID, names, studies, series, instances, modalities, last_study_date::VARCHAR, prefixes, "
        "disagreements FROM patients ORDER BY PatientID"
    ) == [
        ("P", ["One"], 1, 1, 5, ["CT"], None, ["a", "b"], []),
        ("Q", [], 1, 1, 5, ["MR"], "2024-01-02", ["b"], []),
    ]


def test_counts_agree_with_the_catalog(ask):
    assert ask("SELECT sum(files), sum(bytes) FROM all_series") == ask("SELECT count(*), sum(size) FROM object_catalog")
    assert ask("SELECT sum(files), sum(bytes) FROM patients") == ask("SELECT count(*), sum(size) FROM object_catalog")
