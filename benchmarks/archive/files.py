"""A realistic archive, made by seed: patients with images of several modalities, half of them compressed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from pydicom.uid import UID, ExplicitVRLittleEndian

from benchmarks.archive.kinds import KINDS, Kind, made

FILES_PER_PATIENT = 250
_GOLDEN = 0.618033988749895
"""Multiples of it, less their whole parts, are spread evenly however many there are."""
_UID = "1.2.826.0.1.3680043.10.543.7"


@dataclass(frozen=True, slots=True)
class Planned:
    """A file that is to be made.

    Attributes
    ----------
    kind, syntax
        What it is, and its transfer syntax.
    patient, kind_number
        Whose it is; the place of its kind among all kinds, which numbers the series of a patient.
    number
        Of the image in its series, from 0.

    """

    kind: Kind
    syntax: UID
    patient: int
    kind_number: int
    number: int

    @property
    def path(self) -> Path:
        """Below the archive: one folder a patient, which is a prefix, and one a series."""
        return Path(f"patient{self.patient:05d}") / self.kind.name / f"im{self.number:05d}.dcm"


def planned(files: int) -> Iterator[Planned]:
    """Yield what an archive of so many files consists of: kinds by their shares, half of the series compressed."""
    bounds = list(accumulate(kind.share for kind in KINDS))
    counts: Counter[tuple[int, int]] = Counter()
    for file in range(files):
        place = file * _GOLDEN % 1 * bounds[-1]
        kind_number = sum(bound <= place for bound in bounds[:-1])
        patient = file // FILES_PER_PATIENT
        number = counts[patient, kind_number]
        counts[patient, kind_number] += 1
        yield Planned(
            KINDS[kind_number], _syntax(KINDS[kind_number], patient, kind_number), patient, kind_number, number
        )


def _syntax(kind: Kind, patient: int, kind_number: int) -> UID:
    """Return the transfer syntax of a series: scanners and archives compress series as a whole."""
    turn, is_compressed = divmod(patient + kind_number, 2)
    return kind.syntaxes[turn % len(kind.syntaxes)] if is_compressed else ExplicitVRLittleEndian


def write_realistic_files(folder: Path, count: int, seed: int = 1) -> list[Path]:
    """Write `count` files below a folder and return their paths; equal counts and seeds write equal bytes."""
    paths = []
    for file in planned(count):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(file, path, seed)
        paths.append(path)
    return paths


def _write(file: Planned, path: Path, seed: int) -> None:
    """Make one file, and say in it who and what it is of."""
    study = f"{_UID}.{seed}.{file.patient}"
    series = f"{study}.{file.kind_number}"
    ds = made(file.kind, file.number, seed, file.syntax)
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{series}.{file.number}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
    ds.PatientID, ds.PatientName = f"PHANTOM-{file.patient:05d}", f"Phantom^{file.patient}"
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = file.kind.name, file.kind_number + 1, file.number + 1
    ds.save_as(path, enforce_file_format=True)
