"""Series of single-frame images made of CT_small: as many slices as wanted, where they are wanted."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import generate_uid

from dicom_assets_tests.support.corpus import PYDICOM_FILES

SIDE = 16
SPACING = (0.5, 0.75)


def write_series(folder: Path, places: Iterable[float], *, series: str | None = None, **attributes: object) -> str:
    """Write one slice for each place along z, in mm, and return their Series Instance UID.

    Each has values and a rescale of its own. Its file is named by its place in the order given.
    """
    uid = series or generate_uid()
    folder.mkdir(parents=True, exist_ok=True)
    for number, place in enumerate(places):
        dataset = pydicom.dcmread(PYDICOM_FILES / "CT_small.dcm")
        del dataset.DataSetTrailingPadding  # so that a file ends with its pixels
        dataset.SeriesInstanceUID = uid
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.InstanceNumber = number + 1
        dataset.Rows, dataset.Columns = SIDE, SIDE + 2
        dataset.PixelSpacing = list(SPACING)
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [-10, 5, place], [1, 0, 0, 0, 1, 0]
        dataset.RescaleSlope, dataset.RescaleIntercept = 1 + number / 4, -1024 - number
        values = np.random.default_rng(number).integers(0, 4000, (SIDE, SIDE + 2), np.int16)
        dataset.PixelData = values.tobytes()
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)
        path = folder / f"{len(list(folder.iterdir())):04}.dcm"
        dataset.save_as(path, enforce_file_format=True)
    return uid


def modality_values(path: Path) -> np.ndarray:
    """Return the values of a file by pydicom, in the units of the modality."""
    dataset = pydicom.dcmread(path)
    return dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
