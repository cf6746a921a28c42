"""What the rows of series and studies say, from files to tables."""

import shutil

import pytest

from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.rollup import series as series_module
from dicom_assets_tests.support.slices import (
    CORONAL,
    SPACING,
    put_enhanced,
    put_slice,
    put_volume,
    series_of,
    studies_of,
    update,
)


@pytest.fixture
def source(tmp_path):
    return tmp_path / "source"


def only(rows):
    (row,) = rows.values()
    return row


def test_a_sound_volume(source, lake):
    paths = put_volume(source / "a", "1.1", SeriesNumber=4, SeriesDescription="Chest", Manufacturer="ACME")
    update(source, lake)
    row = only(series_of(lake))
    assert (row["prefix"], row["SeriesInstanceUID"], row["StudyInstanceUID"]) == ("a", "1.1", "1.9")
    assert (row["PatientID"], row["Modality"], row["SeriesNumber"], row["SeriesDescription"]) == ("P", "CT", 4, "Chest")
    assert (row["files"], row["instances"], row["frames"]) == (5, 5, 5)
    assert row["bytes"] == sum(path.stat().st_size for path in paths)
    assert (row["disagreements"], row["status"], row["error"]) == ([], "ok", None)
    assert row["statuses"] == [{"value": "ok", "files": 5}]
    assert row["transfer_syntaxes"] == [{"value": "1.2.840.10008.1.2.1", "files": 5}]
    numbers = [row[name] for name in ("first_instance_number", "last_instance_number", "missing_instance_numbers")]
    assert numbers == [1, 5, []]
    assert (row["thumbnail_path"], row["thumbnail_frame"]) == (str(paths[2]), 1), "the middle slice"
    assert (row["orientation"], row["slices"], row["is_uniform"], row["stacks"]) == ("axial", 5, True, 1)
    assert row["slice_spacing"] == pytest.approx(SPACING)
    assert row["extent"] == pytest.approx([4, 4, 5 * SPACING])
    assert (row["is_volume"], row["not_volume_reason"], row["gaps"], row["repeated_positions"]) == (True, None, [], 0)
    study = only(studies_of(lake))
    assert (study["series"], study["instances"], study["files"], study["frames"]) == (1, 5, 5, 5)
    assert (study["PatientID"], study["modalities"], study["status"]) == ("P", ["CT"], "ok")


def test_slices_that_are_missing_have_a_place_and_a_number(source, lake):
    put_volume(source / "a", "1.1", [1, 2, 5, 6, 7])
    update(source, lake)
    row = only(series_of(lake))
    assert row["missing_instance_numbers"] == [3, 4]
    assert row["gaps"] == [{"after": 1, "missing": 2}]
    assert (row["is_volume"], row["not_volume_reason"], row["is_uniform"]) == (False, "gaps", False)
    assert row["slice_spacing"] == pytest.approx(SPACING)


@pytest.mark.parametrize(("numbers", "missing"), [([1, 1002], list(range(2, 1002))), ([-(2**31), 2**31 - 1], None)])
def test_numbers_that_count_nothing_are_no_list_of_a_billion(source, lake, numbers, missing):
    put_volume(source / "a", "1.1", numbers, z=0.0)
    update(source, lake)
    row = only(series_of(lake))
    assert (row["first_instance_number"], row["last_instance_number"]) == tuple(numbers)
    assert row["missing_instance_numbers"] == missing


def test_a_localizer_inside_is_no_part_of_the_volume(source, lake):
    paths = put_volume(source / "a", "1.1", range(2, 7))
    put_slice(source / "a", "1.1", 1, ImageOrientationPatient=CORONAL)
    update(source, lake)
    row = only(series_of(lake))
    assert (row["is_volume"], row["not_volume_reason"], row["orientation"]) == (False, "orientations_differ", None)
    assert row["thumbnail_path"] == str(paths[2]), "the middle of the largest stack, not the localizer"


def test_four_dimensions_are_told_apart_by_their_headers(source, lake):
    for time in (1, 2, 3):
        for number in range(4):
            place = {"z": SPACING * number, "TemporalPositionIdentifier": time, "name": f"{time}-{number}.dcm"}
            put_slice(source / "a", "1.1", 10 * time + number, **place)
    update(source, lake)
    row = only(series_of(lake))
    assert (row["stacks"], row["stacks_by"], row["slices"]) == (3, "TemporalPositionIdentifier", 4)
    assert (row["is_volume"], row["repeated_positions"]) == (True, 0)
    assert row["thumbnail_path"].endswith("1-2.dcm"), "the middle of the first stack"


