"""An archive of studies without disk, for benchmarks of a million rows: every file is made when it is read.

A prefix is a patient with 1,000 files: a localizer and four volumes, CT in one prefix, MR in the next. Headers are
those of :mod:`benchmarks.mr_files` less their blocks of bytes: 150 elements, 8 kB as JSON. UIDs, positions, dates and
descriptions are their own. All go through the real listing, walker, tables and commits.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from io import BytesIO

import numpy as np

from benchmarks.mr_files import mr_dataset
from dicom_assets_tests.support.endless import EndlessArchive

FILES_PER_PREFIX = 1_000
_SERIES = (10, 198, 264, 264, 264)
"""Files of the series of a patient; the first is a localizer of three directions."""
_PARTS = ("HEAD", "CHEST", "ABDOMEN", "KNEE", "PROSTATE", "BREAST", "SPINE")
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


def study_archive(patients: int) -> EndlessArchive:
    """Return an archive of patients, one a prefix; the stated size of a file is about that of all."""
    prefixes = map(patient_id, range(patients))
    return EndlessArchive(dict.fromkeys(prefixes, range(FILES_PER_PREFIX)), _content, size=8_000, root="/studies")


def _content(prefix: str, number: int) -> bytes:
    return _file(int(prefix[1:]), number)
