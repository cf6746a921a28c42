"""CT-like files for benchmarks: 512x512, 16 bits, headers of 250 elements, made by seed."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

_SIDE = 512
_ELEMENTS = 250
_FILES_PER_FOLDER = 500


def write_ct_files(folder: Path, count: int, seed: int = 1) -> list[Path]:
    """Write `count` files below a folder, 500 in each sub-folder, and return their paths."""
    rng = np.random.default_rng(seed)
    body = anatomy(rng, _SIDE, _SIDE)
    paths = []
    for number in range(count):
        path = folder / f"series{number // _FILES_PER_FOLDER:03d}" / f"im{number % _FILES_PER_FOLDER:05d}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        ct_dataset(rng, number, ct_slice(rng, body, number)).save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def anatomy(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Return Hounsfield units of a body-like phantom: air, an ellipse of soft tissue, some denser discs."""
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    image = np.where((x / 0.8) ** 2 + (y / 0.6) ** 2 < 1, 40.0, -1000.0)
    for _ in range(25):
        cx, cy, radius = rng.uniform(-0.5, 0.5), rng.uniform(-0.4, 0.4), rng.uniform(0.02, 0.15)
        image[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = rng.uniform(-800, 900)
    return image


def ct_slice(rng: np.random.Generator, body: np.ndarray, number: int) -> np.ndarray:
    """Return stored values of a slice: the phantom, moved a little from slice to slice, and noise."""
    noise = rng.normal(0, 12, body.shape)
    return (np.roll(body, number % 40, axis=0) + noise + 1024).clip(0, 4095).astype("<u2")


def ct_dataset(rng: np.random.Generator, number: int, pixels: np.ndarray) -> Dataset:
    """Return a data set of 250 elements; `number` tells series and place."""
    series = number // _FILES_PER_FOLDER
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = f"1.2.826.0.1.3680043.10.543.{series}.{number}"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.StudyDate, ds.StudyTime = "20240506", "101112.123"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "CT", "Example Systems", "Phantom 64"
    ds.StudyDescription, ds.SeriesDescription = "Phantom", f"Series {series}"
    ds.PatientName, ds.PatientID, ds.PatientSex = f"Phantom^{series}", f"PHANTOM-{series:05d}", "O"
    ds.BodyPartExamined, ds.SliceThickness, ds.KVP = "CHEST", "1.25", "120"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"1.2.826.0.1.1.{series}", f"1.2.826.0.1.2.{series}"
    ds.SeriesNumber, ds.InstanceNumber = series, number
    ds.ImagePositionPatient = [-200.0, -200.0, number * 1.25]
    ds.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.PixelSpacing = [0.78125, 0.78125]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.WindowCenter, ds.WindowWidth = ["40", "-600"], ["400", "1600"]
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "-1024", "1", "HU"
    block = ds.private_block(0x0019, "EXAMPLE PHANTOM", create=True)
    for element in range(_ELEMENTS - len(ds) - 1):
        vr, value = (("DS", f"{rng.uniform(-1e3, 1e3):.6g}"), ("LO", f"Value {element}"), ("IS", str(number)))[
            element % 3
        ]
        block.add_new(element, vr, value)
    ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OW"
    return ds
