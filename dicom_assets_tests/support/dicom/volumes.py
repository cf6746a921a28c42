"""Series of real files, and what others make of them: highdicom's volume positions, and the images of dcm2niix.

Neither knows our modules: highdicom is given what pydicom reads, dcm2niix the files. Both answer another question than
we do, so that an answer of theirs is compared with what ours means for them (:func:`differences`).
"""

import gzip
import re
import shutil
import struct
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from highdicom.spatial import get_series_volume_positions, get_volume_positions
from pydicom.errors import InvalidDicomError

from dicom_assets.dicom.files import read_header
from dicom_assets.dicom.geometry import (
    Frames,
    NotVolume,
    VolumeGeometry,
    affine,
    concatenate,
    describe_volume,
    frame_structs,
    frames_of,
)

_SERIES, _INSTANCE, _MODALITY, _PLANE = "0020000E", "00080018", "00080060", "00200037"
_SECONDS = 300
_CLOSE = 0.1
"""Millimetres between corners that are the same."""


def dcm2niix_program() -> str | None:
    """Return the path of dcm2niix, ``None`` where it is not installed."""
    spec = find_spec("dcm2niix")
    if spec is not None and spec.origin is not None:
        return str(Path(spec.origin).with_name("dcm2niix"))
    return shutil.which("dcm2niix")


@dataclass(frozen=True)
class Series:
    """The files of one series, each instance once."""

    uid: str
    modality: str
    paths: tuple[Path, ...]
    frames: Frames
    multi_frame: bool

    @cached_property
    def geometry(self) -> VolumeGeometry:
        return describe_volume(self.frames)

    @property
    def name(self) -> str:
        return self.paths[0].parent.name

    @property
    def verdict(self) -> str:
        if not self.geometry.is_volume:
            return str(self.geometry.reason)
        return "volume" if self.geometry.stacks == 1 else "volumes"


def series_below(*roots: Path) -> list[Series]:
    """Return the series below some folders of which a frame has a place in the patient."""
    found: dict[str, dict[str, tuple[Path, Frames, str, bool]]] = defaultdict(dict)
    for path in sorted(path for root in roots for path in root.rglob("*") if path.is_file()):
        header = read_header(str(path))
        uid, instance = header.first(_SERIES), header.first(_INSTANCE)
        if not isinstance(uid, str) or not isinstance(instance, str) or header.pixel is None:
            continue
        structs = frame_structs(header)
        if structs is None and _PLANE not in header.dataset:
            continue
        frames = frames_of(header.dataset, structs)
        found[uid].setdefault(instance, (path, frames, str(header.first(_MODALITY)), structs is not None))
    return [_series(uid, list(instances.values())) for uid, instances in sorted(found.items())]


def _series(uid: str, instances: list[tuple[Path, Frames, str, bool]]) -> Series:
    return Series(
        uid,
        instances[0][2],
        tuple(path for path, *_ in instances),
        concatenate(frames for _, frames, _, _ in instances),
        any(multi for *_, multi in instances),
    )


@dataclass(frozen=True)
class Highdicom:
    """Spacing by highdicom, ``None`` where it is no volume: strictly, with repeated, and with missing positions too."""

    strict: float | None
    repeated: float | None
    missing: float | None


def by_highdicom(series: Series) -> Highdicom | None:
    """Return what highdicom makes of a series, ``None`` where it has nothing to say of such objects."""
    options = ({}, {"allow_duplicate_positions": True})
    options = (*options, {"allow_duplicate_positions": True, "allow_missing_positions": True})
    try:
        datasets = [pydicom.dcmread(BytesIO(_plain(path)), stop_before_pixels=True) for path in series.paths]
        if not series.multi_frame:
            return Highdicom(*(get_series_volume_positions(datasets, **chosen)[0] for chosen in options))
        positions, orientations = zip(*(place for dataset in datasets for place in _places(dataset)), strict=True)
    except (AttributeError, IndexError, TypeError, ValueError, InvalidDicomError):
        return None
    if len(set(orientations)) > 1:
        return Highdicom(None, None, None)
    return Highdicom(*(get_volume_positions(positions, orientations[0], **chosen)[0] for chosen in options))


def _places(dataset: pydicom.Dataset) -> Iterator[tuple[tuple[float, ...], tuple[float, ...]]]:
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for groups in dataset.PerFrameFunctionalGroupsSequence:
        plane = groups if "PlaneOrientationSequence" in groups else shared
        yield (
            tuple(groups.PlanePositionSequence[0].ImagePositionPatient),
            tuple(plane.PlaneOrientationSequence[0].ImageOrientationPatient),
        )


@dataclass(frozen=True)
class Nifti:
    """One image that dcm2niix wrote: its shape, and the map from its voxels to mm (RAS)."""

    shape: tuple[int, int, int, int]
    matrix: npt.NDArray[np.float64]

    def along(self, normal: npt.NDArray[np.float64]) -> tuple[int, float]:
        """Return how many voxels there are along a direction, and their distance; images may be turned round."""
        axes = self.matrix[:3, :3]
        lengths = np.linalg.norm(axes, axis=0)
        axis = int(np.argmax(np.abs(normal @ axes / lengths)))
        return self.shape[axis], float(lengths[axis])


@dataclass(frozen=True)
class Dcm2niix:
    """What dcm2niix made of a series, and what it warned of."""

    images: tuple[Nifti, ...]
    warnings: tuple[str, ...]


