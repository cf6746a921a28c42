"""Containers that are damaged or meant to harm: what makes each, what is wrong with it, how many members it tells."""

import gzip
import io
import tarfile
import zipfile

from dicom_assets.archive.containers.faults import Fault
from dicom_assets_tests.support.containers import directory_only, tar_of, tgz_of, tzst_of, zip_of

FILES = {f"d/{number}.dcm": bytes([number]) * 3000 for number in range(5)}


def negative_size() -> bytes:
    """Return a TAR whose only member is shorter than nothing, over which a reader goes in circles."""
    header = tarfile.TarInfo("m").tobuf(tarfile.GNU_FORMAT)
    changed = bytearray(header)
    changed[124:136] = b"\xff" * 10 + b"\xfc\x00"
    changed[148:156] = b" " * 8
    changed[148:156] = b"%06o\0 " % sum(changed)
    return tar_of({"first": b"1"})[:1024] + bytes(changed) + bytes(1024)


def long_headers(count: int) -> bytes:
    """Return a TAR of names for names for names."""
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 512
    return tar_of({"first": b"1"})[:1024] + (name.tobuf(tarfile.GNU_FORMAT) + b"n" * 512) * count + bytes(1024)


def endless_header() -> bytes:
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    return tar_of({"first": b"1"})[:1024] + name.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 16)


def zeros() -> bytes:
    """Return a TAR of one member of 300 MB of zeros, in gzip."""
    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1) as packed:
        info = tarfile.TarInfo("zeros")
        info.size = 300 << 20
        packed.write(info.tobuf())
        for _ in range(300):
            packed.write(bytes(1 << 20))
        packed.write(bytes(1024))
    return sink.getvalue()


def split() -> bytes:
    packed = bytearray(zip_of(FILES))
    packed[packed.rindex(b"PK\x05\x06") + 4] = 1
    return bytes(packed)


HOSTILE = {
    "cut.zip": (lambda: zip_of(FILES)[:-30], Fault.DAMAGED, 0),
    "beheaded.zip": (lambda: zip_of(FILES, zipfile.ZIP_STORED)[2000:], Fault.DAMAGED, 0),
    "no directory.zip": (lambda: zip_of(FILES).replace(b"PK\x01\x02", b"XXXX"), Fault.DAMAGED, 0),
    "split.zip": (split, Fault.SPLIT, 0),
    "bomb.zip": (lambda: directory_only(100, 1 << 32 - 1, 10), Fault.RATIO, 0),
    "overlapping.zip": (lambda: directory_only(100, 4000, 4000), Fault.OVERLAP, 0),
    "beyond.zip": (lambda: directory_only(2, 10, 10, offset=1 << 30), Fault.DAMAGED, 0),
    "cut.tar": (lambda: tar_of(FILES)[:10_000], Fault.DAMAGED, 2),
    "overwritten.tar": (lambda: tar_of(FILES).replace(b"d/3.dcm", b"x/y.dcm"), Fault.DAMAGED, 3),
    "in circles.tar": (negative_size, Fault.DAMAGED, 1),
    "names of names.tar": (lambda: long_headers(2000), Fault.DAMAGED, 1),
    "endless header.tar": (endless_header, Fault.DAMAGED, 1),
    "cut.tgz": (lambda: tgz_of(FILES)[:-20], Fault.DAMAGED, 4),
    "zeros.tgz": (zeros, Fault.RATIO, 0),
    "cut.tar.zst": (lambda: tzst_of(FILES)[:-20], Fault.DAMAGED, None),
}
