"""A CT series, and objects that are derived from it as a well-kept library writes them (highdicom)."""

from collections.abc import Sequence
from pathlib import Path

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage

STUDY, CT_SERIES, FRAME_OF_REFERENCE = "1.2.826.0.1.1", "1.2.826.0.1.1.1", "1.2.826.0.1.9"
EQUIPMENT = {
    "manufacturer": "Maker",
    "manufacturer_model_name": "Model",
    "software_versions": "1",
    "device_serial_number": "1",
}
TRACKING = "1.2.826.0.1.77"


def ct_series(slices: int = 4) -> list[FileDataset]:
    """Return images of 8 x 8 pixels, 2.5 mm apart."""
    return [_ct(number) for number in range(1, slices + 1)]


def _ct(number: int) -> FileDataset:
    image = whole(CTImageStorage, f"{CT_SERIES}.{number}", CT_SERIES)
    image.Modality, image.InstanceNumber, image.SeriesNumber = "CT", number, 1
    image.FrameOfReferenceUID, image.PositionReferenceIndicator = FRAME_OF_REFERENCE, ""
    image.ImagePositionPatient, image.ImageOrientationPatient = [0, 0, 2.5 * number], [1, 0, 0, 0, 1, 0]
    image.PixelSpacing, image.SliceThickness = [1, 1], 2.5
    image.ImageType, image.RescaleSlope, image.RescaleIntercept = ["ORIGINAL", "PRIMARY", "AXIAL"], 1, -1024
    image.Rows = image.Columns = 8
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 0
    image.PixelData = (np.arange(64, dtype=np.uint16) * number).tobytes()
    return image


