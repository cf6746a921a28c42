"""Items of sequences that a header does not keep are read from the file, whatever the file is like there."""

import struct
from dataclasses import replace

import pytest

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.items import UnreadableItemsError, items_of, kept_items
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.support.dicom import encoding as e

SEQUENCE, INNER, NUMBER = 0x0040A730, 0x00081199, 0x00200013
SMALL = HeaderLimits(sequence_bytes=200)
"""Keeps few items."""


def numbered(number, *, undefined, inner=0):
    content = e.explicit(NUMBER, "IS", e.text(str(number)))
    if inner:
        make = e.open_sequence if undefined else e.sequence
        below = [numbered(100 * number + place, undefined=undefined) for place in range(inner)]
        content = make(INNER, *below) + content
    return e.open_item(content) if undefined else e.item(content)


def content_of(count, *, undefined, inner=0):
    items = [numbered(number, undefined=undefined, inner=inner) for number in range(count)]
    return e.dicom_file((e.open_sequence if undefined else e.sequence)(SEQUENCE, *items))


def numbers(items):
    return [item["00200013"]["Value"][0] for item in items]


def sequence_of(content, limits=SMALL):
    header = read_header(BytesSource(content), limits)
    return header, header.dataset["0040A730"]


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("count", [1, 40])
def test_all_items_come_in_their_order(undefined, count):
    header, element = sequence_of(content_of(count, undefined=undefined))
    assert len(kept_items(element)) < 40
    assert numbers(items_of(header, element)) == list(range(count))


@pytest.mark.parametrize("undefined", [True, False])
def test_so_do_those_of_sequences_in_items(undefined):
    header, element = sequence_of(content_of(5, undefined=undefined, inner=30))
    found = [(item["00200013"]["Value"][0], item["00081199"]) for item in items_of(header, element, SMALL)]
    assert [number for number, _ in found] == list(range(5))
    assert any("BulkData" in inner for _, inner in found)
    for number, inner in found:
        assert numbers(items_of(header, inner, SMALL)) == [100 * number + place for place in range(30)]


@pytest.mark.parametrize("undefined", [True, False])
def test_damage_in_what_is_not_kept_is_told(undefined):
    content = content_of(40, undefined=undefined)
    header, element = sequence_of(content)
    place = element["BulkData"]
    noise = content[: place["offset"] + 300] + b"noise!!!" * ((place["length"] - 300) // 8 + 1)
    for damaged in (noise, content[: place["offset"] + place["length"] - 30]):
        found = items_of(replace(header, body=BytesSource(damaged)), element)
        with pytest.raises(UnreadableItemsError):
            list(found)


def test_a_delimiter_ends_a_sequence_of_stated_length():
    items = [numbered(number, undefined=False) for number in range(40)]
    header, element = sequence_of(e.dicom_file(e.sequence(SEQUENCE, *items, e.SEQUENCE_END, b"left over")))
    assert numbers(items_of(header, element)) == list(range(40))


def test_an_item_ends_with_its_sequence_whatever_its_length_says():
    items = [numbered(number, undefined=False) for number in range(40)]
    last = e.item(e.explicit(NUMBER, "IS", b"40"), length=100_000)
    after = e.explicit(0x0040A731, "IS", b"99") + struct.pack("<I", 0) * 40_000
    header, element = sequence_of(e.dicom_file(e.sequence(SEQUENCE, *items, last), after))
    place = element["BulkData"]
    assert numbers(items_of(header, element))[-1] == 40
    assert place["offset"] + place["length"] < header.body.size - 100_000


def test_without_its_file_a_header_has_what_it_keeps():
    header, element = sequence_of(content_of(40, undefined=False))
    assert len(list(items_of(replace(header, body=None), element))) == len(kept_items(element))
