"""What is not inlined is not read: bulk values, long sequences, and how much of a file is touched."""

import struct
import tracemalloc
from dataclasses import replace

import orjson
import pytest

from dicom_assets.dicom.frames import frame_groups
from dicom_assets.dicom.header import header_json, read_header
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.support.dicom import encoding as e

MEGABYTE = 1 << 20
AFTER = e.explicit(0x5200FFFE, "LO", b"AFTER ")


class Counting:
    """A source that counts what is read of it, and can be far larger than memory: zeros stand between its parts."""

    def __init__(self, *parts):
        self.parts = parts
        self.size = sum(part if isinstance(part, int) else len(part) for part in parts)
        self.reads = []

    def read(self, offset, length):
        end = min(offset + length, self.size)
        self.reads.append((offset, max(end - offset, 0)))
        found, position = [], 0
        for part in self.parts:
            size = part if isinstance(part, int) else len(part)
            low, high = max(offset, position), min(end, position + size)
            if low < high:
                found.append(bytes(high - low) if isinstance(part, int) else part[low - position : high - position])
            position += size
        return b"".join(found)

    @property
    def bytes_read(self):
        return sum(length for _, length in self.reads)


def test_a_small_file_is_read_at_once():
    source = Counting(e.dicom_file(AFTER))
    assert read_header(source).status is HeaderStatus.OK
    assert len(source.reads) == 1
    assert source.reads[0][0] == 0


def test_pixel_data_is_not_read():
    head = e.dicom_file(AFTER, e.explicit(0x7FE00010, "OW", b"", length=300 * MEGABYTE))
    source = Counting(head, 300 * MEGABYTE, e.explicit(0xFFFAFFFA, "SQ"))
    header = read_header(source)
    assert header.status is HeaderStatus.OK
    assert (header.pixel.offset, header.pixel.length) == (len(head), 300 * MEGABYTE)
    assert source.bytes_read == 64 * 1024 + 12
    assert header.dataset["FFFAFFFA"] == {"vr": "SQ"}


def test_private_element_of_100_megabytes_is_passed_over():
    private = e.explicit(0x00090010, "LO", b"MAKER ") + e.explicit(0x00091001, "OB", b"", length=100 * MEGABYTE)
    head = e.dicom_file(private)
    source = Counting(head, 100 * MEGABYTE, AFTER)
    header = read_header(source)
    assert header.status is HeaderStatus.OK
    assert header.dataset["00091001"] == {"vr": "OB", "BulkData": {"offset": len(head), "length": 100 * MEGABYTE}}
    assert header.first("5200FFFE") == "AFTER"
    assert source.bytes_read < MEGABYTE


def test_long_header_is_read_in_growing_steps():
    texts = b"".join(e.explicit(0x00091000 + number, "LT", b"x" * 9000) for number in range(200))
    source = Counting(e.dicom_file(texts, AFTER))
    header = read_header(source)
    assert header.status is HeaderStatus.OK
    assert header.first("5200FFFE") == "AFTER"
    assert len(source.reads) < 8
    offsets = [offset + length for offset, length in source.reads]
    assert [offset for offset, _ in source.reads[1:]] == offsets[:-1]


@pytest.mark.parametrize("head_bytes", [256, 257, 300, 512, 1000])
def test_the_size_of_the_first_read_changes_nothing(head_bytes):
    items = [e.open_item(e.explicit(0x00080100, "SH", e.text(f"CODE {n}"))) for n in range(50)]
    content = e.dicom_file(
        e.explicit(0x00100010, "PN", b"Doe^Jane"),
        e.open_sequence(0x00400275, *items),
        e.sequence(0x00400555, *items),
        e.explicit(0x0040A160, "UT", b"text " * 200),
        AFTER,
    )
    assert header_json(read_header(BytesSource(content), HeaderLimits(head_bytes=head_bytes))) == header_json(
        read_header(BytesSource(content))
    )


