"""Series made to order: small slices in the patient, written as files of an archive."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedMRImageStorage

from dicom_assets.archive.local import LocalArchive
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.rollups import SERIES, STUDIES, RollupTable
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.update import CatalogUpdate, update_catalog
from dicom_assets_tests.support.scratch import IN_PROCESS
from dicom_assets_tests.support.whole import put

AXIAL, CORONAL = [1.0, 0, 0, 0, 1, 0], [1.0, 0, 0, 0, 0, -1]
SPACING = 2.5


def put_slice(folder: Path, series: str, number: int, z: float | None = None, name: str = "", **attributes) -> Path:
    """Put a slice of a series into a folder; it lies at a height in mm, by default as high as its number tells."""
    path = folder / (name or f"{series}-{number:03}.dcm")
    put(
        path,
        number,
        **{
            "SOPInstanceUID": f"{series}.{number}",
            "SeriesInstanceUID": series,
            "StudyInstanceUID": "1.9",
            "PatientID": "P",
            "Modality": "CT",
            "ImagePositionPatient": [0.0, 0.0, SPACING * number if z is None else z],
            "ImageOrientationPatient": AXIAL,
            "PixelSpacing": [0.5, 0.5],
            **attributes,
        },
    )
    return path


def put_volume(folder: Path, series: str, numbers: Iterable[int] = range(1, 6), **attributes) -> list[Path]:
    """Put a volume into a folder, slice by slice."""
    return [put_slice(folder, series, number, **attributes) for number in numbers]


def put_enhanced(folder: Path, series: str, positions: Iterable[float], **attributes) -> Path:
    """Put an enhanced multi-frame file into a folder, its frames at some heights in mm."""
    groups = [_frame(z) for z in positions]
    shared, plane, measures = Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient, measures.PixelSpacing = AXIAL, [0.5, 0.5]
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([plane]), Sequence([measures])
    path = folder / f"{series}.dcm"
    put(
        path,
        1,
        **{
            "SOPInstanceUID": f"{series}.1",
            "SeriesInstanceUID": series,
            "StudyInstanceUID": "1.9",
            "PatientID": "P",
            "Modality": "MR",
            "SOPClassUID": EnhancedMRImageStorage,
            "NumberOfFrames": len(groups),
            "SharedFunctionalGroupsSequence": Sequence([shared]),
            "PerFrameFunctionalGroupsSequence": Sequence(groups),
            "PixelData": bytes(64 * len(groups)),
            **attributes,
        },
    )
    return path


def _frame(z: float) -> Dataset:
    group, place = Dataset(), Dataset()
    place.ImagePositionPatient = [0.0, 0.0, z]
    group.PlanePositionSequence = Sequence([place])
    return group


def update(source: Path, lake: Lake, mode: UpdateMode = UpdateMode.SYNC) -> CatalogUpdate:
    """Bring the catalog of a folder up to date in this process, whatever is gone."""
    return update_catalog(LocalArchive(str(source), 1), lake, mode=mode, allow_mass_deletion=True, engine=IN_PROCESS)


def rows_of(lake: Lake, table: RollupTable) -> Mapping[tuple[str, str], dict]:
    """Return the rows of a rollup by prefix and key."""
    batches = [batch for _, batch in lake.snapshot(table).rows(table.schema.names)]
    rows = pa.Table.from_batches(batches, table.schema).to_pylist()
    found = {(row["prefix"], row[table.key]): row for row in rows}
    assert len(found) == len(rows), "keys are unique in a prefix"
    return found


def series_of(lake: Lake) -> Mapping[tuple[str, str], dict]:
    """Return the rows of ``series``."""
    return rows_of(lake, SERIES)


def studies_of(lake: Lake) -> Mapping[tuple[str, str], dict]:
    """Return the rows of ``studies``."""
    return rows_of(lake, STUDIES)
