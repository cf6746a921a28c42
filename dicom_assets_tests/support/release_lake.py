"""A small lake as a release leaves it, packed into one file: for the test that later versions can open it.

Run with the code of a release, before its version is raised::

    python -m dicom_assets_tests.support.release_lake /srv/archive dicom_assets_tests/data/lake-0.1.0.tar.xz

The folder is made, cataloged and removed again; its path is what the rows of the packed lake hold. The files are made
up (:func:`~dicom_assets_tests.support.whole.tiny_dicom`), and packed as well, because what pydicom writes differs
between its versions.
"""

import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from dicom_assets.pipeline.update import update_catalog
from dicom_assets_tests.support.whole import put

WHEN = 1_700_000_000


def make_archive(source: Path) -> None:
    """Put three files into two prefixes: two images, one of them cut short, and one that is no DICOM."""
    put(source / "a" / "1.dcm", 1, WHEN)
    put(source / "a" / "2.dcm", 2)
    cut = source / "a" / "2.dcm"
    cut.write_bytes(cut.read_bytes()[:-20])
    (source / "b").mkdir()
    (source / "b" / "notes.txt").write_text("no DICOM")
    for path in (cut, source / "b" / "notes.txt"):
        os.utime(path, (WHEN, WHEN))


def pack(source: Path, packed: Path) -> None:
    """Catalog the files at a place of their own and pack them with the lake."""
    source.mkdir(parents=True)
    try:
        make_archive(source)
        with tempfile.TemporaryDirectory() as folder:
            update_catalog(str(source), f"{folder}/lake")
            with tarfile.open(packed, "w:xz", format=tarfile.PAX_FORMAT) as tar:
                tar.add(source, "archive", filter=_anonymous)
                tar.add(f"{folder}/lake", "lake", filter=_anonymous)
    finally:
        shutil.rmtree(source)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who packed it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
