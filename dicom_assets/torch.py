"""A cohort as a data set of PyTorch: frames, or volumes, by their number.

Belongs here: what a training job asks for, item by item. Does not: what a cohort is (:mod:`dicom_assets.cohorts`).
PyTorch need not be installed; what has a length and items is a data set to its loaders, and to others.
"""

import os
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.base import Archive
from dicom_assets.cohorts.cohort import Cohort
from dicom_assets.cohorts.errors import CohortError
from dicom_assets.cohorts.members import members_of
from dicom_assets.cohorts.opened import opened
from dicom_assets.dicom.pixels.errors import NoPixelDataError, PixelError
from dicom_assets.errors import DataError
from dicom_assets.extract.source_file import FileKey, SourceFile
from dicom_assets.storage.addresses import is_remote
from dicom_assets.tables import KEY

try:
    from torch.utils.data import Dataset
except ImportError:
    Dataset = object

Transform = Callable[[npt.NDArray[Any]], Any]
"""Takes the pixels of an item; where loaders spawn their workers, a function that a module defines."""


class Unit(StrEnum):
    """What an item is."""

    FRAME = "frame"
    """One frame of one member: its stored values."""
    VOLUME = "volume"
    """One series, as ``Catalog.volume`` puts it together."""


class ItemError(DataError):
    """An item cannot be read: its file has changed since, or holds no such pixels."""


class CohortDataset(Dataset):  # type: ignore[misc] # of PyTorch, where it is installed
    """The frames or volumes of a cohort, by their number, always in the same order.

    It can be pickled and forked: nothing is open between items. Every file is held against the fingerprint in the
    cohort when it is read.

    Parameters
    ----------
    cohort
        The cohort.
    split
        Take the members of this split only.
    unit
        What an item is.
    transform
        Applied to the pixels of each item.
    skip_missing
        Leave out members that have changed or are gone; by default, they are an error.
    archive
        Where the files are; by default as the catalog says, with the usual credentials.

    Raises
    ------
    CohortError
        Members have changed or are gone, or none is left to be an item.

    Examples
    --------
    >>> dataset = CohortDataset(open_cohort("/data/lake", "chest_ct"), split="train")  # doctest: +SKIP
    >>> dataset[0]["pixels"].shape  # doctest: +SKIP
    (512, 512)

    """

    def __init__(
        self,
        cohort: Cohort,
        split: str | None = None,
        *,
        unit: Unit | str = Unit.FRAME,
        transform: Transform | None = None,
        skip_missing: bool = False,
        archive: Archive | None = None,
    ) -> None:
        if unit not in tuple(Unit):
            raise CohortError(f"{str(unit)!a} is no unit: take {', '.join(Unit)}")
        self._unit, self._transform, self._catalog = Unit(unit), transform, replace(cohort.catalog)
        self._archive = archive or cohort.archive()
        rows = _chosen(cohort, split, skip_missing=skip_missing)
        if self._unit is Unit.VOLUME:
            series = pc.unique(rows["SeriesInstanceUID"].combine_chunks().drop_null())
            self._rows, self._ends = pa.table({"SeriesInstanceUID": series}), np.arange(1, len(series) + 1)
        else:
            self._rows = rows
            frames = pc.max_element_wise(pc.coalesce(rows["NumberOfFrames"], 1), 1)
            self._ends = np.cumsum(frames.to_numpy(), dtype=np.int64)
        if not len(self):
            raise CohortError(f"{cohort} has no {self._unit} to train on")
        self._process = os.getpid()

    def __len__(self) -> int:
        """Return the number of items."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Return an item by its number, from 0; below 0, from the end.

        Returns
        -------
        dict
            Of frames: ``pixels``, the stored values, of shape ``(rows, columns)`` or ``(rows, columns, samples)``;
            ``path``; ``SOPInstanceUID``; ``frame``, from 1. Of volumes: ``pixels``, ``affine`` and
            ``SeriesInstanceUID``.

        Raises
        ------
        IndexError
            There is no such item.
        ItemError
            It cannot be read.
        CohortError
            This process was forked, and what it needs does not survive that.

        """
        place = number + len(self) if number < 0 else number
        if not 0 <= place < len(self):
            raise IndexError(f"there are {len(self)} items, and no item {number}")
        self._refuse_fork()
        return self._volume(place) if self._unit is Unit.VOLUME else self._frame(place)

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what is open: a catalog may keep tables that it has opened."""
        return {**self.__dict__, "_catalog": replace(self._catalog)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Belong to the process that unpickles it."""
        self.__dict__.update(state, _process=os.getpid())

    def _frame(self, place: int) -> dict[str, Any]:
        row = bisect_right(self._ends, place)
        number = place - (int(self._ends[row - 1]) if row else 0) + 1
        told = self._rows.slice(row, 1)
        (member,), uid = members_of(told), told["SOPInstanceUID"][0].as_py()
        try:
            with opened(self._archive, member) as source:
                pixels = SourceFile(FileKey("", member.path, "", member.fingerprint), source).frame(number)
        except (OSError, NoPixelDataError, PixelError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise ItemError(f"frame {number} of {member.path} cannot be read: {why}") from error
        return {"pixels": self._transformed(pixels), KEY: member.path, "SOPInstanceUID": uid, "frame": number}

    def _volume(self, place: int) -> dict[str, Any]:
        uid = self._rows["SeriesInstanceUID"][place].as_py()
        volume = self._catalog.volume(uid)
        return {"pixels": self._transformed(volume.array), "affine": volume.affine, "SeriesInstanceUID": uid}

    def _transformed(self, pixels: npt.NDArray[Any]) -> Any:
        # PyTorch takes neither the other byte order nor what cannot be written to.
        pixels = np.require(pixels, pixels.dtype.newbyteorder("="), ["C", "W"])
        return pixels if self._transform is None else self._transform(pixels)

    def _refuse_fork(self) -> None:
        """Refuse what waits for ever in a forked process: the threads of clients of object stores and of Delta."""
        if os.getpid() != self._process and (self._unit is Unit.VOLUME or is_remote(self._archive.root)):
            raise CohortError(
                "volumes, and files in a bucket, cannot be read by workers that were forked: start them otherwise, "
                "with DataLoader(..., multiprocessing_context='spawn')"
            )


def _chosen(cohort: Cohort, split: str | None, *, skip_missing: bool) -> pa.Table:
    """Return the images of a split whose files are as they were."""
    known = cohort.verify()
    if not known.ok and not skip_missing:
        raise CohortError(
            f"{cohort}: {known}; `dicom-assets cohort verify {cohort}` tells which. Make a new version of the cohort, "
            "or leave them out with skip_missing=True"
        )
    rows = cohort.present()
    if split is not None:
        names = list(cohort.record.splits)
        if split not in names:
            raise CohortError(f"{cohort} has no split {split!a}; it has {', '.join(names) or 'none'}")
        rows = rows.filter(pc.equal(rows["split"], split))
    return known.unharmed(rows.filter(pc.is_valid(rows["Rows"]))).combine_chunks()
