"""An archive of what a viewer has to show: a CT and its segmentation, a slide, ultrasound, and compressed frames."""

import io
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, EncapsulatedPDFStorage, VLWholeSlideMicroscopyImageStorage

from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.whole import put

CT, SLIDE, DOCUMENT = "1.2.840.99.1", "1.2.840.99.2", "1.2.840.99.3"
"""Studies that are made up."""
SLICES, SIZE = 24, 192
_TILE, _TILES = 256, 4


def fill(archive: Path) -> Path:
    """Put everything into an archive."""
    slices = _put_ct(archive / "ct")
    _put_segmentation(archive / "ct" / "seg.dcm", slices)
    put_slide(archive / "slide")
    _put_document(archive / "document" / "report.dcm")
    for name in ("examples_ybr_color.dcm", "examples_jpeg2k.dcm", "JPEG2000.dcm", "examples_palette.dcm"):
        (archive / "real").mkdir(parents=True, exist_ok=True)
        shutil.copy2(PYDICOM_FILES / name, archive / "real")
    return archive


def _named(study: str, number: int) -> dict[str, object]:
    """Return the identifiers of an object in the first series of a study."""
    return {
        "SOPInstanceUID": f"{study}.1.{number}",
        "StudyInstanceUID": study,
        "SeriesInstanceUID": f"{study}.1",
    }


def _ball(number: int) -> np.ndarray:
    """Return where a ball lies in a slice."""
    y, x = np.mgrid[:SIZE, :SIZE]
    z = (number - SLICES / 2) * 5
    return (x - SIZE * 0.6) ** 2 + (y - SIZE * 0.45) ** 2 + z**2 < 45**2


def _slice(number: int) -> np.ndarray:
    """Return a slice in Hounsfield units: air, a body, a ball in it, and a rod that moves from slice to slice."""
    y, x = np.mgrid[:SIZE, :SIZE]
    units = np.full((SIZE, SIZE), -1000, np.int16)
    units[((x - SIZE / 2) / 80) ** 2 + ((y - SIZE / 2) / 65) ** 2 < 1] = 40
    units[_ball(number)] = 120
    units[(x - 50 - 2 * number) ** 2 + (y - 120) ** 2 < 64] = 900
    return units


def _put_ct(folder: Path) -> Sequence[Path]:
    for number in range(1, SLICES + 1):
        put(
            folder / f"{number:03}.dcm",
            number,
            SOPClassUID=CTImageStorage,
            **_named(CT, number),
            FrameOfReferenceUID=f"{CT}.9",
            PatientID="VIEW1",
            PatientName="Viewed^Carla",
            PatientSex="F",
            PatientBirthDate="19700101",
            AccessionNumber="A1",
            ReferringPhysicianName="",
            StudyID="1",
            StudyDate="20240131",
            StudyTime="101500",
            StudyDescription="Body & ball <b>",
            SeriesDescription="Axial 5 mm",
            SeriesNumber=1,
            Modality="CT",
            ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
            ImagePositionPatient=[-96.0, -96.0, number * 5.0],
            ImageOrientationPatient=[1.0, 0, 0, 0, 1, 0],
            PixelSpacing=[1.0, 1.0],
            SliceThickness=5,
            Rows=SIZE,
            Columns=SIZE,
            BitsAllocated=16,
            BitsStored=16,
            HighBit=15,
            PixelRepresentation=1,
            RescaleSlope=1,
            RescaleIntercept=0,
            WindowCenter=40,
            WindowWidth=400,
            PixelData=_slice(number).tobytes(),
        )
    return sorted(folder.glob("*.dcm"))


