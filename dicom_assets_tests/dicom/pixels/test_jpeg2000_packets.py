import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.dicom.pixels.jpeg2000_packets import CodeBlock, PacketError, read_packet, write_packet

# No byte after 0xFF is above 0x8F in what the arithmetic coder writes, which tells data from markers.
coded = st.binary(max_size=300).map(lambda data: data.replace(b"\xff", b"\xfe"))
code_blocks = st.builds(CodeBlock, st.integers(0, 40), st.integers(1, 164), coded)


@given(st.lists(st.none() | code_blocks, min_size=1, max_size=3), st.binary(max_size=9))
def test_what_was_written_is_read_again(blocks, before):
    packet = write_packet(blocks)
    found, end = read_packet(before + packet + b"more", len(before), [(1, 1)] * len(blocks))
    assert [each.get((0, 0)) for each in found] == blocks
    assert end == len(before + packet)


@given(st.lists(code_blocks, min_size=1, max_size=3))
def test_a_header_holds_no_marker(blocks):
    packet = write_packet(blocks)
    header = packet[: len(packet) - sum(len(block.data) for block in blocks)]
    assert header[-1:] != b"\xff"
    assert all(header[index + 1] < 0x90 for index, byte in enumerate(header[:-1]) if byte == 0xFF)


def test_marker_segments_around_a_header_are_passed_over():
    block = CodeBlock(3, 7, b"data")
    packet = write_packet([block])
    header = packet[:-4]
    marked = b"\xff\x91\0\4\0\0" + header + b"\xff\x92" + b"data"
    assert read_packet(marked, 0, [(1, 1)]) == ([{(0, 0): block}], len(marked))


def test_an_empty_packet_is_one_byte():
    assert read_packet(b"\0rest", 0, [(2, 3)]) == ([{}], 1)


def test_tag_trees_tell_the_least_of_four_first():
    """Four code-blocks of which the last is left out, with 1, 1, 2 zero bit planes (ISO 15444-1 B.10.2)."""
    bits = (
        "1"  # the packet is not empty
        "1 1"  # something of the four is included, and the first is
        "0 1 1"  # zero bit planes: 1 is the least of the four, and the first has it
        "0 0 001"  # one pass; a length of three bits: 1
        "1"  # the second is included
        "1 0 0 010"  # the least, one pass, 2 bytes
        "1"  # the third is included
        "01 0 0 011"  # one bit plane more than the least, one pass, 3 bytes
        "0"  # the fourth is not
    ).replace(" ", "")
    bits += "0" * (-len(bits) % 8)
    header = int(bits, 2).to_bytes(len(bits) // 8, "big")
    found, end = read_packet(header + b"abbccc", 0, [(2, 2)])
    assert found == [{(0, 0): CodeBlock(1, 1, b"a"), (0, 1): CodeBlock(1, 1, b"bb"), (1, 0): CodeBlock(2, 1, b"ccc")}]
    assert end == len(header) + 6


@given(st.binary(max_size=64), st.tuples(st.integers(0, 4), st.integers(0, 4)))
def test_other_bytes_are_read_or_declined(data, grid):
    try:
        found, end = read_packet(data, 0, [grid, grid])
    except PacketError:
        return
    assert end <= len(data)
    for blocks in found:
        assert all(place[0] < grid[0] and place[1] < grid[1] for place in blocks)


@pytest.mark.parametrize("zeros", [20, 100_000])
def test_absurd_numbers_end_the_reading(zeros):
    with pytest.raises(PacketError):
        read_packet(b"\xc0" + b"\0" * zeros, 0, [(1, 1)])