def test_slices_in_one_place_that_nothing_tells_apart(source, lake):
    for number in range(4):
        put_slice(source / "a", "1.1", 1, z=SPACING * (number // 2), name=f"{number}", SOPInstanceUID=f"1.1.{number}")
    update(source, lake)
    row = only(series_of(lake))
    assert (row["instances"], row["repeated_positions"]) == (4, 2)
    assert (row["is_volume"], row["not_volume_reason"]) == (False, "repeated_positions")


def test_a_copy_counts_as_a_file_and_as_no_instance(source, lake):
    paths = put_volume(source / "a", "1.1")
    shutil.copy(paths[0], paths[0].with_name("copy.dcm"))
    update(source, lake)
    row = only(series_of(lake))
    assert (row["files"], row["instances"], row["frames"], row["slices"]) == (6, 5, 5, 5)
    assert row["is_volume"], "a copy is no second slice in the same place"
    assert (row["status"], row["error"]) == ("issues", "1 of 6 files repeat an instance")


def test_enhanced_frames_are_those_of_the_functional_groups(source, lake):
    path = put_enhanced(source / "a", "1.1", [SPACING * number for number in range(7)])
    update(source, lake)
    row = only(series_of(lake))
    assert (row["files"], row["frames"], row["slices"], row["is_volume"]) == (1, 7, 7, True)
    assert row["slice_spacing"] == pytest.approx(SPACING)
    assert (row["thumbnail_path"], row["thumbnail_frame"]) == (str(path), 4)


def test_enhanced_files_and_single_slices_of_one_series_go_together(source, lake):
    put_volume(source / "a", "1.1", range(3), Modality="MR")
    put_enhanced(source / "a", "1.1", [SPACING * number for number in range(3, 6)], SOPInstanceUID="1.1.99")
    update(source, lake)
    row = only(series_of(lake))
    assert (row["frames"], row["slices"], row["is_volume"]) == (6, 6, True)
    assert (row["SOPClassUID"], row["disagreements"], row["status"]) == (None, ["SOPClassUID"], "ok")


def test_objects_without_pixels_have_no_frames_and_no_geometry(source, lake):
    put_slice(source / "a", "1.1", 1, Modality="SR", Rows=None, Columns=None, ImagePositionPatient=None, PixelData=None)
    update(source, lake)
    row = only(series_of(lake))
    assert (row["files"], row["instances"], row["frames"], row["thumbnail_path"]) == (1, 1, 0, None)
    assert (row["is_volume"], row["not_volume_reason"]) == (False, "no_position")


def test_an_attribute_with_several_values_is_null_and_named(source, lake):
    put_volume(source / "a", "1.1", [1, 2], PatientID="P", BodyPartExamined="CHEST")
    put_volume(source / "a", "1.1", [3], PatientID="Q", BodyPartExamined=None)
    put_volume(source / "a", "1.2", [1], PatientID="Q", PatientSex="F")
    update(source, lake)
    row = series_of(lake)["a", "1.1"]
    assert (row["PatientID"], row["disagreements"]) == (None, ["PatientID"])
    assert row["BodyPartExamined"] == "CHEST", "what a file lacks does not disagree"
    assert (row["status"], row["error"]) == ("issues", "the files disagree about PatientID")
    study = only(studies_of(lake))
    assert (study["PatientID"], study["PatientSex"], study["disagreements"]) == (None, "F", ["PatientID"])
    assert (study["series"], study["status"]) == (2, "issues")


def test_a_series_in_two_prefixes_has_a_row_in_each(source, lake):
    put_volume(source / "a", "1.1", [1, 2, 3])
    put_volume(source / "b", "1.1", [4, 5])
    update(source, lake)
    found = series_of(lake)
    assert {key: row["instances"] for key, row in found.items()} == {("a", "1.1"): 3, ("b", "1.1"): 2}
    assert len(studies_of(lake)) == 2


def test_files_that_are_damaged_or_not_dicom(source, lake):
    paths = put_volume(source / "a", "1.1", range(3))
    paths[1].write_bytes(paths[1].read_bytes()[:-40])
    (source / "a" / "notes.txt").write_text("of no series")
    update(source, lake)
    row = only(series_of(lake))
    assert (row["files"], row["status"]) == (3, "damaged")
    assert row["error"] == "1 of 3 files are damaged or could not be read"
    assert {entry["value"]: entry["files"] for entry in row["statuses"]} == {"ok": 2, "damaged": 1}
    assert row["thumbnail_path"] != str(paths[1]), "a thumbnail that is whole stands for the series"


def test_numbers_of_hostile_files_are_taken_for_what_they_are(source, lake):
    hostile = {"ImagePositionPatient": [1e300, 0, 0], "NumberOfFrames": 2**31 - 1, "PixelSpacing": [0, 1]}
    put_slice(source / "a", "1.1", 1, **hostile)
    put_slice(source / "a", "1'; DROP", 2, PatientID="'\"\\\n")
    update(source, lake)
    found = series_of(lake)
    assert found["a", "1.1"]["frames"] == 2**31 - 1
    assert found["a", "1.1"]["not_volume_reason"] == "no_position"
    assert len(found) == 2


def test_what_cannot_be_described_is_a_row_and_stops_nothing(source, lake, monkeypatch):
    put_volume(source / "a", "1.1")
    put_volume(source / "a", "1.2")

    def broken(frames):
        raise ZeroDivisionError("Secret^Name")

    monkeypatch.setattr(series_module, "describe_volume", broken)
    update(source, lake)
    for row in series_of(lake).values():
        assert (row["status"], row["files"], row["is_volume"]) == ("error", 5, None)
        assert row["error"] == "its geometry could not be described: ZeroDivisionError"
        assert row["thumbnail_path"].endswith("003.dcm"), "the middle by number"


def test_removed_files_that_are_kept_do_not_count(source, lake):
    paths = put_volume(source / "a", "1.1")
    put_volume(source / "a", "1.2")
    update(source, lake)
    for path in [paths[4], *(source / "a").glob("1.2-*")]:
        path.unlink()
    update(source, lake, UpdateMode.APPEND)
    row = only(series_of(lake))
    assert (row["SeriesInstanceUID"], row["files"], row["slices"]) == ("1.1", 4, 4)
