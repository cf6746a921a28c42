"""Objects that were made to do harm, or are damaged: bounds hold, and what is left out is said."""

import io
import struct
import time
from dataclasses import replace

import pytest

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.references import ReferenceBounds, read_related
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.support.dicom import derived
from dicom_assets_tests.support.dicom import encoding as e

CONTENT, SOP = 0x0040A730, 0x00081199
IMAGES = derived.ct_series()


def reference(number):
    return e.item(e.explicit(0x00081155, "UI", e.uid(f"1.2.{number}")))


def header_of(*elements, **limits):
    return read_header(BytesSource(e.dicom_file(*elements)), HeaderLimits(**limits))


def header_of_made(made):
    sink = io.BytesIO()
    made.save_as(sink, enforce_file_format=True)
    return read_header(BytesSource(sink.getvalue()))


def test_references_are_bounded():
    header = header_of(e.sequence(SOP, *map(reference, range(100))))
    found = read_related(header, ReferenceBounds(references=30))
    assert [r.instance_uid for r in found.references] == [f"1.2.{number}" for number in range(30)]
    assert found.incomplete == ("00081199",)
    assert read_related(header, ReferenceBounds(references=100)).incomplete == ()


def test_mentions_of_a_known_instance_count_beyond_the_bound():
    header = header_of(e.sequence(SOP, *[reference(1)] * 50))
    (found,) = read_related(header, ReferenceBounds(references=1)).references
    assert found.mentions == 50


def test_items_are_bounded():
    header = header_of(e.sequence(SOP, *map(reference, range(100))))
    found = read_related(header, ReferenceBounds(items=30))
    assert (len(found.references), found.incomplete) == (30, ("00081199",))


def test_numbers_are_bounded():
    frames = e.explicit(0x00081160, "IS", e.text("\\".join(map(str, range(1, 101)))))
    items = [e.item(frames + e.explicit(0x00081155, "UI", e.uid(f"1.2.{n}"))) for n in range(3)]
    found = read_related(header_of(e.sequence(SOP, *items)), ReferenceBounds(numbers=150))
    assert [len(r.frames or ()) for r in found.references] == [100, 50, 0]
    assert found.incomplete == ("00081199",)


def test_segments_and_regions_are_bounded():
    bounds = ReferenceBounds(entries=1)
    found = read_related(header_of_made(derived.segmentation(IMAGES)), bounds)
    assert (len(found.segments), found.incomplete) == (1, ("00620002",))
    found = read_related(header_of_made(derived.structure_set(IMAGES)), bounds)
    assert (len(found.regions), found.incomplete) == (1, ("30060020",))


@pytest.mark.parametrize("undefined", [True, False])
def test_bytes_are_bounded_where_long_sequences_are_nested_in_one_another(undefined):
    make_item, make = (e.open_item, e.open_sequence) if undefined else (e.item, e.sequence)
    content = make(SOP, *map(reference, range(10_000)))
    for _ in range(20):
        content = make(CONTENT, make_item(content), make_item(e.explicit(0x0040A160, "UT", bytes(600))))
    header = header_of(content, sequence_bytes=100)
    assert "BulkData" in header.dataset["0040A730"]
    assert read_related(header).incomplete == ()
    start = time.perf_counter()
    found = read_related(header, ReferenceBounds(bytes=100_000))
    assert time.perf_counter() - start < 2
    assert found.incomplete == ("0040A730",)


def test_a_uid_that_breaks_its_vr_is_listed_as_it_stands():
    uid = e.explicit(0x00081155, "UI", b"1.2.x/'")
    (found,) = read_related(header_of(e.sequence(SOP, e.item(uid)))).references
    assert found.instance_uid == "1.2.x/'"


def test_nesting_as_deep_as_headers_allow():
    content = e.sequence(SOP, reference(1))
    for _ in range(60):
        content = e.sequence(CONTENT, e.item(content))
    (found,) = read_related(header_of(content)).references
    assert found.sequence.count("ContentSequence") == 60


@pytest.mark.parametrize(
    "uid",
    [
        e.explicit(0x00081155, "UI", b""),
        e.explicit(0x00081155, "SQ", e.item()),
        e.explicit(0x00081155, "OB", bytes(4096)),
    ],
)
def test_what_is_no_text_is_no_reference(uid):
    assert read_related(header_of(e.sequence(SOP, e.item(uid)))).references is None


@pytest.mark.parametrize(
    "frames",
    [
        e.explicit(0x00081160, "IS", b"1e9\\x\\ 7 "),
        e.explicit(0x00081160, "IS", b"99999999999999999999\\7 "),
        e.explicit(0x00081160, "OB", b"\1\2"),
        e.explicit(0x00081160, "SQ", e.item(e.explicit(0x00081155, "UI", b""))),
        e.explicit(0x00081160, "UL", struct.pack("<2I", 7, 0xFFFFFFFF)),
    ],
)
def test_frames_that_are_no_numbers_are_left_out(frames):
    header = header_of(e.sequence(SOP, e.item(e.explicit(0x00081155, "UI", e.uid("1.2")) + frames)))
    (found,) = read_related(header).references
    assert found.frames in (None, [7])


def test_text_of_any_length_is_kept_as_far_as_the_standard_allows():
    label = e.explicit(0x00620005, "UT", b"x" * 50_000)
    made = e.dicom_file(e.sequence(0x00620002, e.item(label)), head=_segmentation_head())
    (segment,) = read_related(read_header(BytesSource(made))).segments
    assert (len(segment.label), segment.number, segment.type, segment.frames) == (1024, None, None, None)


def test_frames_of_segments_are_not_counted_where_not_all_can_be_read():
    made = derived.segmentation(IMAGES)
    groups = made.PerFrameFunctionalGroupsSequence
    made.PerFrameFunctionalGroupsSequence = [groups[place % len(groups)] for place in range(3000)]
    header = header_of_made(made)
    place = header.dataset["52009230"]["BulkData"]
    body = header.body.data
    damaged = body[: place["offset"] + place["length"] - 2000] + bytes(len(body))
    found = read_related(replace(header, body=BytesSource(damaged)))
    assert [segment.frames for segment in found.segments] == [None, None]
    assert [segment.label for segment in found.segments] == ["Liver", "Lesion"]
    assert found.incomplete == ("52009230",)


def test_numbers_that_stand_twice_or_are_missing_are_kept_as_they_are():
    rois = [e.item(e.explicit(0x30060022, "IS", number)) for number in (b"1 ", b"1 ", b"", b"x ")]
    contours = [e.item(e.explicit(0x30060084, "IS", number)) for number in (b"1 ", b"9 ", b"")]
    made = e.dicom_file(
        e.sequence(0x30060020, *rois),
        e.sequence(0x30060039, *contours),
        head=e.explicit(0x00080016, "UI", e.uid("1.2.840.10008.5.1.4.1.1.481.3")),
    )
    regions = read_related(read_header(BytesSource(made))).regions
    assert [(region.number, region.contours) for region in regions] == [(1, 0), (1, 0), (None, 0), (None, 0)]


def _segmentation_head():
    return e.explicit(0x00080016, "UI", e.uid("1.2.840.10008.5.1.4.1.1.66.4"))