@pytest.mark.parametrize(
    ("vr", "limit", "unit"),
    [
        ("OB", 1024, 1),
        ("OW", 1024, 2),
        ("UN", 1024, 1),
        ("FD", 4096, 8),
        ("US", 4096, 2),
        ("AT", 4096, 4),
        ("UT", 65536, 1),
    ],
)
def test_limits_of_inlining(vr, limit, unit):
    for size, inlined in ((limit, True), (limit + 8, False)):
        raw = b"1" * (size // unit * unit)
        header = read_header(
            BytesSource(e.dicom_file(e.explicit(0x00189998, vr, raw[: 1 << 16], length=len(raw)), raw[1 << 16 :]))
        )
        element = header.dataset["00189998"]
        assert ("BulkData" not in element) is inlined
        if not inlined:
            place = element["BulkData"]
            assert header.body.read(place["offset"], place["length"]) == raw


def test_numbers_as_text_are_bulk_too():
    raw = b"\\".join([b"-12.5"] * 1000) + b" "
    header = read_header(BytesSource(e.dicom_file(e.explicit(0x30060050, "DS", raw))))
    place = header.dataset["30060050"]["BulkData"]
    assert header.body.read(place["offset"], place["length"]) == raw


def test_total_of_long_values_is_bounded():
    texts = [e.explicit(0x00091000 + number, "LT", b"x" * 1000) for number in range(200)]
    header = read_header(BytesSource(e.dicom_file(*texts)), HeaderLimits(inline_bytes=100_000))
    inlined = [element for element in header.dataset.values() if "Value" in element and element["vr"] == "LT"]
    bulk = [element for element in header.dataset.values() if "BulkData" in element]
    assert (len(inlined), len(bulk)) == (100, 100)
    assert header.status is HeaderStatus.OK


def frame_item(number, *, undefined):
    content = e.sequence(0x00209111, e.item(e.explicit(0x00209157, "UL", struct.pack("<II", 1, number + 1))))
    position = "\\".join([f"{number}.25", "-100.5", "33.125"])
    content += e.sequence(0x00209113, e.item(e.explicit(0x00200032, "DS", e.text(position))))
    content += e.explicit(0x00409999, "LT", b"x" * 600)
    return e.open_item(content) if undefined else e.item(content)


def segmentation(frames, *, undefined):
    items = [frame_item(number, undefined=undefined) for number in range(frames)]
    make = e.open_sequence if undefined else e.sequence
    return e.dicom_file(
        make(0x52009229, e.item(e.sequence(0x00289110, e.item(e.explicit(0x00280030, "DS", b"0.5\\0.5 "))))),
        make(0x52009230, *items),
        e.explicit(0x7FE00010, "OB", b"\0\0"),
        sop_class=e.ENHANCED_MR,
        head=e.explicit(0x00080016, "UI", e.uid(e.ENHANCED_MR)),
    )


@pytest.mark.parametrize("undefined", [True, False])
def test_functional_groups_of_12000_frames(undefined):
    content = segmentation(12_000, undefined=undefined)
    assert len(content) > 8 * MEGABYTE
    source = Counting(content)
    tracemalloc.start()
    header = read_header(source)
    text = header_json(header)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert header.status is HeaderStatus.OK
    assert header.pixel is not None
    assert len(text) < 4 * MEGABYTE
    assert peak < 16 * MEGABYTE
    element = header.dataset["52009230"]
    kept = len(element["Value"])
    assert 500 < kept < 2000
    place = element["BulkData"]
    assert content[place["offset"] :][: place["length"]].endswith(e.ITEM_END if undefined else b"x" * 600)
    if not undefined:
        assert source.bytes_read < 2 * MEGABYTE
    for frame in (0, kept - 1, kept, 6_000, 11_999):
        groups = frame_groups(header, frame)
        assert groups["00209111"]["Value"][0]["00209157"]["Value"] == [1, frame + 1]
        assert groups["00209113"]["Value"][0]["00200032"]["Value"][0] == frame + 0.25
    assert frame_groups(header, 12_000) is None
    assert frame_groups(header, -1) is None


@pytest.mark.parametrize("undefined", [True, False])
def test_frame_groups_that_are_damaged(undefined):
    content = segmentation(1_000, undefined=undefined)
    header = read_header(BytesSource(content))
    place = header.dataset["52009230"]["BulkData"]
    damaged = content[: place["offset"]] + b"noise!!!" * (place["length"] // 8 + 1)
    assert frame_groups(replace(header, body=BytesSource(damaged)), 999) is None
    cut = content[: place["offset"] + place["length"] - 300]
    assert frame_groups(replace(header, body=BytesSource(cut)), 999) is None


def test_frame_groups_of_a_short_sequence():
    header = read_header(BytesSource(segmentation(3, undefined=False)))
    assert "BulkData" not in header.dataset["52009230"]
    assert frame_groups(header, 2)["00209111"]["Value"][0]["00209157"]["Value"] == [1, 3]
    assert frame_groups(header, 3) is None


def test_frame_groups_without_functional_groups():
    assert frame_groups(read_header(BytesSource(e.dicom_file(AFTER))), 0) is None


@pytest.mark.parametrize("undefined", [True, False])
def test_contours_of_a_structure_set(undefined):
    def contour(number):
        points = e.explicit(0x30060050, "DS", b"\\".join([b"-123.45"] * 900) + b" ")
        content = (
            e.explicit(0x30060042, "CS", b"CLOSED_PLANAR ") + e.explicit(0x30060048, "IS", e.text(str(number))) + points
        )
        return e.open_item(content) if undefined else e.item(content)

    make = e.open_sequence if undefined else e.sequence
    roi = e.open_item(make(0x30060040, *(contour(number) for number in range(5_000))))
    content = e.dicom_file(e.open_sequence(0x30060039, roi), AFTER)
    assert len(content) > 30 * MEGABYTE
    source = Counting(content)
    tracemalloc.start()
    header = read_header(source)
    text = header_json(header)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert header.status is HeaderStatus.OK
    assert header.first("5200FFFE") == "AFTER"
    assert len(text) < 4 * MEGABYTE
    assert peak < 24 * MEGABYTE
    contours = header.first("30060039")["30060040"]
    assert all("BulkData" in contour["30060050"] for contour in contours["Value"])


def test_cut_sequence_keeps_its_place():
    items = [e.item(e.explicit(0x00080100, "SH", b"CODE")) for _ in range(100)]
    content = e.dicom_file(e.sequence(0x00400275, *items), AFTER)
    header = read_header(BytesSource(content), HeaderLimits(sequence_bytes=100))
    element = header.dataset["00400275"]
    assert len(element["Value"]) == 6
    place = element["BulkData"]
    assert header.body.read(place["offset"], place["length"]) == b"".join(items)
    assert header.first("5200FFFE") == "AFTER"
    assert header.status is HeaderStatus.OK


def test_each_sequence_has_its_own_budget():
    items = [e.item(e.explicit(0x00080100, "SH", b"CODE")) for _ in range(100)]
    content = e.dicom_file(e.sequence(0x00400275, *items), e.sequence(0x00400555, items[0]))
    header = read_header(BytesSource(content), HeaderLimits(sequence_bytes=100))
    assert "BulkData" in header.dataset["00400275"]
    assert header.dataset["00400555"] == {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["CODE"]}}]}


