"""What ZIP and TAR files cost that are read in place: requests, bytes, seconds and memory, of listing and of reading.

``python -m benchmarks.containers``: 2,000 slices in each kind of container; every read of the container counts as the
request that it is in an object store. Members are read as the pipeline reads them: opened by the place that the listing
told, their first 64 KiB or all of them, in the order in which they stand. At last, the directory of a ZIP of a million
members.
"""

import argparse
import io
import tarfile
import time
import zipfile
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from benchmarks.memory import forget_peak, peak
from dicom_assets.archive.containers.contents import ContainerFile, Contents, read_contents
from dicom_assets.archive.containers.places import Place
from dicom_assets.archive.containers.reading_order import reading_order
from dicom_assets.archive.containers.shared import open_place
from dicom_assets.archive.versions import Listed
from dicom_assets.dicom.source import ByteSource, BytesSource
from dicom_assets_tests.support.containers import directory_only

HEAD = 64 << 10
HEADER = 4 << 10
"""What a reader asks for that wants a header alone."""


class Counting:
    """A source that counts what is asked of it."""

    def __init__(self, source: ByteSource) -> None:
        self._source, self.size = source, source.size
        self.requests = self.bytes = 0

    def read(self, offset: int, length: int) -> bytes:
        data = self._source.read(offset, length)
        self.requests += 1
        self.bytes += len(data)
        return data


def slices(count: int, side: int = 200) -> dict[str, bytes]:
    """Return 16-bit slices with noise, behind 4 kB that stand for a header."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    found = {}
    for number in range(count):
        pixels = np.where(x**2 + y**2 < 0.8, 700, 0) + rng.normal(0, 60, (side, side))
        header = rng.bytes(1000) + b"header" * 500
        found[f"series/{number:05d}.dcm"] = header + pixels.clip(0, 4095).astype("<u2").tobytes()
    return found


def zipped(files: Mapping[str, bytes], method: int) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method, compresslevel=6) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return sink.getvalue()


def tarred(files: Mapping[str, bytes], mode: str = "w") -> bytes:
    sink = io.BytesIO()
    options = {"compresslevel": 6} if mode == "w:gz" else {}
    with tarfile.open(fileobj=sink, mode=mode, **options) as packed:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return sink.getvalue()


KINDS: dict[str, tuple[str, Callable[[Mapping[str, bytes]], bytes]]] = {
    "ZIP, deflated": ("x.zip", lambda files: zipped(files, zipfile.ZIP_DEFLATED)),
    "ZIP, stored": ("x.zip", lambda files: zipped(files, zipfile.ZIP_STORED)),
    "TAR": ("x.tar", tarred),
    "TAR in gzip": ("x.tar.gz", lambda files: tarred(files, "w:gz")),
    "TAR in Zstandard": ("x.tar.zst", lambda files: pa.Codec("zstd").compress(tarred(files), asbytes=True)),
}


def listing(name: str, source: ByteSource) -> Contents:
    return read_contents(ContainerFile("a", f"/{name}", name, "f", Listed(source.size, "v")), source)


def measure(title: str, name: str, packed: bytes) -> None:
    source = Counting(BytesSource(packed))
    started = time.perf_counter()
    found = listing(name, source)
    took = time.perf_counter() - started
    members = reading_order(found.rows)
    count = members.num_rows
    print(f"{title:18} {len(packed) / 1e6:7.0f} {source.requests:6} {source.bytes / 1e6:7.1f} {took:7.2f}", end="")
    for wanted in (HEADER, HEAD, None):
        source = Counting(BytesSource(packed))
        started = time.perf_counter()
        for version, size in zip(members["source_version"].to_pylist(), members["size"].to_pylist(), strict=True):
            place = Place.parse(version)
            assert place is not None
            # Another name for each round, so that none goes on where the one before it has ended.
            opened = open_place(f"{title} {wanted}", place, source)
            assert len(opened.read(0, wanted or size)) == min(wanted or size, size)
        took = time.perf_counter() - started
        print(f" {source.requests / count:8.2f} {source.bytes / count / 1e3:7.1f} {count / took:8,.0f}", end="")
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=2000)
    parser.add_argument("--many", type=int, default=1_000_000)
    options = parser.parse_args()
    files = slices(options.members)
    print(
        f"{options.members:,} members of {len(next(iter(files.values()))):,} bytes; of listing: requests, MB, seconds;"
    )
    print("of reading a header (4 KiB), a head (64 KiB), all: requests and kB a member, members a second")
    for title, (name, make) in KINDS.items():
        measure(title, name, make(files))
    packed = directory_only(options.many)
    forget_peak()
    before, started = peak(), time.perf_counter()
    rows = listing("x.zip", BytesSource(packed)).rows
    took = time.perf_counter() - started
    print(
        f"ZIP of {rows.num_rows:,} members: a directory of {len(packed) / 1e6:.0f} MB, listed in {took:.1f} s,", end=" "
    )
    print(f"{rows.nbytes >> 20} MiB of rows, {(peak() - before) >> 20} MiB more at the peak")


if __name__ == "__main__":
    main()
