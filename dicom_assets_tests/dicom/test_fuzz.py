"""Real files, damaged at random: nothing escapes, nothing takes long, nothing grows."""

import random
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import orjson
import pyarrow as pa
import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.dicom.frames import frame_groups
from dicom_assets.dicom.header import header_json, read_header
from dicom_assets.dicom.header.pixel_extent import pixel_extent
from dicom_assets.dicom.source import BytesSource
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.extract.rows import Wanted, extract_rows
from dicom_assets.extract.source_file import HEAD_BYTES, FileKey
from dicom_assets.pipeline.difference import difference
from dicom_assets_tests.support.corpus import corpus_files, pydicom_files
from dicom_assets_tests.support.dicom.compressed import ENCODERS, NATIVE, compressed_file

MOST_BYTES = 200_000
MOST_SECONDS = 1.0
MOST_MEMORY = 64 << 20

PIECES = [
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\x0d\xe0",
    b"\xfe\xff\xdd\xe0",
    b"\xe0\x7f\x10\x00",
    b"\x08\x00\x05\x00",
    b"SQ\0\0",
    b"UN\0\0",
    b"OB\0\0",
    b"DS",
    b"\x1b$B",
]


def seeds():
    files = [*pydicom_files(), *corpus_files()[::5]]
    return [content for path in files if (content := path.read_bytes()[:MOST_BYTES])]


