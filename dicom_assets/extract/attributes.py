"""Attributes of the header with a typed column of their own, named by their DICOM keyword (PS3.6)."""

import pyarrow as pa

from dicom_assets.tables import Column


def _dicom(tag: str, vr: str, name: str, type_: pa.DataType, description: str) -> Column:
    """Return a promoted column; statistics are for types that order usefully."""
    return Column(name, type_, description, statistics=not pa.types.is_list(type_), tag=tag, vr=vr)


_STRING, _INT, _DOUBLE, _DATE = pa.string(), pa.int32(), pa.float64(), pa.date32()
_STRINGS, _DOUBLES = pa.list_(pa.string()), pa.list_(pa.float64())

PROMOTED: tuple[Column, ...] = (
    _dicom("00080005", "CS", "SpecificCharacterSet", _STRINGS, "Character sets that the header states."),
    # patient
    _dicom("00100020", "LO", "PatientID", _STRING, "Primary identifier of the patient."),
    _dicom("00100021", "LO", "IssuerOfPatientID", _STRING, "Authority that issued the Patient ID."),
    _dicom("00100010", "PN", "PatientName", _STRING, "Name, its component groups separated by `=`."),
    _dicom("00100030", "DA", "PatientBirthDate", _DATE, "Date of birth."),
    _dicom("00100040", "CS", "PatientSex", _STRING, "`M`, `F` or `O`."),
    _dicom("00101010", "AS", "PatientAge", _STRING, "Age at the study, such as `045Y`."),
    # study
    _dicom("0020000D", "UI", "StudyInstanceUID", _STRING, "Unique identifier of the study."),
    _dicom("00080020", "DA", "StudyDate", _DATE, "Date the study started."),
    _dicom("00080030", "TM", "StudyTime", _STRING, "Time the study started, ISO 8601 `HH:MM:SS[.ffffff]`."),
    _dicom("00080050", "SH", "AccessionNumber", _STRING, "Number of the imaging service request."),
    _dicom("00200010", "SH", "StudyID", _STRING, "Identifier of the study given by the equipment or user."),
    _dicom("00081030", "LO", "StudyDescription", _STRING, "What was examined, in the words of the institution."),
    _dicom("00080090", "PN", "ReferringPhysicianName", _STRING, "Name of the referring physician."),
    # series
    _dicom("0020000E", "UI", "SeriesInstanceUID", _STRING, "Unique identifier of the series."),
    _dicom("00200011", "IS", "SeriesNumber", _INT, "Number of the series in its study."),
    _dicom("0008103E", "LO", "SeriesDescription", _STRING, "Description of the series."),
    _dicom("00080060", "CS", "Modality", _STRING, "Type of device or process: `CT`, `MR`, `SR`..."),
    _dicom("00180015", "CS", "BodyPartExamined", _STRING, "Body part, a defined term of PS3.16 Annex L."),
    _dicom("00200060", "CS", "Laterality", _STRING, "`L` or `R` of a paired body part."),
    _dicom("00080070", "LO", "Manufacturer", _STRING, "Manufacturer of the equipment."),
    _dicom("00081090", "LO", "ManufacturerModelName", _STRING, "Model name of the equipment."),
    _dicom("00081010", "SH", "StationName", _STRING, "Name of the machine."),
    _dicom("00080080", "LO", "InstitutionName", _STRING, "Where the equipment stands."),
    _dicom("00181020", "LO", "SoftwareVersions", _STRINGS, "Software versions of the equipment."),
    _dicom("00181030", "LO", "ProtocolName", _STRING, "Protocol of the acquisition."),
    _dicom("00200052", "UI", "FrameOfReferenceUID", _STRING, "Frame of reference of the coordinates."),
    # instance
    _dicom("00080016", "UI", "SOPClassUID", _STRING, "Kind of the object."),
    _dicom("00080018", "UI", "SOPInstanceUID", _STRING, "Unique identifier of the object."),
    _dicom("00020010", "UI", "TransferSyntaxUID", _STRING, "Encoding that the file states for its data set."),
    _dicom("00200013", "IS", "InstanceNumber", _INT, "Number of the object in its series."),
    _dicom("00080008", "CS", "ImageType", _STRINGS, "Image identification characteristics."),
    _dicom(
        "0008002A",
        "DT",
        "AcquisitionDateTime",
        _STRING,
        "Start of the acquisition, ISO 8601, offset where stated.",
    ),
    _dicom("00280010", "US", "Rows", _INT, "Height in pixels."),
    _dicom("00280011", "US", "Columns", _INT, "Width in pixels."),
    _dicom("00280008", "IS", "NumberOfFrames", _INT, "Number of frames, null when not stated."),
    _dicom("00280002", "US", "SamplesPerPixel", _INT, "Samples (planes) per pixel."),
    _dicom("00280004", "CS", "PhotometricInterpretation", _STRING, "Meaning of the pixel values."),
    _dicom("00280100", "US", "BitsAllocated", _INT, "Bits allocated for a sample."),
    _dicom("00280101", "US", "BitsStored", _INT, "Bits stored for a sample."),
    _dicom("00280103", "US", "PixelRepresentation", _INT, "0 unsigned, 1 two's complement."),
    _dicom("00280030", "DS", "PixelSpacing", _DOUBLES, "Distance of rows, of columns, in mm."),
    _dicom("00180050", "DS", "SliceThickness", _DOUBLE, "Thickness of the slice in mm."),
    _dicom("00180088", "DS", "SpacingBetweenSlices", _DOUBLE, "Distance of slices in mm."),
    _dicom("00200032", "DS", "ImagePositionPatient", _DOUBLES, "x, y, z of the first pixel in mm."),
    _dicom("00200037", "DS", "ImageOrientationPatient", _DOUBLES, "Direction cosines of row and column."),
    _dicom("00281050", "DS", "WindowCenter", _DOUBLES, "Window centers."),
    _dicom("00281051", "DS", "WindowWidth", _DOUBLES, "Window widths."),
    _dicom("00281053", "DS", "RescaleSlope", _DOUBLE, "Slope from stored values to output units."),
    _dicom("00281052", "DS", "RescaleIntercept", _DOUBLE, "Intercept from stored values to output units."),
    _dicom("00180060", "DS", "KVP", _DOUBLE, "Peak kilo voltage output of the generator."),
    _dicom("00181210", "SH", "ConvolutionKernel", _STRINGS, "Kernel of the reconstruction."),
    _dicom("00180087", "DS", "MagneticFieldStrength", _DOUBLE, "Nominal field strength in tesla."),
    _dicom("00180081", "DS", "EchoTime", _DOUBLE, "Echo time in ms."),
    _dicom("00180080", "DS", "RepetitionTime", _DOUBLE, "Repetition time in ms."),
    _dicom("00180010", "LO", "ContrastBolusAgent", _STRING, "Contrast or bolus agent."),
    _dicom("00280301", "CS", "BurnedInAnnotation", _STRING, "`YES` when the pixels identify the patient."),
    _dicom("00120062", "CS", "PatientIdentityRemoved", _STRING, "`YES` when the patient's identity was removed."),
    _dicom("00282110", "CS", "LossyImageCompression", _STRING, "`01` when the image was compressed with loss."),
)
