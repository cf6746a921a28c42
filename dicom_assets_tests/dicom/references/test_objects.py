"""What derived objects of a well-kept library refer to, and the segments and regions in them."""

import io

import pytest

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.references import Code, Level, read_related
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.support.dicom import derived
from dicom_assets_tests.support.dicom.derived import CT_SERIES, DERIVED, FRAME_OF_REFERENCE, STUDY, TRACKING
from dicom_assets_tests.support.dicom.walked import listed, walked

IMAGES = derived.ct_series()
UIDS = [image.SOPInstanceUID for image in IMAGES]


def related(made):
    sink = io.BytesIO()
    made.save_as(sink, enforce_file_format=True)
    return read_related(read_header(BytesSource(sink.getvalue())))


def by_sequence(found):
    places = {}
    for reference in found.references:
        places.setdefault(reference.sequence, []).append(reference)
    return places


@pytest.mark.parametrize("make", DERIVED)
def test_all_references_are_found(make):
    made = make(IMAGES)
    found = related(made)
    assert listed(found) == walked(made)
    assert found.incomplete == ()
    assert {r.instance_uid for r in found.references if r.level is Level.INSTANCE} <= set(UIDS)


@pytest.mark.parametrize("make", DERIVED)
def test_every_instance_is_placed_in_its_series_and_study(make):
    images = [reference for reference in related(make(IMAGES)).references if reference.level is Level.INSTANCE]
    assert images
    places = {(reference.series_uid, reference.study_uid) for reference in images if reference.series_uid}
    assert places == {(CT_SERIES, STUDY)}
    placed = {reference.instance_uid for reference in images if reference.series_uid}
    assert {reference.instance_uid for reference in images} == placed


def test_a_segmentation_names_its_sources_with_their_purpose():
    sources = by_sequence(related(derived.segmentation(IMAGES)))
    (path,) = (path for path in sources if path.endswith("DerivationImageSequence.SourceImageSequence"))
    assert path.startswith("PerFrameFunctionalGroupsSequence.")
    assert {reference.purpose.value for reference in sources[path]} == {"121322"}
    assert {reference.instance_uid: reference.mentions for reference in sources[path]} == dict(
        zip(UIDS, (2, 2, 1, 1), strict=True)
    )
    assert {reference.instance_uid for reference in sources["ReferencedSeriesSequence.ReferencedInstanceSequence"]} == {
        *UIDS
    }


def test_segments_have_their_codes_algorithms_tracking_and_frames():
    first, second = related(derived.segmentation(IMAGES)).segments
    assert (first.number, first.label, first.algorithm_type, first.algorithm_name) == (1, "Liver", "AUTOMATIC", "Net")
    assert first.type == Code("10200004", "SCT", "Liver")
    assert first.category.scheme == "SCT"
    assert (first.tracking_id, first.tracking_uid, first.frames) == (None, None, 4)
    assert (second.label, second.algorithm_type, second.algorithm_name) == ("Lesion", "MANUAL", None)
    assert (second.tracking_id, second.tracking_uid, second.frames) == ("lesion 1", TRACKING, 2)


def test_a_report_tells_the_concept_of_what_its_content_refers_to():
    places = by_sequence(related(derived.report(IMAGES)))
    (content,) = places["ContentSequence.ReferencedSOPSequence"]
    assert (content.purpose.value, content.purpose.scheme) == ("121233", "DCM")
    assert (content.series_uid, content.study_uid) == (CT_SERIES, STUDY)
    (evidence,) = (refs for path, refs in places.items() if "EvidenceSequence" in path)
    assert [reference.instance_uid for reference in evidence] == UIDS[:1]


def test_regions_have_what_three_sequences_say_of_them():
    found = related(derived.structure_set(IMAGES, contours=6))
    first, second, third = found.regions
    assert (first.number, first.name, first.interpreted_type) == (1, "PTV", "PTV")
    assert (first.generation_algorithm, first.color) == ("AUTOMATIC", [255, 0, 1])
    assert (first.contours, first.geometric_types) == (6, ["CLOSED_PLANAR"])
    assert first.frame_of_reference_uid == FRAME_OF_REFERENCE
    assert (second.interpreted_type, second.contours, second.geometric_types) == ("ORGAN", 6, ["POINT"])
    assert (third.number, third.name, third.interpreted_type) == (7, "empty", None)
    assert (third.color, third.contours, third.geometric_types) == (None, 0, [])
    assert found.segments is None


def test_a_structure_set_refers_to_a_study_as_a_whole_and_to_its_images():
    places = by_sequence(related(derived.structure_set(IMAGES)))
    (study,) = places["ReferencedFrameOfReferenceSequence.RTReferencedStudySequence"]
    assert (study.level, study.instance_uid) == (Level.STUDY, STUDY)
    images = places[
        "ReferencedFrameOfReferenceSequence.RTReferencedStudySequence.RTReferencedSeriesSequence.ContourImageSequence"
    ]
    assert [(image.level, image.study_uid, image.series_uid) for image in images] == [
        (Level.INSTANCE, STUDY, CT_SERIES)
    ] * 4


@pytest.mark.parametrize("points", [4, pytest.param(400, marks=pytest.mark.slow)])
def test_contours_beyond_what_the_header_keeps_are_counted(points):
    made = derived.structure_set(IMAGES, contours=3000, points=points)
    found = related(made)
    assert [region.contours for region in found.regions] == [3000, 3000, 0]
    assert [region.geometric_types for region in found.regions] == [["CLOSED_PLANAR"], ["POINT"], []]
    assert listed(found) == walked(made)
    assert found.incomplete == ()


def test_frames_beyond_what_the_header_keeps_are_counted():
    made = derived.segmentation(IMAGES)
    groups = made.PerFrameFunctionalGroupsSequence
    made.PerFrameFunctionalGroupsSequence = [groups[place % len(groups)] for place in range(3000)]
    found = related(made)
    assert [segment.frames for segment in found.segments] == [2000, 1000]
    assert listed(found) == walked(made)


def test_an_ordinary_image_has_nothing():
    assert related(IMAGES[0]) == read_related(read_header(BytesSource(b"")))


def test_an_image_made_of_others_names_them_and_nothing_else():
    image = derived.ct_series(1)[0]
    image.SourceImageSequence = [derived.reference_to(IMAGES[1])]
    image.SourceImageSequence[0].ReferencedFrameNumber = [3, 1]
    image.ReferencedImageSequence = [derived.reference_to(IMAGES[2])]
    (reference,) = related(image).references
    assert (reference.instance_uid, reference.frames, reference.sequence) == (UIDS[1], [3, 1], "SourceImageSequence")


def test_frames_are_gathered_until_a_mention_is_of_the_whole():
    image = derived.ct_series(1)[0]
    image.SourceImageSequence = [derived.reference_to(IMAGES[1]) for _ in range(3)]
    for item, frames in zip(image.SourceImageSequence, ([2], [1, 2], 5), strict=True):
        item.ReferencedFrameNumber = frames
    (reference,) = related(image).references
    assert (reference.frames, reference.mentions) == ([2, 1, 5], 3)
    del image.SourceImageSequence[1].ReferencedFrameNumber
    (reference,) = related(image).references
    assert (reference.frames, reference.mentions) == (None, 3)


def test_a_long_list_of_frames_is_read_from_the_file():
    image = derived.ct_series(1)[0]
    image.SourceImageSequence = [derived.reference_to(IMAGES[1])]
    image.SourceImageSequence[0].ReferencedFrameNumber = list(range(1, 5001))
    (reference,) = related(image).references
    assert reference.frames == list(range(1, 5001))