def mutated(content, rng):
    """Return a file with a few bytes changed, removed, inserted or cut off, most often near its beginning."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        if not data:
            break
        position = rng.randrange(min(len(data), rng.choice([400, 2_000, 20_000, MOST_BYTES])))
        match rng.randrange(6):
            case 0:
                data[position] = rng.randrange(256)
            case 1:
                data[position] ^= 1 << rng.randrange(8)
            case 2:
                del data[position : position + rng.randrange(1, 20)]
            case 3:
                data[position:position] = rng.randbytes(rng.randrange(1, 20))
            case 4:
                piece = rng.choice(PIECES)
                data[position : position + len(piece)] = piece
            case _:
                if rng.random() < 0.2:
                    del data[position:]
    return bytes(data)


def check(content):
    begin = time.process_time()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    header = read_header(BytesSource(content))
    text = header_json(header)
    seconds = time.process_time() - begin
    assert text == header_json(replace(header, sequences=None)), "all sequences were noted"
    _, peak = tracemalloc.get_traced_memory()
    assert "failed" not in (header.error or "")
    assert seconds < MOST_SECONDS
    assert peak - before < MOST_MEMORY
    assert list(orjson.loads(text)["dataset"]) == sorted(header.dataset)
    frame_groups(header, 1)


def fuzz(mutations, seed):
    rng = random.Random(seed)
    contents = seeds()
    tracemalloc.start()
    try:
        for number in range(mutations):
            content = mutated(rng.choice(contents), rng)
            try:
                check(content)
            except Exception as error:
                raise AssertionError(f"mutation {number} of seed {seed}") from error
    finally:
        tracemalloc.stop()


def test_mutations():
    fuzz(1_000, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_mutations(seed):
    fuzz(5_000, seed=seed)


# Cuts

SYNTAXES = (*NATIVE, *ENCODERS)
EXTRACTORS = DEFAULT_EXTRACTORS
SMALL, LARGE = (64, 48), (480, 400)
CUT = ("pixel_data_cut", "missing_delimiter")


def rows_of(root: Path, content: bytes):
    path = root / "cut.dcm"
    path.write_bytes(content)
    key = FileKey(".", str(path), path.name, f"{len(content)}-1")
    return extract_rows(
        LocalArchive(str(root), 0), EXTRACTORS, Wanted(key, frozenset(t.name for t in DEFAULT_MODEL.extracted))
    )


def check_that_nothing_is_left_to_do(rows):
    """Compare as a second run does: a row counts when it is of this version of the file and of the code."""
    for extractor in EXTRACTORS:
        row = rows[extractor.table.name]
        expected = {"prefix": ".", "path": row["path"], "_row_version": f"{row['path']} {extractor.version}"}
        made = row["fingerprint"] and f"{row['path']} {row['extractor_version']}"
        actual = {"prefix": ".", "path": row["path"], "_row_version": made, "_file": 0}
        text = pa.string()
        schema = [pa.field(name, text) for name in ("prefix", "path", "_row_version")]
        found = difference(
            pa.Table.from_pylist([expected], pa.schema(schema)),
            pa.Table.from_pylist([actual], pa.schema([*schema, pa.field("_file", pa.int32())])),
        )
        assert not found, extractor.table.name


def check_cut(root: Path, content: bytes, end: int, whole):
    """Cut a file behind its header: of the header nothing is lost, it says so, and the thumbnail does."""
    rows = rows_of(root, content[:end])
    check_that_nothing_is_left_to_do(rows)
    header, thumbnail = rows["dicom_headers"], rows["thumbnails"]
    for name, may_differ in (("file_metadata", {"head_digest"}), ("dicom_headers", {"status", "issues"})):
        for column in rows[name].keys() - may_differ - {"fingerprint"}:
            assert rows[name][column] == whole[name][column], column
    assert header["status"] == "issues"
    codes = [issue["code"] for issue in header["issues"]]
    assert any(code in codes for code in CUT)
    assert thumbnail["status"] in {"ok", "partial", "error", whole["thumbnails"]["status"]}
    assert (thumbnail["thumbnail"] is None) == (thumbnail["status"] not in {"ok", "partial"})
    if "pixel_data_cut" not in codes:
        assert thumbnail["status"] == whole["thumbnails"]["status"]
    assert (thumbnail["error"] is None) == (thumbnail["status"] == "ok")


def cut_everywhere(root: Path, content: bytes, cuts: int, seed: int):
    rng = random.Random(seed)
    whole = rows_of(root, content)
    header = read_header(BytesSource(content))
    # Behind the pixel data there may be padding, of which nothing is missed.
    last = pixel_extent(header.pixel, header.body, header.dataset).end
    for _ in range(cuts):
        end = rng.randrange(header.pixel.offset, last)
        try:
            check_cut(root, content, end, whole)
        except Exception as error:
            raise AssertionError(f"cut at {end} of {len(content)}") from error


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(("size", "frames"), [(SMALL, 1), (SMALL, 3), slow(LARGE, 1), slow(LARGE, 2)])
@pytest.mark.parametrize("syntax", [syntax for syntax in SYNTAXES if not syntax.endswith(".1.99")])
def test_cuts_of_every_syntax(tmp_path, syntax, size, frames):
    content = compressed_file(syntax, frames, size, table=frames == 2)
    assert (len(content) > HEAD_BYTES) == (size == LARGE)
    cut_everywhere(tmp_path, content, 5, seed=frames)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_cuts_of_a_deflated_data_set(tmp_path, size):
    content = compressed_file("1.2.840.10008.1.2.1.99", 1, size)
    whole = rows_of(tmp_path, content)
    rng = random.Random(1)
    for _ in range(8):
        # The header is deflated too: most cuts are behind it.
        check_cut(tmp_path, content, rng.randrange(len(content) // 3, len(content) - 4), whole)


def has_compressed_pixels(path):
    header = read_header(BytesSource(path.read_bytes()))
    return header.status == "ok" and header.pixel is not None and header.pixel.length is None


@pytest.mark.slow
def test_cuts_of_real_compressed_files(tmp_path):
    found = [path for path in pydicom_files() if has_compressed_pixels(path)]
    assert len(found) > 10
    for path in found:
        cut_everywhere(tmp_path, path.read_bytes(), 2, seed=len(path.name))


def test_cuts_anywhere_leave_nothing_to_do(tmp_path):
    """Also those in the header itself, and those of files that are damaged besides."""
    rng = random.Random(5)
    contents = seeds()
    for number in range(60):
        content = rng.choice(contents)
        damaged = content if number % 2 else mutated(content, rng)
        check_that_nothing_is_left_to_do(rows_of(tmp_path, damaged[: rng.randrange(len(damaged) + 1)]))
