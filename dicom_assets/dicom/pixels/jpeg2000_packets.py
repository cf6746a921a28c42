"""Packets of a JPEG 2000 codestream, read and written (tier 2 of the coder, ISO 15444-1 B.9 and B.10).

A packet holds the code-blocks of one precinct of one resolution: a header, which says how many bit planes, coding
passes and bytes each code-block has, and the bytes. Reading headers is enough to take code-blocks out of one
codestream and put them into another one without decoding them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dicom_assets.errors import DataError

_SOP = b"\xff\x91"
_EPH = b"\xff\x92"
_SOP_LENGTH = 6
_LENGTH_BITS = 3
"""Lblock before it is raised (B.10.7.1)."""
_MAX_ZERO_PLANES = 74
"""More bit planes than quantization can declare: 37 guarded ones of a sample of 38 bits."""
_MAX_LENGTH_BITS = 32


class PacketError(DataError):
    """What was to be a packet is none."""


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """What a packet says of a code-block, and its bytes.

    Attributes
    ----------
    zero_planes
        Most significant bit planes that are zero throughout and not coded.
    passes
        Coding passes: one for the first coded plane, three for each further one.
    data
        Of the arithmetic coder, one segment.

    """

    zero_planes: int
    passes: int
    data: bytes


Grid = tuple[int, int]
"""Rows and columns of code-blocks that a precinct has in a subband."""


def read_packet(data: bytes, offset: int, grids: Sequence[Grid]) -> tuple[list[dict[Grid, CodeBlock]], int]:
    """Read a packet of the only quality layer.

    Parameters
    ----------
    data
        The codestream.
    offset
        Where the packet begins.
    grids
        For every subband of the resolution.

    Returns
    -------
    code-blocks, end
        For every subband its code-blocks by row and column, without those that the packet leaves out, and the
        offset after the packet.

    Raises
    ------
    PacketError
        When there is no whole packet.

    """
    if data.startswith(_SOP, offset):
        offset += _SOP_LENGTH
    bits = _BitReader(data, offset)
    announced: list[list[tuple[Grid, int, int, int]]] = [[] for _ in grids]
    if bits.read(1):
        for blocks, grid in zip(announced, grids, strict=True):
            blocks.extend(_read_subband(bits, grid))
    offset = bits.end()
    if data.startswith(_EPH, offset):
        offset += len(_EPH)
    found: list[dict[Grid, CodeBlock]] = []
    for blocks in announced:
        found.append({})
        for place, zero_planes, passes, length in blocks:
            found[-1][place] = CodeBlock(zero_planes, passes, data[offset : offset + length])
            offset += length
    if offset > len(data):
        raise PacketError("the codestream ends within a packet")
    return found, offset


def write_packet(blocks: Sequence[CodeBlock | None]) -> bytes:
    """Return a packet of a precinct that has one code-block in every subband, ``None`` for one that is left out.

    Tag trees of one node are a bit for what is included and zero bit planes in unary.
    """
    bits = _BitWriter()
    bits.write(1, 1)
    for block in blocks:
        bits.write(block is not None, 1)
        if block is None:
            continue
        bits.write(1, block.zero_planes + 1)
        bits.write(*_code_of_passes(block.passes))
        extra = block.passes.bit_length() - 1
        raised = max(0, len(block.data).bit_length() - _LENGTH_BITS - extra)
        bits.write((1 << raised + 1) - 2, raised + 1)
        bits.write(len(block.data), _LENGTH_BITS + raised + extra)
    return b"".join((bits.end(), *(block.data for block in blocks if block is not None)))


def _read_subband(bits: "_BitReader", grid: Grid) -> list[tuple[Grid, int, int, int]]:
    """Return place, zero bit planes, passes and length of the code-blocks that are included (B.10.8)."""
    rows, columns = grid
    included, zero_planes = _TagTree(rows, columns), _TagTree(rows, columns)
    blocks = []
    for row in range(rows):
        for column in range(columns):
            if included.value(bits, row, column, 0) is None:
                continue
            zeros = zero_planes.value(bits, row, column, _MAX_ZERO_PLANES)
            if zeros is None:
                raise PacketError("a code-block has more bit planes than there can be")
            passes = _read_passes(bits)
            length_bits = _LENGTH_BITS
            while bits.read(1):
                length_bits += 1
                if length_bits > _MAX_LENGTH_BITS:
                    raise PacketError("a code-block is longer than any codestream")
            blocks.append(((row, column), zeros, passes, bits.read(length_bits + passes.bit_length() - 1)))
    return blocks


def _read_passes(bits: "_BitReader") -> int:
    """Return a number of coding passes (B.10.6, table B.4)."""
    for first, width in ((1, 1), (2, 1), (3, 2), (6, 5)):
        value = bits.read(width)
        if value < (1 << width) - 1:
            return first + value
    return 37 + bits.read(7)


def _code_of_passes(passes: int) -> tuple[int, int]:
    """Return the code word of a number of coding passes and its length in bits (B.10.6, table B.4)."""
    if passes <= 2:
        return (0, 1) if passes == 1 else (0b10, 2)
    if passes <= 5:
        return 0b1100 | passes - 3, 4
    if passes <= 36:
        return 0b1111 << 5 | passes - 6, 9
    return 0b1_1111_1111 << 7 | passes - 37, 16


class _BitReader:
    """Bits of a packet header: a byte after 0xFF has seven of them (B.10.1)."""

    def __init__(self, data: bytes, offset: int) -> None:
        self._data = data
        self._offset = offset
        self._byte = 0
        self._left = 0

    def read(self, count: int) -> int:
        value = 0
        while count > self._left:
            value = value << self._left | self._byte & (1 << self._left) - 1
            count -= self._left
            if self._offset >= len(self._data):
                raise PacketError("the codestream ends within a packet header")
            self._left = 7 if self._byte == 0xFF else 8
            self._byte = self._data[self._offset]
            self._offset += 1
        self._left -= count
        return value << count | self._byte >> self._left & (1 << count) - 1

    def end(self) -> int:
        """Return the offset after the header."""
        return self._offset + (self._byte == 0xFF)


class _BitWriter:
    """The counterpart of :class:`_BitReader`."""

    def __init__(self) -> None:
        self._value = 0
        self._count = 0

    def write(self, value: int, count: int) -> None:
        self._value = self._value << count | value
        self._count += count

    def end(self) -> bytes:
        """Return the header, which must not end in 0xFF."""
        header, left, width = bytearray(), self._count, 8
        while left > 0 or width == 7:
            left -= width
            byte = self._value >> left if left >= 0 else self._value << -left
            header.append(byte & (1 << width) - 1)
            width = 7 if header[-1] == 0xFF else 8
        return bytes(header)


class _TagTree:
    """Numbers in a grid, told by way of the smallest of every two by two (B.10.2)."""

    def __init__(self, rows: int, columns: int) -> None:
        self._levels: list[tuple[int, list[int], list[bool]]] = []
        while True:
            count = rows * columns
            self._levels.append((columns, [0] * count, [False] * count))
            if count <= 1:
                break
            rows, columns = (rows + 1) // 2, (columns + 1) // 2

    def value(self, bits: _BitReader, row: int, column: int, most: int) -> int | None:
        """Return a number, ``None`` when it is above `most`; what is known from before is not read again."""
        low = 0
        for level in reversed(range(len(self._levels))):
            columns, lows, known = self._levels[level]
            node = (row >> level) * columns + (column >> level)
            low = max(low, lows[node])
            while not known[node] and low <= most:
                if bits.read(1):
                    known[node] = True
                else:
                    low += 1
            lows[node] = low
        return low if known[node] else None
