"""Images of each kind as archives hold them: what their headers say, how large they are, how they are encoded.

Pixels of a kind come from a few pictures, so that an archive of gigabytes is made in minutes; every header is its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
    UltrasoundMultiFrameImageStorage,
)

from benchmarks.ct_files import anatomy, ct_dataset, ct_slice
from benchmarks.mr_files import mr_dataset, mr_slice
from dicom_assets_tests.support.dicom.compressed import ENCODERS

PICTURES = 4
"""Different ones of each kind."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of image.

    Attributes
    ----------
    name
        Its Modality.
    share
        Of all files.
    syntaxes
        Transfer syntaxes that files of it are compressed with, as scanners and archives use them.
    pixels
        Returns one of its pictures, of shape ``([frames, ]rows, columns[, 3])``.
    dataset
        Returns the data set of a file without its pixels and without what identifies it.

    """

    name: str
    share: float
    syntaxes: tuple[UID, ...]
    pixels: Callable[[np.random.Generator], np.ndarray]
    dataset: Callable[[np.random.Generator, int, np.ndarray], Dataset]


def _projection(rows: int, columns: int, bits: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Return what makes pictures like radiographs: soft shadows, a direct exposure beside them, quantum noise."""

    def make(rng: np.random.Generator) -> np.ndarray:
        body = anatomy(rng, rows // 8, columns // 8)
        large = np.kron(body, np.ones((8, 8)))
        noise = rng.normal(0, 6, large.shape)
        return ((large + 1000) / 2 + 200 + noise).clip(0, (1 << bits) - 1).astype("<u2")

    return make


def _loop(rng: np.random.Generator) -> np.ndarray:
    """Return a loop of ultrasound: a fan of speckle on black, in colour where blood flows."""
    frames, rows, columns = 16, 480, 640
    y, x = np.mgrid[0 : 1 : rows * 1j, -0.6 : 0.6 : columns * 1j]
    fan = (np.abs(np.arctan2(x, y + 0.05)) < 0.6) & (np.hypot(x, y) < 0.95)
    speckle = rng.rayleigh(40, (rows // 4, columns // 4))
    grey = np.kron(speckle, np.ones((4, 4))) * fan
    pictures = np.stack([np.roll(grey, frame, axis=0) * fan for frame in range(frames)])
    coloured = np.repeat(pictures.clip(0, 255).astype(np.uint8)[..., None], 3, axis=3)
    coloured[:, 160:220, 300:360, 0] = 220
    return coloured


def _ct(rng: np.random.Generator) -> np.ndarray:
    return ct_slice(rng, anatomy(rng, 512, 512), 0)


def _mr(rng: np.random.Generator) -> np.ndarray:
    return mr_slice(rng, 256, int(rng.integers(40)))


def _radiograph(sop_class: UID, **attributes: object) -> Callable[[np.random.Generator, int, np.ndarray], Dataset]:
    """Return what makes data sets of projection images, with some attributes of their own."""

    def make(rng: np.random.Generator, number: int, pixels: np.ndarray) -> Dataset:
        ds = _plain(sop_class, number, pixels)
        ds.PixelSpacing = ds.ImagerPixelSpacing = [0.139, 0.139]
        ds.KVP, ds.ExposureTime, ds.Exposure, ds.ExposureInuAs = "80", "12", "4", "4000"
        ds.DistanceSourceToDetector, ds.DetectorTemperature = "1800", f"{rng.uniform(25, 35):.1f}"
        ds.WindowCenter, ds.WindowWidth, ds.RescaleIntercept, ds.RescaleSlope = "900", "1600", "0", "1"
        ds.RescaleType, ds.PresentationLUTShape, ds.BurnedInAnnotation = "US", "IDENTITY", "NO"
        for keyword, value in attributes.items():
            setattr(ds, keyword, value)
        return ds

    return make


def _ultrasound(rng: np.random.Generator, number: int, pixels: np.ndarray) -> Dataset:
    ds = _plain(UltrasoundMultiFrameImageStorage, number, pixels)
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, 0
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 639, 479
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = 0.02
    ds.SequenceOfUltrasoundRegions = Sequence([region])
    ds.NumberOfFrames, ds.FrameTime, ds.FrameIncrementPointer = len(pixels), "33.3", 0x00181063
    ds.PlanarConfiguration, ds.HeartRate = 0, str(int(rng.integers(50, 100)))
    return ds


def _plain(sop_class: UID, number: int, pixels: np.ndarray) -> Dataset:
    """Return what all images say."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = sop_class
    ds.SpecificCharacterSet, ds.ImageType = "ISO_IR 100", ["ORIGINAL", "PRIMARY", ""]
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20240506"
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "101112.123"
    ds.AccessionNumber, ds.Manufacturer, ds.InstitutionName = "A1", "Example Systems", "Example Institute"
    ds.StationName, ds.ManufacturerModelName, ds.SoftwareVersions = "ROOM1", "Phantom X", ["1.0", "2.3"]
    ds.StudyDescription, ds.SeriesDescription, ds.ReferringPhysicianName = "Phantom", "Projection", "Example^Referrer"
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge, ds.BodyPartExamined = "19700101", "O", "054Y", "CHEST"
    ds.StudyID, ds.SeriesNumber, ds.AcquisitionNumber, ds.PatientOrientation = "1", 1, number, ["L", "F"]
    colour = pixels.shape[-1] == 3
    ds.SamplesPerPixel = 3 if colour else 1
    ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape[-3:-1] if colour else pixels.shape
    bits = 8 if colour else 12
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = (8 if colour else 16), bits, bits - 1, 0
    block = ds.private_block(0x0019, "EXAMPLE PHANTOM", create=True)
    for element in range(60):
        block.add_new(element, "LO", f"Value {element} of {number}")
    return ds


_CR = _radiograph(ComputedRadiographyImageStorage, ViewPosition="PA", PlateID="P1", Modality="CR")
_DX = _radiograph(DigitalXRayImageStorageForPresentation, ViewPosition="AP", ImageLaterality="U", Modality="DX")
_MG = _radiograph(
    DigitalMammographyXRayImageStorageForPresentation,
    ViewPosition="MLO",
    ImageLaterality="L",
    BodyPartExamined="BREAST",
    Modality="MG",
)


def _mr_dataset(rng: np.random.Generator, number: int, pixels: np.ndarray) -> Dataset:
    return mr_dataset(rng, number, 0, pixels)


KINDS = (
    Kind("CT", 0.54, (JPEG2000Lossless, JPEGLSLossless, RLELossless), _ct, ct_dataset),
    Kind("MR", 0.35, (JPEGLSLossless, JPEG2000Lossless, RLELossless), _mr, _mr_dataset),
    Kind("CR", 0.03, (JPEGLSLossless, JPEG2000Lossless), _projection(2136, 1760, 12), _CR),
    Kind("DX", 0.03, (JPEG2000Lossless, JPEGLSLossless), _projection(2520, 2048, 12), _DX),
    Kind("US", 0.04, (JPEGBaseline8Bit,), _loop, _ultrasound),
    Kind("MG", 0.01, (JPEG2000Lossless,), _projection(3328, 2560, 12), _MG),
)
"""What the realistic archive consists of."""


def made(kind: Kind, number: int, seed: int, syntax: UID) -> Dataset:
    """Return a data set with pixels in a transfer syntax; who and what it is of stays to be said.

    Equal arguments make equal data sets.
    """
    picture = number % PICTURES
    pixels = _picture(kind.name, picture, seed)
    ds = kind.dataset(np.random.default_rng([seed, number]), number, pixels)
    ds.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRLittleEndian:
        ds.PixelData = pixels.tobytes()
        ds["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    else:
        ds.PixelData = _encoded(kind.name, picture, seed, syntax)
        ds["PixelData"].VR = "OB"
        if syntax == JPEGBaseline8Bit:
            ds.PhotometricInterpretation = "YBR_FULL_422"
            ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", "ISO_10918_1"
    return ds


@cache
def _picture(name: str, picture: int, seed: int) -> np.ndarray:
    kind = next(kind for kind in KINDS if kind.name == name)
    return kind.pixels(np.random.default_rng([seed, picture, *name.encode()]))


@cache
def _encoded(name: str, picture: int, seed: int, syntax: UID) -> bytes:
    pixels = _picture(name, picture, seed)
    frames = pixels if pixels.shape[-1] == 3 else pixels[None]
    encode, _ = ENCODERS[syntax]
    return encapsulate([encode(frame) for frame in frames])