def whole(sop_class: str, uid: str, series: str) -> FileDataset:
    """Return an object with what all objects have, and no more."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, uid
    made = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = sop_class, uid
    made.StudyInstanceUID, made.SeriesInstanceUID = STUDY, series
    made.PatientID, made.PatientName, made.PatientBirthDate, made.PatientSex = "P1", "A^B", "19500101", "O"
    made.StudyDate, made.StudyTime, made.StudyID, made.AccessionNumber = "20240131", "120000", "1", "1"
    made.ReferringPhysicianName = ""
    return made


def segmentation(images: Sequence[Dataset]) -> Dataset:
    """Return a segmentation of two segments: one in all images, a tracked one in the first two."""
    mask = np.zeros((len(images), 8, 8, 2), np.uint8)
    mask[:, 1:3, 1:3, 0] = 1
    mask[:2, 5:7, 5:7, 1] = 1
    algorithm = hd.AlgorithmIdentificationSequence("Net", codes.DCM.ArtificialIntelligence, "1.0")
    descriptions = [
        hd.seg.SegmentDescription(1, "Liver", codes.SCT.Organ, codes.SCT.Liver, "AUTOMATIC", algorithm),
        hd.seg.SegmentDescription(
            2,
            "Lesion",
            codes.SCT.MorphologicallyAbnormalStructure,
            codes.SCT.Neoplasm,
            "MANUAL",
            tracking_uid=TRACKING,
            tracking_id="lesion 1",
        ),
    ]
    return hd.seg.Segmentation(
        images, mask, "BINARY", descriptions, "1.2.826.0.1.1.2", 2, "1.2.826.0.1.1.2.1", 1, **EQUIPMENT
    )


def report(images: Sequence[Dataset]) -> Dataset:
    """Return a report with the first image as its evidence and in its content."""
    content = hd.sr.ContainerContentItem(codes.DCM.ImagingMeasurementReport, template_id="1500")
    content.ContentSequence = hd.sr.ContentSequence(
        [
            hd.sr.ImageContentItem(
                codes.DCM.SourceImageForSegmentation,
                images[0].SOPClassUID,
                images[0].SOPInstanceUID,
                relationship_type=hd.sr.RelationshipTypeValues.CONTAINS,
            )
        ]
    )
    return hd.sr.EnhancedSR(images[:1], content, "1.2.826.0.1.1.3", 3, "1.2.826.0.1.1.3.1", 1, manufacturer="Maker")


def key_objects(images: Sequence[Dataset]) -> Dataset:
    """Return a key object selection of all images."""
    content = hd.ko.KeyObjectSelection(codes.DCM.ForTeaching, images)
    return hd.ko.KeyObjectSelectionDocument(
        images, content, "1.2.826.0.1.1.4", 4, "1.2.826.0.1.1.4.1", 1, manufacturer="Maker"
    )


def presentation_state(images: Sequence[Dataset]) -> Dataset:
    """Return a presentation state of all images."""
    return hd.pr.GrayscaleSoftcopyPresentationState(
        images, "1.2.826.0.1.1.5", 5, "1.2.826.0.1.1.5.1", 1, **EQUIPMENT, content_label="STATE"
    )


def parametric_map(images: Sequence[Dataset]) -> Dataset:
    """Return a parametric map over all images."""
    mapping = hd.pm.RealWorldValueMapping("1", "as is", codes.UCUM.NoUnits, (0, 255), slope=1, intercept=0)
    return hd.pm.ParametricMap(
        images,
        np.ones((len(images), 8, 8), np.uint8),
        "1.2.826.0.1.1.6",
        6,
        "1.2.826.0.1.1.6.1",
        1,
        **EQUIPMENT,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[hd.VOILUTTransformation(window_center=0.5, window_width=1.0)],
    )


def structure_set(images: Sequence[Dataset], contours: int = 2, points: int = 4) -> Dataset:
    """Return a structure set of two regions with contours in all images, and one without any."""
    made = whole(RTStructureSetStorage, "1.2.826.0.1.1.7.1", "1.2.826.0.1.1.7")
    made.Modality, made.StructureSetLabel = "RTSTRUCT", "PLAN"
    series = _items(SeriesInstanceUID=CT_SERIES, ContourImageSequence=Items([reference_to(image) for image in images]))
    study = _items(
        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
        ReferencedSOPInstanceUID=STUDY,
        RTReferencedSeriesSequence=series,
    )
    made.ReferencedFrameOfReferenceSequence = _items(
        FrameOfReferenceUID=FRAME_OF_REFERENCE, RTReferencedStudySequence=study
    )
    regions = ((1, "PTV", "AUTOMATIC"), (2, "Heart", "MANUAL"), (7, "empty", ""))
    made.StructureSetROISequence = Items(
        _one(
            ROINumber=number, ReferencedFrameOfReferenceUID=FRAME_OF_REFERENCE, ROIName=name, ROIGenerationAlgorithm=how
        )
        for number, name, how in regions
    )
    made.ROIContourSequence = Items(
        _one(
            ReferencedROINumber=number,
            ROIDisplayColor=[255, 0, number],
            ContourSequence=Items(_contour(images[place % len(images)], points, kind) for place in range(contours)),
        )
        for number, kind in ((1, "CLOSED_PLANAR"), (2, "POINT"))
    )
    made.RTROIObservationsSequence = Items(
        _one(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType=kind)
        for number, kind in ((1, "PTV"), (2, "ORGAN"), (7, ""))
    )
    return made


def _contour(image: Dataset, points: int, kind: str) -> Dataset:
    return _one(
        ContourImageSequence=Items([reference_to(image)]),
        ContourGeometricType=kind,
        NumberOfContourPoints=points,
        ContourData=[-123.25] * (3 * points),
    )


def reference_to(image: Dataset) -> Dataset:
    """Return an item that refers to an image."""
    return _one(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)


def _one(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def _items(**values: object) -> Items:
    return Items([_one(**values)])


DERIVED = (segmentation, report, key_objects, presentation_state, parametric_map, structure_set)


def save(made: Dataset, path: Path) -> None:
    """Write an object to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path, enforce_file_format=True)
