"""A JPEG 2000 codestream reduced to the resolution and the bit planes that a small picture needs, without decoding it.

A decoder's time goes by coding passes. A radiograph of 15 bits takes up to 45 of them for every code-block, and
where 8 bits of grey are shown of it, the later and longer half makes no difference that can be seen. Code-blocks
are coded on their own, plane by plane, so that the codestream of the smaller image needs no decoding: its packets
are the first of the larger one's, with fewer passes announced (ISO 15444-1 Annexes A, B and D).
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from dicom_assets.dicom.pixels.jpeg2000_packets import CodeBlock, Grid, PacketError, read_packet, write_packet
from dicom_assets.errors import DataError

_SIZ, _COD, _QCD, _SOT, _SOD = 0x51, 0x52, 0x5C, 0x90, 0x93
_KEPT = frozenset({_SIZ, _COD, _QCD, _SOT})
_NEEDLESS = frozenset({0x55, 0x57, 0x58, 0x63, 0x64})
"""TLM, PLM, PLT, CRG and COM, which decoding can do without."""
_ONLY_COMPONENT = b"\0\1"
_NOT_SUBSAMPLED = b"\1\1"
_ONLY_TILE_PART = b"\0\1"
_UNINTERRUPTED_STYLES = 0b101010
"""Reset contexts, vertically causal contexts, segmentation symbols (table A.19). Other code-block styles cut a
code-block into several segments, or code it otherwise."""
_RESOLUTION_FIRST = frozenset({0, 1, 2})
"""Progression orders LRCP, RLCP and RPCL (table A.16), of one layer."""
_LARGEST_PRECINCT = (15, 15)
_LARGEST_BLOCK = 10
_MAX_PIECES = 4096
"""Packets or code-blocks of a resolution, for which taking them apart here is quick."""

Exponents = tuple[int, int]
"""Width and height as powers of two."""


class _OtherKindError(DataError):
    """The codestream is of a kind that is left to the decoder as it is."""


@dataclass(frozen=True, slots=True)
class _Coding:
    """An image of one component in one tile (SIZ, COD and QCD: ISO 15444-1 A.5.1, A.6.1, A.6.4).

    Attributes
    ----------
    columns, rows
        Of the image.
    depth
        Precision and sign of samples, Ssiz.
    progression
        Order of packets.
    levels
        Of decomposition.
    block
        Largest size of code-blocks.
    style, transformation
        Of code-blocks and of the wavelet.
    precincts
        Largest size of precincts for every resolution.
    quantization
        Style and guard bits, and the step sizes of subbands.

    """

    columns: int
    rows: int
    depth: int
    progression: int
    levels: int
    block: Exponents
    style: int
    transformation: int
    precincts: tuple[Exponents, ...]
    quantization: bytes

    @property
    def unquantized(self) -> bool:
        """Whether QCD has exponents only, one byte each."""
        return self.quantization[0] & 0x1F == 0

    @property
    def derived(self) -> bool:
        """Whether QCD has one step size, from which the others follow."""
        return self.quantization[0] & 0x1F == 1


@dataclass(frozen=True, slots=True)
class _Subband:
    """A part of a resolution.

    Attributes
    ----------
    columns, rows
        Its size.
    planes
        Bit planes that may be coded, M_b (E.1).
    step
        What the lowest of them is worth, in stored values.

    """

    columns: int
    rows: int
    planes: int
    step: float

    def needless_planes(self, step: float) -> int:
        """Return how many of the lowest bit planes are worth no more than `step`."""
        return max(0, math.frexp(step / self.step)[1] - 1)


@dataclass(frozen=True, slots=True)
class _Resolution:
    """One of the sizes that an image is coded in, as what the next smaller one lacks.

    Attributes
    ----------
    columns, rows
        Of the image at this size.
    precinct, block
        Size of precincts and of code-blocks in a subband.
    subbands
        LL of the smallest, HL, LH and HH of others.

    """

    columns: int
    rows: int
    precinct: Exponents
    block: Exponents
    subbands: tuple[_Subband, ...]

    @property
    def scale(self) -> int:
        """Exponent of the resolution's size in relation to its subbands'."""
        return 0 if len(self.subbands) == 1 else 1

    def pieces(self, size: Exponents) -> Iterator[tuple[int, int]]:
        """Yield row and column of all pieces of a size in a subband that the resolution falls into."""
        rows, columns = _ceil(self.rows, size[1] + self.scale), _ceil(self.columns, size[0] + self.scale)
        if rows * columns > _MAX_PIECES:
            raise _OtherKindError
        return ((row, column) for row in range(rows) for column in range(columns))


def reduce_codestream(data: bytes, reduce: int, step: float) -> bytes | None:
    """Return a codestream of the image at a lower resolution and precision.

    Parameters
    ----------
    data
        A codestream.
    reduce
        Resolution levels to leave out: sides are divided by ``2**reduce``.
    step
        Bit planes that are worth no more than that, in stored values, are left out.

    Returns
    -------
    bytes or None
        ``None`` where there is no bit plane to leave out, and for kinds of codestreams that are left to the decoder
        as they are: of several components, tiles, tile-parts or quality layers, with regions of interest, of high
        throughput, damaged.

    """
    try:
        coding, offset = _read_coding(data)
        resolutions = [_resolution(coding, number) for number in range(coding.levels - reduce + 1)]
        if not any(subband.needless_planes(step) for resolution in resolutions for subband in resolution.subbands):
            return None
        packets: list[bytes] = []
        for resolution in resolutions:
            blocks, offset = _read_blocks(data, offset, coding, resolution)
            packets += _write_blocks(blocks, resolution, step)
    except (_OtherKindError, PacketError, struct.error, IndexError):
        return None
    return _write_coding(coding, resolutions, b"".join(packets))


def _read_coding(data: bytes) -> tuple[_Coding, int]:
    """Return what the headers of codestream and tile say, and where packets begin."""
    segments: dict[int, bytes] = {}
    offset = 2
    while (marker := data[offset + 1]) != _SOD:
        (length,) = struct.unpack_from(">H", data, offset + 2)
        if data[offset] != 0xFF or marker not in _KEPT | _NEEDLESS or marker in segments.keys() & _KEPT:
            raise _OtherKindError
        segments[marker] = data[offset + 4 : offset + 2 + length]
        offset += 2 + length
    siz, cod, quantization, tile = (segments.get(marker, b"") for marker in (_SIZ, _COD, _QCD, _SOT))
    columns, rows, left, top, tile_columns, tile_rows, tile_left, tile_top = struct.unpack_from(">8I", siz, 2)
    if left or top or tile_left or tile_top or tile_columns < columns or tile_rows < rows:
        raise _OtherKindError
    if siz[34:36] != _ONLY_COMPONENT or siz[37:] != _NOT_SUBSAMPLED or tile[6:] != _ONLY_TILE_PART:
        raise _OtherKindError
    flags, progression, layers, _, levels, width, height, style, transformation = struct.unpack_from(">BBH6B", cod)
    block = (width + 2, height + 2)
    if layers != 1 or style & ~_UNINTERRUPTED_STYLES or max(block) > _LARGEST_BLOCK or not quantization:
        raise _OtherKindError
    precincts = tuple((byte & 15, byte >> 4) for byte in cod[10:]) if flags & 1 else ()
    coding = _Coding(
        columns=columns,
        rows=rows,
        depth=siz[36],
        progression=progression,
        levels=levels,
        block=block,
        style=style,
        transformation=transformation,
        precincts=precincts or (_LARGEST_PRECINCT,) * (levels + 1),
        quantization=quantization,
    )
    return coding, offset + 2


def _resolution(coding: _Coding, number: int) -> _Resolution:
    """Return a resolution, 0 being the smallest (B.5 to B.7)."""
    halvings = coding.levels - number
    scale = 0 if number == 0 else 1
    precinct = (coding.precincts[number][0] - scale, coding.precincts[number][1] - scale)
    if min(precinct) < 0:
        raise _OtherKindError
    places = ((0, 0),) if number == 0 else ((1, 0), (0, 1), (1, 1))
    return _Resolution(
        columns=_ceil(coding.columns, halvings),
        rows=_ceil(coding.rows, halvings),
        precinct=precinct,
        block=(min(coding.block[0], precinct[0]), min(coding.block[1], precinct[1])),
        subbands=tuple(
            _subband(coding, halvings + scale, place, max(0, 3 * number - 2) + index)
            for index, place in enumerate(places)
        ),
    )


def _subband(coding: _Coding, level: int, place: tuple[int, int], index: int) -> _Subband:
    """Return a subband of a decomposition level, high-pass in a direction where `place` is 1 (B.5, E.1).

    Coefficients are twice as large as stored values for every direction that is high-pass (gain_b of table E.1), which
    quantization steps make up for, and the step of a coefficient that is not quantized is 1.
    """
    if coding.unquantized:
        exponent = coding.quantization[1 + index] >> 3
        step = 0.5 ** sum(place)
    else:
        (word,) = struct.unpack_from(">H", coding.quantization, 1 if coding.derived else 1 + 2 * index)
        exponent = (word >> 11) - (coding.levels - level if coding.derived else 0)
        step = 2.0 ** ((coding.depth & 0x7F) + 1 - exponent) * (1 + (word & 0x7FF) / 2048)
    half = 1 << level >> 1
    return _Subband(
        columns=_ceil(coding.columns - place[0] * half, level),
        rows=_ceil(coding.rows - place[1] * half, level),
        planes=(coding.quantization[0] >> 5) + exponent - 1,
        step=step,
    )


def _read_blocks(
    data: bytes, offset: int, coding: _Coding, resolution: _Resolution
) -> tuple[list[dict[Grid, CodeBlock]], int]:
    """Return the code-blocks of every subband by row and column, and where the next resolution begins."""
    found: list[dict[Grid, CodeBlock]] = [{} for _ in resolution.subbands]
    (width, height), (block_width, block_height) = resolution.precinct, resolution.block
    precincts = list(resolution.pieces(resolution.precinct))
    if coding.progression not in _RESOLUTION_FIRST and len(precincts) > 1:
        raise _OtherKindError
    for row, column in precincts:
        top, left = row << height, column << width
        grids = [
            (
                _ceil(min(subband.rows - top, 1 << height), block_height),
                _ceil(min(subband.columns - left, 1 << width), block_width),
            )
            for subband in resolution.subbands
        ]
        blocks, offset = read_packet(data, offset, [grid if min(grid) > 0 else (0, 0) for grid in grids])
        for all_blocks, some_blocks in zip(found, blocks, strict=True):
            for (down, right), block in some_blocks.items():
                all_blocks[(top >> block_height) + down, (left >> block_width) + right] = block
    return found, offset


def _write_blocks(blocks: list[dict[Grid, CodeBlock]], resolution: _Resolution, step: float) -> Iterator[bytes]:
    """Yield the packets of a resolution whose precincts are as large as its code-blocks."""
    needless = [subband.needless_planes(step) for subband in resolution.subbands]
    for row, column in resolution.pieces(resolution.block):
        yield write_packet(
            [
                _shortened(found.get((row, column)), subband.planes - planes)
                for found, subband, planes in zip(blocks, resolution.subbands, needless, strict=True)
                if row << resolution.block[1] < subband.rows and column << resolution.block[0] < subband.columns
            ]
        )


def _shortened(block: CodeBlock | None, planes: int) -> CodeBlock | None:
    """Return a code-block without the passes below its first `planes` bit planes.

    All bytes are kept: those that are not needed do no harm, and where a pass ends only decoding would tell.
    """
    if block is None:
        return None
    passes = min(block.passes, 3 * (planes - block.zero_planes) - 2)
    return CodeBlock(block.zero_planes, passes, block.data) if passes > 0 else None


def _write_coding(coding: _Coding, resolutions: list[_Resolution], packets: bytes) -> bytes:
    """Return the codestream of the last of the resolutions."""
    columns, rows = resolutions[-1].columns, resolutions[-1].rows
    siz = struct.pack(">H8I", 0, columns, rows, 0, 0, columns, rows, 0, 0)
    siz += _ONLY_COMPONENT + bytes([coding.depth]) + _NOT_SUBSAMPLED
    levels, (width, height) = len(resolutions) - 1, coding.block
    cod = struct.pack(">BBH6B", 1, 0, 1, 0, levels, width - 2, height - 2, coding.style, coding.transformation)
    cod += bytes(each.block[0] + each.scale | each.block[1] + each.scale << 4 for each in resolutions)
    steps = 1 if coding.derived else 1 + 3 * levels
    quantization = coding.quantization[: 1 + steps * (1 if coding.unquantized else 2)]
    # Up to the end of the codestream.
    tile = struct.pack(">HI", 0, 0) + _ONLY_TILE_PART
    segments = ((_SIZ, siz), (_COD, cod), (_QCD, quantization), (_SOT, tile))
    header = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    return b"".join((b"\xff\x4f", header, b"\xff\x93", packets, b"\xff\xd9"))


def _ceil(value: int, exponent: int) -> int:
    """Return ``value / 2**exponent``, rounded up."""
    return -(-value >> exponent)