def _put_segmentation(path: Path, slices: Sequence[Path]) -> None:
    import highdicom as hd  # takes seconds, which collecting tests need not spend
    from pydicom.sr.codedict import codes

    description = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="Ball",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Mass,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    hd.seg.Segmentation(
        source_images=[dcmread(one) for one in slices],
        pixel_array=np.stack([_ball(number) for number in range(1, SLICES + 1)]).astype(np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[description],
        series_instance_uid=f"{CT}.2",
        series_number=2,
        sop_instance_uid=f"{CT}.2.1",
        instance_number=1,
        manufacturer="Made up",
        manufacturer_model_name="Made up",
        software_versions="1",
        device_serial_number="1",
        series_description="Ball",
    ).save_as(path)


def _put_document(path: Path) -> None:
    """Put a page of PDF."""
    page = io.BytesIO()
    Image.new("RGB", (300, 400), (200, 220, 255)).save(page, "PDF")
    put(
        path,
        1,
        SOPClassUID=EncapsulatedPDFStorage,
        **_named(DOCUMENT, 1),
        PatientID="VIEW3",
        PatientName="Viewed^Dora",
        StudyDate="20240303",
        Modality="DOC",
        SeriesDescription="Report",
        MIMETypeOfEncapsulatedDocument="application/pdf",
        EncapsulatedDocument=page.getvalue() + b"\0" * (len(page.getvalue()) % 2),
        EncapsulatedDocumentLength=len(page.getvalue()),
        Rows=None,
        Columns=None,
        PixelData=None,
    )


def _tile(row: int, column: int, tiles: int) -> np.ndarray:
    """Return a tile of a slide: pink tissue with darker cells, its place told by its shade."""
    y, x = np.mgrid[:_TILE, :_TILE]
    tile = np.full((_TILE, _TILE, 3), 240, np.uint8)
    tile[...] = (230 - 60 * row // tiles, 150, 200 - 60 * column // tiles)
    tile[((x % 64) - 32) ** 2 + ((y % 64) - 32) ** 2 < 200] = (90, 40, 130)
    return tile


def put_slide(folder: Path) -> None:
    """Put a slide of two levels into a folder."""
    for level, tiles in enumerate((_TILES, _TILES // 2), 1):
        spacing = 0.002 * _TILES / tiles
        frames = [_tile(row, column, tiles) for row in range(tiles) for column in range(tiles)]
        put(
            folder / f"level{level}.dcm",
            level,
            **_of_a_slide(level),
            TotalPixelMatrixRows=_TILE * tiles,
            TotalPixelMatrixColumns=_TILE * tiles,
            ImagedVolumeWidth=spacing * _TILE * tiles,
            ImagedVolumeHeight=spacing * _TILE * tiles,
            NumberOfFrames=len(frames),
            SharedFunctionalGroupsSequence=[_dataset(PixelMeasuresSequence=[_measures(spacing)])],
            PixelData=np.stack(frames).tobytes(),
        )


def _measures(spacing: float) -> Dataset:
    return _dataset(PixelSpacing=[spacing, spacing], SliceThickness=0.001)


def _of_a_slide(level: int) -> dict[str, object]:
    path = _dataset(
        OpticalPathIdentifier="1",
        IlluminationTypeCodeSequence=[_code("111744", "DCM", "Brightfield illumination")],
        IlluminationColorCodeSequence=[_code("414298005", "SCT", "Full Spectrum")],
    )
    return {
        "SOPClassUID": VLWholeSlideMicroscopyImageStorage,
        **_named(SLIDE, level),
        "FrameOfReferenceUID": f"{SLIDE}.9",
        "PatientID": "VIEW2",
        "PatientName": "Viewed^Sam",
        "StudyDate": "20240202",
        "StudyTime": "120000",
        "StudyDescription": "Biopsy",
        "SeriesDescription": "H&E",
        "SeriesNumber": 1,
        "Modality": "SM",
        "ImageType": [
            "ORIGINAL" if level == 1 else "DERIVED",
            "PRIMARY",
            "VOLUME",
            "NONE" if level == 1 else "RESAMPLED",
        ],
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "RGB",
        "PlanarConfiguration": 0,
        "Rows": _TILE,
        "Columns": _TILE,
        "DimensionOrganizationType": "TILED_FULL",
        "TotalPixelMatrixFocalPlanes": 1,
        "NumberOfOpticalPaths": 1,
        "OpticalPathSequence": [path],
        "ImageOrientationSlide": [0, -1, 0, -1, 0, 0],
        "TotalPixelMatrixOriginSequence": [
            _dataset(XOffsetInSlideCoordinateSystem=20, YOffsetInSlideCoordinateSystem=40)
        ],
        "ContainerIdentifier": "S1",
        "SpecimenLabelInImage": "NO",
        "BurnedInAnnotation": "NO",
        "LossyImageCompression": "00",
        "VolumetricProperties": "VOLUME",
        "FocusMethod": "AUTO",
        "ExtendedDepthOfField": "NO",
    }


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    return _dataset(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def _dataset(**attributes: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset
