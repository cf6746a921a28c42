"""Real files, damaged at random: nothing escapes, nothing takes long, nothing grows."""

import random
import time
import tracemalloc

import orjson
import pytest

from dicom_assets.dicom.frames import frame_groups
from dicom_assets.dicom.read import header_json, read_header
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.corpus import corpus_files, pydicom_files

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
