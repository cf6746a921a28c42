"""The frames of multi-frame files, from files written byte by byte and from real ones."""

import random
import struct
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from dicom_assets.dicom.files import read_header as read_path
from dicom_assets.dicom.geometry import NotVolume, affine, describe_volume, frame_structs, frames_of
from dicom_assets.dicom.geometry.attributes import LONGEST_VALUE
from dicom_assets.dicom.geometry.limits import MOST_FRAMES
from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.support.dicom import encoding as e

MEGABYTE = 1 << 20
ORIENTATION = e.sequence(0x00209116, e.item(e.explicit(0x00200037, "DS", e.text("1\\0\\0\\0\\1\\0"))))
MEASURES = e.sequence(0x00289110, e.item(e.explicit(0x00280030, "DS", e.text("0.5\\0.75"))))


def frame_item(number, *more, slices=1000, undefined=False):
    content = e.sequence(0x00209111, e.item(e.explicit(0x00209128, "UL", struct.pack("<I", number // slices + 1))))
    place = f"-1.5\\-100.5\\{2.5 * (number % slices)}"
    content += e.sequence(0x00209113, e.item(e.explicit(0x00200032, "DS", e.text(place))))
    content += b"".join(more)
    return e.open_item(content) if undefined else e.item(content)


def enhanced(items, *, frames=None, shared=(MEASURES, ORIENTATION), undefined=False):
    head = [e.explicit(0x00280008, "IS", e.text(str(len(items) if frames is None else frames)))]
    size = [e.explicit(tag, "US", struct.pack("<H", count)) for tag, count in ((0x00280010, 8), (0x00280011, 4))]
    make = e.open_sequence if undefined else e.sequence
    groups = [make(0x52009229, e.item(b"".join(shared))), *([make(0x52009230, *items)] if items else [])]
    return e.dicom_file(*head, *size, *groups, e.explicit(0x7FE00010, "OW", b"\0\0"), sop_class=e.ENHANCED_MR)


def read(content):
    return read_header(BytesSource(content))


def geometry_of(header):
    return describe_volume(frames_of(header.dataset, frame_structs(header)))


def test_frames_of_functional_groups():
    more = e.sequence(0x00189114, e.item(e.explicit(0x00189082, "FD", struct.pack("<d", 4.6))))
    structs = frame_structs(read(enhanced([frame_item(number, more, slices=2) for number in range(4)])))
    assert structs[3] == {
        "position": [-1.5, -100.5, 2.5],
        "orientation": [1, 0, 0, 0, 1, 0],
        "spacing": [0.5, 0.75],
        "discriminators": {"TemporalPositionIndex": "2", "EffectiveEchoTime": "4.6"},
    }
    # What frames have in common is there once.
    assert structs[0]["orientation"] is structs[3]["orientation"]


def test_one_frame_that_has_its_place_in_its_groups():
    structs = frame_structs(read(enhanced([frame_item(3)])))
    assert [struct["position"] for struct in structs] == [[-1.5, -100.5, 7.5]]
    place = e.sequence(0x00209113, e.item(e.explicit(0x00200032, "DS", e.text("1\\2\\3"))))
    structs = frame_structs(read(enhanced([], frames=1, shared=(place, ORIENTATION))))
    assert [struct["position"] for struct in structs] == [[1, 2, 3]]


def test_diffusion_directions_are_nested():
    direction = e.item(e.explicit(0x00189089, "FD", struct.pack("<ddd", 0, -1, 0.5)))
    content = e.explicit(0x00189087, "FD", struct.pack("<d", 1000)) + e.sequence(0x00189076, direction)
    structs = frame_structs(read(enhanced([frame_item(0, e.sequence(0x00189117, e.item(content)))])))
    assert structs[0]["discriminators"] == {
        "TemporalPositionIndex": "1",
        "DiffusionBValue": "1000",
        "DiffusionGradientOrientation": "0\\-1\\0.5",
    }


@pytest.mark.parametrize("undefined", [True, False])
def test_all_frames_beyond_those_of_the_header(undefined):
    padding = e.explicit(0x00409999, "LT", b"x" * 600)
    items = [frame_item(number, padding, undefined=undefined) for number in range(3_000)]
    header = read(enhanced(items, undefined=undefined))
    assert len(header.dataset["52009230"]["Value"]) < 2_000
    found = geometry_of(header)
    assert (found.slices, found.stacks, found.stacks_by) == (1_000, 3, "TemporalPositionIndex")
    assert found.spacing == pytest.approx(2.5)
    assert found.extent == pytest.approx((3, 4, 2_500))
    assert found.is_volume


@pytest.mark.parametrize("undefined", [True, False])
def test_a_sequence_that_is_cut(undefined):
    padding = e.explicit(0x00409999, "LT", b"x" * 600)
    items = [frame_item(number, padding, undefined=undefined) for number in range(3_000)]
    content = enhanced(items, undefined=undefined)
    header = read(content)
    cut = replace(header, body=BytesSource(content[: len(content) // 2]))
    structs = frame_structs(cut)
    assert 500 < len(structs) < 2_000
    found = describe_volume(frames_of(header.dataset, structs))
    assert found.reason is NotVolume.NO_POSITION
    assert len(found.order) == 3_000


@pytest.mark.parametrize(
    ("groups", "claimed", "told"),
    [(3, 1_000_000, None), (3, 50_000, 3), (30, 3, 3), (3, 0, 1), (3, -5, 1), (0, 50_000, None)],
)
def test_numbers_of_frames_that_are_not_those_of_the_groups(groups, claimed, told):
    header = read(enhanced([frame_item(number) for number in range(groups)], frames=claimed))
    tracemalloc.start()
    structs = frame_structs(header)
    frames = frames_of(header.dataset, structs)
    found = describe_volume(frames)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (structs and len(structs)) == told
    assert peak < 64 * MEGABYTE
    assert len(frames) == max(told or 0, min(claimed, MOST_FRAMES))
    assert found.is_volume is (claimed == 3)


def test_what_many_frames_cost():
    header = read(enhanced([frame_item(number) for number in range(5_000)]))
    begin = time.process_time()
    frame_structs(header)
    seconds = time.process_time() - begin
    tracemalloc.start()
    structs = frame_structs(header)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(structs) == 5_000
    # Of as many frames as are taken: half a minute at most, and 100 MB.
    assert seconds * MOST_FRAMES / 5_000 < 30
    assert kept * MOST_FRAMES / 5_000 < 100 * MEGABYTE
    assert peak - kept < 8 * MEGABYTE


def test_tiles_of_a_slide_are_not_gone_through():
    slide = e.item(e.sequence(0x0048021A, e.item(e.explicit(0x0040072A, "DS", b"12.5"))))
    content = enhanced([slide] * 20_000, shared=(MEASURES,))
    header = read(content)

    class Untouched:
        size = len(content)

        def read(self, offset, length):
            raise AssertionError("nothing is to be read")

    assert frame_structs(replace(header, body=Untouched())) is None


def test_text_without_end_is_cut():
    name = e.explicit(0x00209056, "UT", b"\\".join([b"x" * 100] * 500))
    position = e.sequence(0x00209113, e.item(e.explicit(0x00200032, "DS", e.text("1\\2\\3"))))
    header = read(enhanced([e.item(e.sequence(0x00209111, e.item(name)) + position)]))
    assert len(frame_structs(header)[0]["discriminators"]["StackID"]) == LONGEST_VALUE


@pytest.mark.parametrize("stated", ["", "1\\2", "a\\b\\c", "1\\2\\1e999", "1\\2\\3\\4"])
def test_what_is_no_position(stated):
    position = e.sequence(0x00209113, e.item(e.explicit(0x00200032, "DS", e.text(stated))))
    header = read(enhanced([e.item(position)] * 2))
    assert [struct["position"] for struct in frame_structs(header)] == [None, None]
    assert geometry_of(header).reason is NotVolume.NO_POSITION


def test_groups_that_are_no_groups():
    header = read(enhanced([frame_item(0)]))
    for nonsense in (
        {"vr": "SQ"},
        {"vr": "LO", "Value": ["x"]},
        {"vr": "SQ", "Value": [{}]},
        {"vr": "SQ", "Value": [None]},
    ):
        assert frame_structs(replace(header, dataset={**header.dataset, "52009229": nonsense})) is not None
        broken = {**header.dataset, "52009230": {"vr": "SQ", "Value": [{"00209113": nonsense}]}}
        found = frame_structs(replace(header, dataset=broken))
        assert found is None or found[0]["position"] is None


def test_damaged_files_have_an_answer():
    rng = random.Random(1)
    content = enhanced([frame_item(number) for number in range(40)])
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(rng.randrange(1, 6)):
            damaged[rng.randrange(132, len(damaged))] = rng.randrange(256)
        header = read(bytes(damaged[: rng.choice([None, rng.randrange(200, len(damaged))])]))
        found = geometry_of(header)
        assert found.is_volume is (found.reason is None)


def test_a_single_frame_needs_no_structs():
    header = read_path(get_testdata_file("CT_small.dcm"))
    assert frame_structs(header) is None
    frames = frames_of(header.dataset, None)
    assert frames.positions.tolist() == [[-158.135803, -179.035797, -75.699997]]
    assert frames.spacings.tolist() == [[0.661468, 0.661468]]
    assert frames.sizes.tolist() == [[128, 128]]
    assert frames.discriminators["AcquisitionNumber"] == ("2",)
    assert describe_volume(frames).reason is NotVolume.SINGLE_SLICE


def test_several_frames_without_a_place_are_not_one_slice():
    header = read(dose("0\\x\\6"))
    frames = frames_of(header.dataset, frame_structs(header))
    assert len(frames) == 3
    assert describe_volume(frames).reason is NotVolume.NO_POSITION


def test_tables_give_maps_as_pairs():
    header = read(enhanced([frame_item(number) for number in range(3)]))
    pairs = [{**struct, "discriminators": list(struct["discriminators"].items())} for struct in frame_structs(header)]
    frames = frames_of(header.dataset, pairs)
    assert frames.discriminators["TemporalPositionIndex"] == ["1", "1", "1"]


def dose(offsets, *, position="10\\20\\30", orientation="1\\0\\0\\0\\1\\0", frame_count=None):
    count = frame_count or len(offsets.split("\\"))
    return e.dicom_file(
        e.explicit(0x00200032, "DS", e.text(position)),
        e.explicit(0x00200037, "DS", e.text(orientation)),
        e.explicit(0x00280008, "IS", e.text(str(count))),
        e.explicit(0x00280010, "US", struct.pack("<H", 8)),
        e.explicit(0x00280011, "US", struct.pack("<H", 8)),
        e.explicit(0x00280030, "DS", e.text("2\\2")),
        e.explicit(0x3004000C, "DS", e.text(offsets)),
        e.explicit(0x7FE00010, "OW", b"\0\0"),
    )


@pytest.mark.parametrize(
    ("offsets", "orientation", "places"),
    [
        ("0\\3\\6", "1\\0\\0\\0\\1\\0", [[10, 20, 30], [10, 20, 33], [10, 20, 36]]),
        ("0\\-3\\-6", "1\\0\\0\\0\\1\\0", [[10, 20, 30], [10, 20, 27], [10, 20, 24]]),
        # The normal is row cross column.
        ("0\\3\\6", "1\\0\\0\\0\\-1\\0", [[10, 20, 30], [10, 20, 27], [10, 20, 24]]),
        ("0\\3\\6", "0\\1\\0\\0\\0\\-1", [[10, 20, 30], [7, 20, 30], [4, 20, 30]]),
        # The z of the planes themselves.
        ("30\\33\\36", "1\\0\\0\\0\\1\\0", [[10, 20, 30], [10, 20, 33], [10, 20, 36]]),
        ("30\\33\\36", "1\\0\\0\\0\\-1\\0", [[10, 20, 30], [10, 20, 33], [10, 20, 36]]),
    ],
)
def test_planes_of_a_dose_grid(offsets, orientation, places):
    header = read(dose(offsets, orientation=orientation))
    assert np.allclose([struct["position"] for struct in frame_structs(header)], places)
    found = geometry_of(header)
    assert (found.is_volume, found.slices) == (True, 3)
    assert found.spacing == pytest.approx(3)


def test_offsets_that_are_too_long_for_the_header():
    offsets = "\\".join(f"{2.5 * number:.6f}" for number in range(1_000))
    header = read(dose(offsets))
    assert "BulkData" in header.dataset["3004000C"]
    found = geometry_of(header)
    assert (found.is_volume, found.slices) == (True, 1_000)


@pytest.mark.parametrize(
    "content",
    [
        dose("0\\x\\6"),
        dose("0\\3\\6", position="1\\2"),
        dose("0\\3\\6", orientation="0\\0\\0\\0\\1\\0"),
        dose("0\\3\\6", frame_count=1_000_000),
    ],
)
def test_offsets_without_a_place(content):
    assert frame_structs(read(content)) is None


def test_real_enhanced_objects():
    header = read_path(get_testdata_file("rtdose.dcm"))
    found = geometry_of(header)
    assert (found.slices, found.is_volume) == (15, True)
    frames = frames_of(header.dataset, frame_structs(header))
    assert affine(found, frames)[:3, 3].tolist() == header.dataset["00200032"]["Value"]
