"""One object of the catalog as Python has such things: its header, its thumbnail, its frames."""

import io
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import index
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.pixels.errors import TooLargeError
from dicom_assets.dicom.pixels.native import Samples
from dicom_assets.dicom.stored_frames import declared_frames, modality_frames, stored_frames
from dicom_assets.query.errors import NotInCatalogError
from dicom_assets.query.indexed_files import ArchiveReader, IndexedFile, find_file
from dicom_assets.query.pydicom_header import StoredDataset, to_pydicom
from dicom_assets.query.sql_text import literal

if TYPE_CHECKING:
    from dicom_assets.query.database import Catalog


def header_of(catalog: "Catalog", asked: str) -> StoredDataset:
    """Return the stored header of a file, by its path or UID; raises :class:`NotInCatalogError`."""
    file = find_file(catalog, asked)
    header, status = _row(catalog, file, "header", "header_status")
    if header is None:
        raise NotInCatalogError(f"the catalog has no header of {file.relative_path}: {_said(status)}")
    return to_pydicom(str(header))


def thumbnail_of(catalog: "Catalog", asked: str) -> Image.Image:
    """Return the stored thumbnail of a file, by its path or UID; raises :class:`NotInCatalogError`."""
    file = find_file(catalog, asked)
    thumbnail, status = _row(catalog, file, "thumbnail", "thumbnail_status")
    if not isinstance(thumbnail, bytes):
        raise NotInCatalogError(f"the catalog has no thumbnail of {file.relative_path}: {_said(status)}")
    picture = Image.open(io.BytesIO(thumbnail))
    picture.load()
    return picture


def frames_of_file(catalog: "Catalog", asked: str, numbers: Iterable[int] | None, *, rescale: bool) -> Samples:
    """Return frames of a file, by its path or UID, read from the archive.

    Parameters
    ----------
    catalog, asked
        Where to look, and for what.
    numbers
        Of the frames, from 1; all by default.
    rescale
        Apply the Modality transformation.

    Raises
    ------
    CatalogError
        There is no such file, or it is not the version of the catalog any more.
    ArchiveError, PixelError
        It cannot be read, or has no such frames.

    """
    file = find_file(catalog, asked)
    with ArchiveReader.of(catalog, file).open(file) as source:
        header = read_header(source)
        wanted = range(declared_frames(header)) if numbers is None else [index(number) - 1 for number in numbers]
        read = modality_frames if rescale else stored_frames
        return stacked(read(header, wanted), len(wanted))


def stacked(frames: Iterator[Samples], count: int) -> Samples:
    """Return frames as one array, the first axis theirs; each is put in its place as it comes.

    Raises
    ------
    PixelError
        As the frames do; :class:`TooLargeError` where memory does not hold them all.

    """
    first = next(frames, None)
    if first is None:
        return np.empty((0, 0, 0))
    try:
        array = np.empty((count, *first.shape), first.dtype)
    except (MemoryError, ValueError):
        size = f"{count} frames of {first.shape[1]} x {first.shape[0]} pixels"
        raise TooLargeError(f"{size} do not fit into memory: ask for some of them by their numbers") from None
    for place, frame in enumerate(chain([first], frames)):
        array[place] = frame
    return array


def _row(catalog: "Catalog", file: IndexedFile, *columns: str) -> tuple[object, ...]:
    """Return columns of ``object_catalog`` of one file; raises :class:`NotInCatalogError`."""
    where = f"prefix = {literal(file.prefix)} AND path = {literal(file.path)}"
    found = catalog.sql(f"SELECT {', '.join(columns)} FROM object_catalog WHERE {where}").fetchall()  # noqa: S608 - literals
    if not found:
        raise NotInCatalogError(f"{file.relative_path} is indexed, but not in object_catalog yet: update the catalog")
    row: tuple[object, ...] = found[0]
    return row


def _said(status: object) -> str:
    return "it was not extracted yet" if status is None else f"its status is {status}"
