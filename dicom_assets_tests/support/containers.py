"""ZIP and TAR files for tests, sound ones of every kind and such as strangers make."""

import io
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Mapping

import pyarrow as pa

WHEN = 1_700_000_000

Files = Mapping[str, bytes] | Iterable[tuple[str, bytes]]


def pairs(files: Files) -> list[tuple[str, bytes]]:
    return list(files.items() if isinstance(files, Mapping) else files)


def zip_of(files: Files, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    """Return a ZIP whose bytes depend on nothing but what is in it."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        for name, content in pairs(files):
            info = zipfile.ZipInfo(name, (2023, 11, 14, 22, 13, 20))
            info.compress_type = method
            packed.writestr(info, content)
        packed.comment = comment
    return sink.getvalue()


def tar_of(files: Files, mode: str = "w", when: int = WHEN) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as packed:
        for name, content in pairs(files):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), when
            packed.addfile(info, io.BytesIO(content))
    return sink.getvalue()


def tgz_of(files: Files) -> bytes:
    return tar_of(files, "w:gz")


def tzst_of(files: Files) -> bytes:
    return pa.Codec("zstd").compress(tar_of(files), asbytes=True)


MAKERS = {"x.zip": zip_of, "x.tar": tar_of, "x.tar.gz": tgz_of, "x.tgz": tgz_of, "x.tar.zst": tzst_of}
"""What makes a container of each name."""


def with_links(files: Files, links: Iterable[tuple[str, str, bytes]]) -> bytes:
    """Return a TAR with entries of other types (name, what it leads to, type) behind its files."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as packed:
        for name, content in pairs(files):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
        for name, target, kind in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            packed.addfile(info)
    return sink.getvalue()


def encrypted(packed: bytes) -> bytes:
    """Return a ZIP that says of its only member that it is encrypted (APPNOTE.TXT 4.4.4, bit 0)."""
    changed = bytearray(packed)
    changed[packed.index(b"PK\x03\x04") + 6] |= 1
    changed[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def directory_only(entries: int, size: int = 0, packed: int = 0, offset: int = 0) -> bytes:
    """Return a ZIP64 of a directory alone, whose entries make what they like of themselves."""
    parts = []
    for number in range(entries):
        name = b"d/%09d.dcm" % number
        parts.append(
            struct.pack(
                "<4s4B4HL2L5H2L",
                *(b"PK\x01\x02", 45, 3, 45, 0, 0, 0 if packed == size else 8, 0, 0x5A21, number, packed, size),
                *(len(name), 0, 0, 0, 0, 0, offset),
            )
            + name
        )
    directory = b"".join(parts)
    end64 = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, len(directory), len(FIRST_BYTES)
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(FIRST_BYTES) + len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return FIRST_BYTES + directory + end64 + locator + end


FIRST_BYTES = b"PK\x03\x04" + bytes(4092)
"""Something for offsets to lead to."""
