"""An archive of studies without disk, for benchmarks of a million rows: every file is made when it is read.

A prefix is a patient with 1,000 files: a localizer and four volumes, CT in one prefix, MR in the next. Headers are
those of :mod:`benchmarks.mr_files` less their blocks of bytes: 150 elements, 8 kB as JSON. UIDs, positions, dates and
descriptions are their own. All go through the real listing, walker, tables and commits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from io import BytesIO
from typing import Self

import numpy as np
import pyarrow as pa

from benchmarks.mr_files import mr_dataset
from dicom_assets.archive.base import Prefixes
from dicom_assets.archive.listing import ListedFile, to_table
from dicom_assets.archive.versions import Listed

FILES_PER_PREFIX = 1_000
_SERIES = (10, 198, 264, 264, 264)
"""Files of the series of a patient; the first is a localizer of three directions."""
_PARTS = ("HEAD", "CHEST", "ABDOMEN", "KNEE", "PROSTATE", "BREAST", "SPINE")
_WHEN = datetime(2024, 5, 6, tzinfo=UTC)
_FIRST_DAY = date(2015, 1, 1)
_DIRECTIONS = ([1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1])
_UID = "1.2.826.0.1.3680043.10.543"
_ANY = 89_999
_NUMBER, _POSITION = b"75319753", b"8642.97"
"""What stands in a template for what differs."""


def sop_instance_uid(patient: int, number: int) -> str:
    """Return the UID of a file."""
    return f"{_UID}.{patient + 1}.{number + 10_000}"


def series_uid(patient: int, series: int) -> str:
    """Return the UID of a series."""
    return f"{_UID}.{patient + 1}.0.{series + 1}"


def patient_id(patient: int) -> str:
    """Return the ID of a patient."""
    return f"P{patient:06d}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file stands in its patient."""

    series: int
    slice: int


@lru_cache(maxsize=1)
def _places() -> tuple[_Place, ...]:
    return tuple(_Place(series, number) for series, files in enumerate(_SERIES) for number in range(files))


def _file(patient: int, number: int) -> bytes:
    """Return the bytes of a file."""
    place = _places()[number]
    direction = place.slice % 3 if place.series == 0 else 0
    uid = sop_instance_uid(patient, number)
    return (
        _template(patient, place.series, direction)
        .replace(sop_instance_uid(patient, _ANY).encode(), uid.encode())
        .replace(_NUMBER, b"%08d" % (place.slice + 1))
        .replace(_POSITION, b"%07.2f" % (place.slice * 2.5))
    )


@lru_cache(maxsize=8)
def _template(patient: int, series: int, direction: int) -> bytes:
    """Return a file with all that is common to a series, and marks of equal length where its files differ."""
    dataset = mr_dataset(np.random.default_rng(patient), 0, series, np.zeros((4, 4), "<u2"), blocks=False)
    day = (_FIRST_DAY + timedelta(days=patient * 7 % 3_600)).strftime("%Y%m%d")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = sop_instance_uid(patient, _ANY)
    dataset.InstanceNumber, dataset.SliceLocation = _NUMBER.decode(), _POSITION.decode()
    dataset.ImagePositionPatient = ["-96", "-96", _POSITION.decode()]
    dataset.ImageOrientationPatient = _DIRECTIONS[direction]
    dataset.Modality, dataset.BodyPartExamined = ("CT", "MR")[patient % 2], _PARTS[patient % len(_PARTS)]
    dataset.PatientID, dataset.PatientName = patient_id(patient), f"Patient^{patient}"
    dataset.PatientWeight = str(40 + patient % 80)
    dataset.Manufacturer = ("Example Systems", "Sample Imaging", "Specimen Medical")[patient % 3]
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = day
    dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = f"{_UID}.{patient + 1}.0", f"{_UID}.{patient + 1}.0.0"
    dataset.SeriesInstanceUID, dataset.SeriesNumber = series_uid(patient, series), series + 1
    dataset.SeriesDescription = ("Localizer", "T1", "T2", "FLAIR", "DWI")[series]
    written = BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


class _Bytes:
    """A file that is read."""

    def __init__(self, content: bytes) -> None:
        self._content, self.size = content, len(content)

    def read(self, offset: int, length: int) -> bytes:
        """Return some of it."""
        return self._content[offset : offset + length]


@dataclass(frozen=True)
class StudyArchive:
    """As many patients as asked for, one a prefix."""

    patients: int
    root: str = "/studies"
    depth: int = 1

    def check(self) -> None:
        """Do nothing: it cannot be out of reach."""

    def at(self, root: str) -> Self:
        """Return the same archive elsewhere."""
        return replace(self, root=root)

    def folder(self, prefix: str | None = None) -> None:
        """Return nothing: there are no folders."""

    def exists(self, path: str) -> bool:
        """Say that every file is there."""
        return path.startswith(self.root)

    def prefixes(self) -> Prefixes:
        """Return a prefix for each patient."""
        return Prefixes([patient_id(patient) for patient in range(self.patients)])

    def list(self, prefix: str) -> pa.Table:
        """Return the files of a patient; their stated size is about that of all."""
        names = [f"{prefix}/IM{number:04d}.dcm" for number in range(FILES_PER_PREFIX)]
        return to_table(
            prefix, (ListedFile(f"{self.root}/{name}", name, 8_000, _WHEN, None, "8000-1") for name in names)
        )

    @contextmanager
    def open(self, path: str, listed: Listed | None = None) -> Iterator[_Bytes]:  # noqa: ARG002
        """Make a file."""
        prefix, name = path.removeprefix(f"{self.root}/").split("/")
        yield _Bytes(_file(int(prefix[1:]), int(name[2:-4])))