def test_too_much_to_pass_over():
    items = [e.open_item(e.explicit(0x00080100, "SH", b"CODE")) for _ in range(1000)]
    content = e.dicom_file(e.open_sequence(0x00400275, *items), AFTER)
    header = read_header(BytesSource(content), HeaderLimits(sequence_bytes=100, max_skipped=500))
    assert header.status is HeaderStatus.UNSUPPORTED
    assert len(header.dataset["00400275"]["Value"]) == 4


def test_cut_sequence_beyond_the_end_is_truncated():
    items = [e.item(e.explicit(0x00080100, "SH", b"CODE")) for _ in range(100)]
    content = e.dicom_file(e.sequence(0x00400275, *items))[:-5]
    header = read_header(BytesSource(content), HeaderLimits(sequence_bytes=100))
    assert header.status is HeaderStatus.TRUNCATED


def test_an_error_of_the_source_is_not_hidden():
    class Failing:
        size = 1000

        def read(self, _offset, _length):
            raise OSError("the share is gone")

    with pytest.raises(OSError, match="share"):
        read_header(Failing())


def test_json_is_utf_8_and_sorted():
    charset = e.explicit(0x00080005, "CS", b"ISO_IR 100")
    header = read_header(BytesSource(e.dicom_file(e.explicit(0x00100010, "PN", b"M\xfcller"), head=charset + e.HEAD)))
    text = header_json(header).decode("utf-8")
    assert "M\xfcller" in text
    dataset = orjson.loads(text)["dataset"]
    assert list(dataset) == sorted(dataset)
