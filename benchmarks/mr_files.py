"""MR-like files for benchmarks: slices of 20 to 40 kB whose headers are as long as scanners write them, made by seed.

150 elements with nested sequences, private groups with binary blocks of some kilobytes, as in series of functional MR,
where a file holds about as much header as it holds pixels.
"""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

_SIDES = (96, 112, 128)
_ELEMENTS = 150
_FILES_PER_FOLDER = 1000


def write_mr_files(folder: Path, count: int, seed: int = 1) -> list[Path]:
    """Write `count` files below a folder, 1000 in each sub-folder, and return their paths."""
    rng = np.random.default_rng(seed)
    paths = []
    for number in range(count):
        series = number // _FILES_PER_FOLDER
        path = folder / f"series{series:03d}" / f"i{number % _FILES_PER_FOLDER:05d}.MRDC"
        path.parent.mkdir(parents=True, exist_ok=True)
        side = _SIDES[series % len(_SIDES)]
        mr_dataset(rng, number, series, mr_slice(rng, side, number)).save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def mr_slice(rng: np.random.Generator, side: int, number: int) -> np.ndarray:
    """Return a head-like slice: a bright ellipse with structure, and Rician noise outside."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    inside = (x / 0.7) ** 2 + (y / 0.85) ** 2 < 1 - (number % 40) / 80
    signal = np.where(inside, 600 + 250 * np.cos(7 * x) * np.sin(5 * y + number % 7), 0)
    noise = np.hypot(rng.normal(0, 15, (side, side)), rng.normal(0, 15, (side, side)))
    return (signal + noise).clip(0, 4095).astype("<u2")


def _coded(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _referenced(number: int) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = MRImageStorage
    item.ReferencedSOPInstanceUID = f"1.2.826.0.1.3680043.10.543.9.{number}"
    item.PurposeOfReferenceCodeSequence = Sequence([_coded("121311", "DCM", "Localizer")])
    return item


def mr_dataset(
    rng: np.random.Generator, number: int, series: int, pixels: np.ndarray, *, blocks: bool = True
) -> Dataset:
    """Return a data set of 150 elements; `blocks` gives it private blocks of bytes, 6 kB in all."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = MRImageStorage
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "EPI", "NONE"]
    ds.SOPClassUID = MRImageStorage
    ds.SOPInstanceUID = f"1.2.826.0.1.3680043.10.543.{series}.{number}"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20240506"
    ds.StudyTime, ds.SeriesTime, ds.AcquisitionTime, ds.ContentTime = ("101112.12", "101212", "101212.5", "101213")
    ds.AccessionNumber, ds.Modality, ds.Manufacturer = "A1", "MR", "Example Systems"
    ds.InstitutionName, ds.StationName, ds.ReferringPhysicianName = "Example Institute", "MR1", "Example^Referrer"
    ds.StudyDescription, ds.SeriesDescription = "Phantom", f"EPI {series}"
    ds.ManufacturerModelName, ds.PatientName, ds.PatientID = "Phantom 3T", f"Phantom^{series}", f"PHANTOM-{series:05d}"
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge, ds.PatientWeight = "19700101", "O", "054Y", "70"
    ds.ProcedureCodeSequence = Sequence([_coded("P1-48000", "SRT", "Functional imaging")])
    ds.ReferencedImageSequence = Sequence([_referenced(place) for place in range(3)])
    ds.BodyPartExamined, ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "HEAD", "EP", "SK", "FS"
    ds.MRAcquisitionType, ds.SequenceName, ds.SliceThickness = "2D", "epfid2d1_64", "3"
    ds.RepetitionTime, ds.EchoTime, ds.NumberOfAverages, ds.ImagingFrequency = "2000", "30", "1", "123.25"
    ds.ImagedNucleus, ds.EchoNumbers, ds.MagneticFieldStrength, ds.SpacingBetweenSlices = "1H", "1", "3", "3.3"
    ds.NumberOfPhaseEncodingSteps, ds.EchoTrainLength, ds.PercentSampling, ds.PixelBandwidth = "63", "1", "100", "2368"
    ds.DeviceSerialNumber, ds.SoftwareVersions, ds.ProtocolName = "12345", "sw 1.0", "func_rest"
    ds.AcquisitionMatrix, ds.InPlanePhaseEncodingDirection, ds.FlipAngle, ds.SAR = [64, 0, 0, 64], "COL", "90", "0.1"
    ds.PatientPosition, ds.StudyInstanceUID = "HFS", "1.2.826.0.1.1.1"
    ds.SeriesInstanceUID, ds.StudyID = f"1.2.826.0.1.2.{series}", "1"
    ds.SeriesNumber, ds.AcquisitionNumber, ds.InstanceNumber = series, 1 + number // 40, number
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-96, -96, (number % 40) * 3.3], [1, 0, 0, 0, 1, 0]
    ds.FrameOfReferenceUID, ds.SliceLocation = "1.2.826.0.1.3.1", f"{(number % 40) * 3.3:.2f}"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.PixelSpacing = [2.0, 2.0]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.WindowCenter, ds.WindowWidth = "450", "1100"
    _add_private(ds, rng, blocks=blocks)
    ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def _add_private(ds: Dataset, rng: np.random.Generator, *, blocks: bool) -> None:
    """Fill up with private elements: text, numbers, and blocks of bytes as scanners keep their own records in."""
    image = ds.private_block(0x0019, "EXAMPLE MR IMAGE", create=True)
    series = ds.private_block(0x0029, "EXAMPLE MR HEADER", create=True)
    if blocks:
        series.add_new(0x10, "OB", rng.integers(0, 256, 4096, dtype=np.uint8).tobytes())
        series.add_new(0x20, "OB", rng.integers(0, 256, 2048, dtype=np.uint8).tobytes())
    nested = Dataset()
    nested.add_new((0x0029, 0x0010), "LO", "EXAMPLE MR HEADER")
    nested.add_new((0x0029, 0x1031), "LO", "nested")
    series.add_new(0x30, "SQ", Sequence([nested, nested]))
    for element in range(_ELEMENTS - len(ds)):
        vr, value = (
            ("DS", f"{rng.uniform(-1e3, 1e3):.6g}"),
            ("LO", f"Value {element}"),
            ("SL", int(rng.integers(0, 1 << 20))),
            ("FD", float(rng.uniform())),
        )[element % 4]
        image.add_new(element, vr, value)
