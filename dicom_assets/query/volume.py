"""The images of a series as one array with its place in the patient, where they make a volume."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import orjson

from dicom_assets.dicom.geometry import (
    Frames,
    NotVolume,
    VolumeGeometry,
    affine,
    concatenate,
    describe_volume,
    frames_of,
)
from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.pixels.attributes import integer
from dicom_assets.dicom.pixels.errors import PixelError, TooLargeError
from dicom_assets.dicom.pixels.native import Samples
from dicom_assets.dicom.stored_frames import modality_frames, modality_type
from dicom_assets.query.documented import documented
from dicom_assets.query.errors import CatalogError, NotAVolumeError, NotInCatalogError
from dicom_assets.query.indexed_files import ArchiveReader, IndexedFile, files_of
from dicom_assets.query.sql_text import literal

if TYPE_CHECKING:
    from dicom_assets.query.database import Catalog

_NUMBER_OF_FRAMES = "00280008"
_FILES_AT_ONCE = 8
"""An object store answers slowly, but answers many requests at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A volume in the units of the modality, such as Hounsfield units.

    Attributes
    ----------
    array
        Shape ``(slices, rows, columns)``, 32-bit floats; 64-bit where stored values have more than 24 bits. Slices are
        in the order of their positions along the normal, the cross product of row and column direction.
    affine
        Shape ``(4, 4)``: takes ``(column, row, slice, 1)`` to ``(x, y, z, 1)`` in mm, patient coordinates (LPS). It is
        in the opposite order of the axes of `array`.
    spacing
        Distance of slices, of rows and of columns, in mm: one for each axis of `array`.
    series_uid
        Series Instance UID.
    stack
        Which one of the stacks of the series it is, from 0.
    paths
        Path of the file of each slice.
    numbers
        Number of the frame of each slice in its file, from 1.

    """

    array: npt.NDArray[Any]
    affine: npt.NDArray[np.float64]
    spacing: tuple[float, float, float]
    series_uid: str
    stack: int
    paths: tuple[str, ...]
    numbers: tuple[int, ...]

    def __repr__(self) -> str:
        """Tell the shape, and no values."""
        spacing = " x ".join(f"{distance:.4g}" for distance in self.spacing)
        return f"<Volume of {' x '.join(map(str, self.array.shape))} voxels of {spacing} mm>"


@dataclass(frozen=True, slots=True)
class _Image:
    """One instance of a series.

    Attributes
    ----------
    copies
        Its files; all but the first say the same.
    frames
        Where its frames are.
    type
        Of its modality values.

    """

    copies: tuple[IndexedFile, ...]
    frames: Frames
    type: "np.dtype[Any]"


def read_volume(catalog: "Catalog", series_uid: str, stack: int | None = None) -> Volume:
    """Read a series, or one of its stacks, as a volume; see :meth:`~dicom_assets.query.research.Research.volume`."""
    images = _images(catalog, series_uid)
    frames = concatenate(image.frames for image in images)
    geometry = describe_volume(frames)
    chosen = _chosen_stack(geometry, stack)
    assert geometry.slices is not None
    assert geometry.spacing is not None
    places = geometry.order[chosen * geometry.slices : (chosen + 1) * geometry.slices]
    owner = np.repeat(np.arange(len(images)), [len(image.frames) for image in images])
    first = np.searchsorted(owner, owner[places])
    numbers = places - first
    array = _read(catalog, images, owner[places], numbers)
    rows, columns = frames.spacings[places[0]]
    return Volume(
        array,
        affine(geometry, frames),
        (geometry.spacing, float(rows), float(columns)),
        series_uid,
        chosen,
        tuple(images[number].copies[0].path for number in owner[places]),
        tuple(int(number) + 1 for number in numbers),
    )


def _chosen_stack(geometry: VolumeGeometry, stack: int | None) -> int:
    """Return which stack to read; raises :class:`NotAVolumeError`."""
    if not geometry.is_volume:
        assert geometry.reason is not None
        why = documented(NotVolume).get(geometry.reason, "see the documentation")
        raise NotAVolumeError(f"the series is no volume ({geometry.reason}): {why}")
    if stack is None and geometry.stacks > 1:
        by = f", told apart by {geometry.stacks_by}" if geometry.stacks_by else ""
        raise NotAVolumeError(f"the series has {geometry.stacks} stacks{by}: choose one with stack=0 or another number")
    chosen = stack or 0
    if not 0 <= chosen < geometry.stacks:
        raise NotAVolumeError(f"the series has no stack {chosen}: there are {geometry.stacks}, counted from 0")
    return chosen


def _images(catalog: "Catalog", series_uid: str) -> list[_Image]:
    """Return the instances of a series, those of several files once.

    Raises
    ------
    NotInCatalogError
        There are none.
    NotAVolumeError
        Several files have one SOP Instance UID and different headers.
    CatalogError
        The tables do not fit together: an update of the catalog did not end.

    """
    rows = _rows(catalog, series_uid)
    files = {file.path: file for file in files_of(catalog, (row["path"] for row in rows))}
    instances: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        file = files.get(row["path"])
        if file is None:
            continue  # removed from the archive
        if file.fingerprint != row["fingerprint"]:
            raise CatalogError(
                f"the header of {file.relative_path} is of another version of the file: update the catalog"
            )
        instances.setdefault(row["SOPInstanceUID"] or row["path"], []).append(row)
    if not instances:
        raise NotInCatalogError(f"the catalog has no images of a series {series_uid}")
    return [_image(copies, files) for copies in instances.values()]


def _rows(catalog: "Catalog", series_uid: str) -> list[dict[str, Any]]:
    has_frames = "frames" in catalog.sql("SELECT * FROM dicom_headers LIMIT 0").columns
    frames = "frames" if has_frames else "NULL AS frames"
    query = f"""
        SELECT path, fingerprint, SOPInstanceUID, header, {frames}
        FROM dicom_headers
        WHERE SeriesInstanceUID = {literal(series_uid)} AND header IS NOT NULL
        ORDER BY path
    """  # noqa: S608 - literals
    found: list[dict[str, Any]] = catalog.sql(query).to_arrow_table().to_pylist()
    return found


def _image(copies: Sequence[Mapping[str, Any]], files: Mapping[str, IndexedFile]) -> _Image:
    first = copies[0]
    dataset = orjson.loads(first["header"])["dataset"]
    if any(orjson.loads(copy["header"])["dataset"] != dataset for copy in copies[1:]):
        raise NotAVolumeError(f"{len(copies)} files of the series have one SOP Instance UID and different headers")
    # Several frames without groups have no places, whatever the data set says of one.
    groups = first["frames"] or (() if integer(dataset, _NUMBER_OF_FRAMES, 1) > 1 else None)
    return _Image(tuple(files[copy["path"]] for copy in copies), frames_of(dataset, groups), modality_type(dataset))


def _read(
    catalog: "Catalog", images: Sequence[_Image], owners: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]
) -> Samples:
    """Return the frames of a volume in its order, each file being opened once."""
    slots: dict[int, list[int]] = {}
    for slot, owner in enumerate(owners.tolist()):
        slots.setdefault(owner, []).append(slot)
    first = images[owners[0]]
    reader = ArchiveReader.of(catalog, first.copies[0])
    array = _room((len(owners), *map(int, first.frames.sizes[0])), max(images[owner].type for owner in slots))

    def read(owner: int) -> None:
        wanted = [int(numbers[slot]) for slot in slots[owner]]
        kept, *others = images[owner].copies
        for slot, frame in zip(slots[owner], _frames(reader, kept, wanted), strict=True):
            array[slot] = frame
        for copy in others:
            for slot, frame in zip(slots[owner], _frames(reader, copy, wanted), strict=True):
                if not np.array_equal(array[slot], frame, equal_nan=True):
                    raise NotAVolumeError("files of the series have one SOP Instance UID and different pixels")

    with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
        tasks = [pool.submit(read, owner) for owner in slots]
        try:
            for task in tasks:
                task.result()
        finally:
            for task in tasks:
                task.cancel()  # after an error there is nothing to read for
    return array


def _room(shape: tuple[int, ...], type_: "np.dtype[Any]") -> Samples:
    try:
        return np.empty(shape, type_)
    except (MemoryError, ValueError):
        raise TooLargeError(f"{' x '.join(map(str, shape))} voxels do not fit into memory") from None


def _frames(reader: ArchiveReader, file: IndexedFile, wanted: Sequence[int]) -> Iterator[Samples]:
    """Yield some frames of a file; what is wrong with one is said with the file that it is in."""
    try:
        with reader.open(file) as source:
            yield from modality_frames(read_header(source), wanted)
    except PixelError as error:
        raise type(error)(f"{file.relative_path}: {error}") from error
