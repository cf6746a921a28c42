"""Where the frames of a series are: of single-frame files by the columns of the catalog, of others by their groups.

What tells apart frames in the same place is in the headers of single-frame files. They are read for those series only
where it matters.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.delta.files import read_rows
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.dicom.geometry import Frames, concatenate, frames_of
from dicom_assets.dicom.geometry.limits import FARTHEST
from dicom_assets.tables import KEY, PARTITION

FrameGroups = Mapping[str, Sequence[Mapping[str, Any]]]
"""Frames of multi-frame files, by path."""
_GROUPS, _HEADER, _FINGERPRINT = "frames", "header", "fingerprint"


@dataclass(frozen=True, slots=True)
class PlacedFrames:
    """Frames of several instances.

    Attributes
    ----------
    frames
        One after the other.
    owners
        Shape ``(frames,)``: the instance of each, by its row.

    """

    frames: Frames
    owners: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FrameReader:
    """Tells where the frames of instances are, as the tables have it.

    Attributes
    ----------
    catalog, headers
        Snapshots of ``object_catalog`` and ``dicom_headers``.

    """

    catalog: Snapshot
    headers: Snapshot

    def groups(self, instances: pa.Table) -> FrameGroups:
        """Return the frames of multi-frame files as ``dicom_headers`` has them, of those very versions.

        A file that says where its frame is in its data set has none. Frames of a version that another run is about to
        join are as good as absent: the rows are made again after that run.

        Parameters
        ----------
        instances
            Of one prefix, of any series.

        """
        nowhere = pc.and_(pc.is_null(instances["ImagePositionPatient"]), pc.is_valid(instances["Rows"]))
        wanted = instances.filter(pc.or_(several_frames(instances), nowhere))
        versions = dict(zip(wanted[KEY].to_pylist(), wanted[_FINGERPRINT].to_pylist(), strict=True))
        return {
            row[KEY]: row[_GROUPS]
            for row in _rows(self.headers, [PARTITION, KEY, _FINGERPRINT, _GROUPS], wanted)
            if row[_GROUPS] is not None and row[_FINGERPRINT] == versions[row[KEY]]
        }

    def told_apart(self, instances: pa.Table, groups: FrameGroups) -> PlacedFrames:
        """Return frames with what tells apart those in the same place, by their whole headers."""
        several = dict(zip(instances[KEY].to_pylist(), several_frames(instances).to_pylist(), strict=True))
        parts: dict[str, Frames] = {}
        for row in _rows(self.catalog, [PARTITION, KEY, _HEADER], instances):
            path, text = row[KEY], row[_HEADER]
            dataset = orjson.loads(text)["dataset"] if text else {}
            parts[path] = frames_of(dataset, groups.get(path, () if several[path] else None))
        return _joined([parts[path] for path in several])


def placed(instances: pa.Table, groups: FrameGroups) -> PlacedFrames:
    """Return frames without what tells them apart, but for multi-frame files, whose groups say both."""
    single = _single_frames(instances)
    paths = instances[KEY].to_pylist()
    if not any(path in groups for path in paths):
        return PlacedFrames(single, np.arange(len(instances), dtype=np.int64))
    rows = instances.select(["Rows", "Columns", "NumberOfFrames"]).to_pylist()
    return _joined(
        [
            frames_of(_as_dataset(row), groups[path]) if path in groups else _one(single, place)
            for place, (path, row) in enumerate(zip(paths, rows, strict=True))
        ]
    )


def several_frames(instances: pa.Table) -> pa.ChunkedArray:
    """Return which instances say that they have more than one frame."""
    return pc.fill_null(pc.greater(instances["NumberOfFrames"], 1), fill_value=False)


def _rows(snapshot: Snapshot, names: Sequence[str], instances: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows that a table has of some instances of one prefix."""
    if not len(instances):
        return
    filesystem, keys = snapshot.location.filesystem(), instances[KEY].combine_chunks()
    bounds = pc.min_max(keys).as_py()
    for file in snapshot.of_prefix(instances[PARTITION][0].as_py()):
        if file.may_hold(bounds["min"], bounds["max"]):
            for batch in read_rows(filesystem, snapshot.table, file, names, keys):
                yield from batch.to_pylist()


def _single_frames(instances: pa.Table) -> Frames:
    """Return one frame for each instance; those of multi-frame files that say no more have no place."""
    several = several_frames(instances).to_numpy()
    positions = _fixed(instances["ImagePositionPatient"], 3)
    positions[several | ~(np.abs(positions) <= FARTHEST).all(axis=1)] = np.nan
    spacings = _fixed(instances["PixelSpacing"], 2)
    spacings[~((spacings > 0) & (spacings <= FARTHEST)).all(axis=1)] = np.nan
    sizes = np.stack([_dimension(instances[name]) for name in ("Rows", "Columns")], axis=1)
    return Frames(positions, _fixed(instances["ImageOrientationPatient"], 6), spacings, sizes)


def _fixed(lists: pa.ChunkedArray, width: int) -> npt.NDArray[np.float64]:
    """Return lists as rows of so many numbers; NaN for a list of another length, or with a value that is none."""
    fits = pc.fill_null(pc.equal(pc.list_value_length(lists), width), fill_value=False)
    found = np.full((len(lists), width), np.nan)
    flat = pc.list_flatten(lists.filter(fits)).to_numpy().astype(np.float64).reshape(-1, width)
    flat[~np.isfinite(flat).all(axis=1)] = np.nan
    found[fits.to_numpy()] = flat
    return found


def _dimension(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    stated = pc.fill_null(column, -1).to_numpy().astype(np.int64)
    return np.where(stated > 0, stated, -1)


def _one(frames: Frames, place: int) -> Frames:
    """Return one of some frames."""
    some = slice(place, place + 1)
    return Frames(frames.positions[some], frames.orientations[some], frames.spacings[some], frames.sizes[some])


def _joined(parts: Sequence[Frames]) -> PlacedFrames:
    owners = np.repeat(np.arange(len(parts), dtype=np.int64), [len(part) for part in parts])
    return PlacedFrames(concatenate(parts), owners)


def _as_dataset(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the geometry asks of a header, from its columns, in the DICOM JSON Model."""
    tags = {
        "00280010": ("US", row["Rows"]),
        "00280011": ("US", row["Columns"]),
        "00280008": ("IS", row["NumberOfFrames"]),
    }
    return {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in tags.items() if value is not None}
