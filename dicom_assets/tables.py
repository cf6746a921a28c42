"""Every table of the catalog, once: Arrow schema, key, column descriptions, and what the log keeps statistics of.

Dagster column schemas, Delta schemas, asset checks, typed header columns and the documentation derive from here.
What computes the rows belongs elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

KEY = "path"
PARTITION = "prefix"

_TIMESTAMP = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    name
        The DICOM keyword where the column holds an attribute, else our own name.
    type
        Arrow type.
    description
        One sentence for the people who query it.
    statistics
        Whether data files carry minimum, maximum and null count of it, so that readers can skip files.
    tag, vr
        Of the DICOM attribute (PS3.6), for promoted header columns.

    """

    name: str
    type: pa.DataType
    description: str
    statistics: bool = False
    tag: str | None = None
    vr: str | None = None


@dataclass(frozen=True)
class Table:
    """One Delta table, with ``path`` as its key and ``prefix`` as its partition column."""

    name: str
    description: str
    columns: tuple[Column, ...]

    def __iter__(self) -> Iterator[Column]:
        """Iterate over the columns in order."""
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        """Return a column by name; raises :class:`KeyError`."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema; every column may be null but the key and the partition."""
        return pa.schema(
            [
                pa.field(
                    c.name,
                    c.type,
                    nullable=c.name not in (KEY, PARTITION),
                    metadata={"comment": c.description},
                )
                for c in self.columns
            ]
        )

    @cached_property
    def file_schema(self) -> pa.Schema:
        """Schema of a data file: Delta keeps partition columns in the log, not in the file."""
        return pa.schema([field for field in self.schema if field.name != PARTITION])

    @cached_property
    def statistics_columns(self) -> tuple[str, ...]:
        """Names of the columns with statistics in the log."""
        return tuple(column.name for column in self.columns if column.statistics)


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
"""Header attributes with a typed column of their own, named by their DICOM keyword."""

_PREFIX = Column(PARTITION, _STRING, "Partition: the directories that the file stands below.")
_PATH = Column(KEY, _STRING, "Absolute URI, or absolute path of a local file.", statistics=True)
_FINGERPRINT = Column("fingerprint", _STRING, "Version of the source file: its ETag, or its size and time.")

_DERIVED: tuple[Column, ...] = (
    _PREFIX,
    _PATH,
    _FINGERPRINT,
    Column("extractor_version", _STRING, "Version of the code that made the row."),
    Column("status", _STRING, "How it went, one of the documented states.", statistics=True),
    Column("error", _STRING, "One sentence on what is not well; carries no patient data."),
)

_INDEX: tuple[Column, ...] = (
    Column("relative_path", _STRING, "Path below the root of the archive."),
    Column("size", pa.int64(), "Length in bytes, null when the storage does not tell.", statistics=True),
    Column(
        "modified_at",
        _TIMESTAMP,
        "Last modification, as the storage tells it; null for a time outside the years 1 to 9999.",
        statistics=True,
    ),
    Column("etag", _STRING, "Entity tag of the object store, null on a file system."),
)
_SOURCE_VERSION = Column(
    "source_version",
    _STRING,
    "What a file system says of the version: size, times of modification and status change in ns, inode number; "
    "null for an object.",
)
_INDEXED_AT = Column("indexed_at", _TIMESTAMP, "When this version of the file was first listed.", statistics=True)
_REMOVED_AT = Column(
    "removed_at",
    _TIMESTAMP,
    "When the file was found gone, where rows of removed files are kept; null while it is there.",
)

_METADATA: tuple[Column, ...] = (
    Column("file_name", _STRING, "Last part of the path."),
    Column("extension", _STRING, "Lower case, without its dot; null when there is none."),
    Column("path_tags", _STRINGS, "Directory names and the tokens of the file name."),
    Column("media_type", _STRING, "Told from the content, not from the name.", statistics=True),
    Column("is_dicom", pa.bool_(), "Whether the content is a DICOM file."),
    Column("sha256", _STRING, "SHA-256 of the content in hexadecimal, null unless switched on."),
)

_HEAD_DIGEST = Column(
    "head_digest",
    _STRING,
    "Half of the SHA-256 of the first 64 KiB in hexadecimal; verifies a file whose inode or status changed.",
)

_ISSUE = pa.struct([("path", _STRING), ("vr", _STRING), ("code", _STRING), ("raw", _STRING)])

_HEADER: tuple[Column, ...] = (
    Column("header", _STRING, "The whole header as JSON: `fileMeta` and `dataset` in the DICOM JSON Model."),
    Column("issues", pa.list_(_ISSUE), "Values that break their Value Representation, as they stand."),
    *PROMOTED,
)

_THUMBNAIL: tuple[Column, ...] = (
    Column("thumbnail", pa.binary(), "The encoded image."),
    Column("thumbnail_media_type", _STRING, "`image/jpeg` or `image/png`."),
    Column("thumbnail_width", _INT, "Width in pixels."),
    Column("thumbnail_height", _INT, "Height in pixels."),
    Column("frame_number", _INT, "Frame that it shows, counted from 1."),
    Column("window_center", _DOUBLE, "Window center that was applied."),
    Column("window_width", _DOUBLE, "Window width that was applied."),
)

FILE_INDEX = Table(
    "file_index",
    "Every file of the archive, as last listed.",
    (_PREFIX, _PATH, *_INDEX, _FINGERPRINT, _SOURCE_VERSION, _INDEXED_AT, _REMOVED_AT),
)
FILE_METADATA = Table(
    "file_metadata", "What the name and the first bytes of a file tell.", (*_DERIVED, *_METADATA, _HEAD_DIGEST)
)
DICOM_HEADERS = Table(
    "dicom_headers",
    "The full DICOM header of every file, and its common attributes typed.",
    (*_DERIVED, *_HEADER),
)
THUMBNAILS = Table("thumbnails", "One small image per file that has pixels.", (*_DERIVED, *_THUMBNAIL))
OBJECT_CATALOG = Table(
    "object_catalog",
    "One row per file of the index, with all that is known of it: the table to query.",
    (
        *_DERIVED,
        *_INDEX,
        _INDEXED_AT,
        _REMOVED_AT,
        Column(
            "metadata_status",
            _STRING,
            "`status` of `file_metadata`, null while it has no row.",
            statistics=True,
        ),
        Column(
            "header_status",
            _STRING,
            "`status` of `dicom_headers`, null while it has no row.",
            statistics=True,
        ),
        Column(
            "thumbnail_status",
            _STRING,
            "`status` of `thumbnails`, null while it has no row.",
            statistics=True,
        ),
        *_METADATA,
        *_HEADER,
        *_THUMBNAIL,
    ),
)

EXTRACTED: tuple[Table, ...] = (FILE_METADATA, DICOM_HEADERS, THUMBNAILS)
"""Tables that one pass over the files fills."""

TABLES: tuple[Table, ...] = (FILE_INDEX, *EXTRACTED, OBJECT_CATALOG)
"""All tables, in the order data walks."""