def by_dcm2niix(series: Series, program: str) -> Dcm2niix | None:
    """Return what dcm2niix makes of a series; ``None`` where it does not end in time."""
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "given"), Path(folder, "made")
        given.mkdir()
        made.mkdir()
        for number, path in enumerate(series.paths):
            (given / f"{number:06}.dcm").write_bytes(_plain(path))
        command = [program, "-b", "n", "-z", "n", "-f", "image", "-o", str(made), str(given)]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return None
        images = tuple(_nifti(path.read_bytes()[:352]) for path in sorted(made.glob("*.nii")))
    lines = re.findall(r"^(?:Warning|Error): *(.*)$", ended.stdout, re.MULTILINE)
    return Dcm2niix(images, tuple(dict.fromkeys(re.sub(r"'[^']*'|/\S+", "...", line) for line in lines)))


def _plain(path: Path) -> bytes:
    """Return a file as the others read it: they do not look into gzip files."""
    content = path.read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def _nifti(head: bytes) -> Nifti:
    """Read the header of a NIfTI-1 file."""
    dimensions = struct.unpack_from("<8h", head, 40)
    matrix = np.vstack([np.array(struct.unpack_from("<12f", head, 280)).reshape(3, 4), [0, 0, 0, 1]])
    columns, rows, slices = (max(size, 1) for size in dimensions[1:4])
    volumes = int(np.prod([max(size, 1) for size in dimensions[4 : 1 + dimensions[0]]], dtype=np.int64))
    return Nifti((columns, rows, slices, volumes), matrix)


def corners_of(matrix: npt.NDArray[np.float64], shape: tuple[int, int, int]) -> npt.NDArray[np.float64]:
    """Return the centres of the eight corner voxels, shape ``(8, 3)``."""
    ends = np.array(np.meshgrid(*[(0, size - 1) for size in shape])).reshape(3, 8)
    return (matrix @ np.vstack([ends, np.ones(8)]))[:3].T


def _are_same(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> bool:
    """Say whether corners are the same, in any order: dcm2niix turns images round."""
    distances = np.linalg.norm(ours[:, None] - theirs[None], axis=2)
    return bool(max(distances.min(axis=0).max(), distances.min(axis=1).max()) < _CLOSE)


def differences(series: Series, highdicom: Highdicom | None, dcm2niix: Dcm2niix | None) -> list[str]:
    """Return where others do not say what our verdict means for them; empty where they agree."""
    found = [] if highdicom is None else _from_highdicom(series, highdicom)
    return found if dcm2niix is None else [*found, *_from_dcm2niix(series, dcm2niix)]


def _from_highdicom(series: Series, theirs: Highdicom) -> list[str]:
    ours = series.geometry
    spacing = ours.spacing
    expected = {
        "volume": (spacing, spacing, spacing),
        "volumes": (None, spacing, spacing),
        NotVolume.REPEATED_POSITIONS: (None, spacing if ours.is_uniform else None, spacing),
        NotVolume.GAPS: (None, None, spacing),
        # One slice is a volume for highdicom, by what it stipulates: of 1 mm, or of Spacing Between Slices.
        NotVolume.SINGLE_SLICE: (1.0 if len(series.frames) == 1 else None, 1.0, theirs.missing),
        # Stacks with other slices may still be one grid, with missing ones.
        NotVolume.STACKS_DIFFER: (theirs.strict, theirs.repeated, theirs.missing),
    }.get(series.verdict, (None, None, None))
    answers = (theirs.strict, theirs.repeated, theirs.missing)
    names = ("strictly", "with repeated positions", "with missing positions")
    return [
        f"highdicom {name}: {_shown(answer)} rather than {_shown(wanted)}"
        for name, answer, wanted in zip(names, answers, expected, strict=True)
        if (answer is None) != (wanted is None) or (wanted is not None and abs(answer - wanted) > 0.01 * wanted)
    ]


def _shown(spacing: float | None) -> str:
    return "no volume" if spacing is None else f"{spacing:.4g} mm"


def _from_dcm2niix(series: Series, theirs: Dcm2niix) -> list[str]:
    ours = series.geometry
    if not ours.is_volume:
        return _of_no_volume(series, theirs)
    volumes = sum(image.shape[3] for image in theirs.images)
    found = []
    if volumes != ours.stacks:
        found.append(f"dcm2niix: {volumes} volumes rather than {ours.stacks}")
    rows, columns = (int(size) for size in series.frames.sizes[0])
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine(ours, series.frames)
    corners = corners_of(matrix, (columns, rows, ours.slices))
    for image in theirs.images:
        slices, spacing = image.along(matrix[:3, 2])
        if slices != ours.slices:
            found.append(f"dcm2niix: {slices} slices rather than {ours.slices}")
        elif abs(spacing - ours.spacing) > 0.01 * ours.spacing:
            found.append(f"dcm2niix: {spacing:.4g} mm rather than {ours.spacing:.4g} mm")
        elif not _are_same(corners, corners_of(image.matrix, image.shape[:3])):
            found.append("dcm2niix: another place in the patient")
    return list(dict.fromkeys(found))


def _of_no_volume(series: Series, theirs: Dcm2niix) -> list[str]:
    """Return where dcm2niix makes one plain volume of all frames of what is none for us, without a warning."""
    whole = [
        image for image in theirs.images if image.shape[2] > 1 and image.shape[2] * image.shape[3] == len(series.frames)
    ]
    if len(theirs.images) == 1 and whole and not theirs.warnings:
        return [f"dcm2niix: one image of {whole[0].shape[2]} slices and {whole[0].shape[3]} volumes"]
    return []
