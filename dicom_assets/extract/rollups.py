"""``series`` and ``studies``: what files of one series, or of one study, have in common and add up to.

Each has a row for every entity and prefix, made from ``object_catalog``. Only what is declared is here: the tables,
their states, and what their columns are made of. How rows are made is in :mod:`dicom_assets.pipeline.rollup`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import pyarrow as pa

from dicom_assets.extract.attributes import PROMOTED
from dicom_assets.tables import MADE_AT, PREFIX, RUN_ID, THUMBNAIL_PATH, Column, Table

SERIES_UID, STUDY_UID = "SeriesInstanceUID", "StudyInstanceUID"

_INT, _LONG, _DOUBLE, _STRING, _BOOL = pa.int32(), pa.int64(), pa.float64(), pa.string(), pa.bool_()
_COUNTS = pa.list_(pa.struct([("value", _STRING), ("files", _LONG)]))
_GAPS = pa.list_(pa.struct([("after", _INT), ("missing", _INT)]))


class RollupStatus(StrEnum):
    """Whether a series or study can be used as it is. Where several apply, the last of this list is the row's."""

    OK = "ok"
    """All is well with its files, they agree, and none repeats another."""
    ISSUES = "issues"
    """Usable with care: its files disagree, some repeat an instance, or some have issues."""
    DAMAGED = "damaged"
    """Some of its files are damaged or could not be read."""
    PENDING = "pending"
    """Some of its files wait for a run; the row is made again after it."""
    ERROR = "error"
    """The row could not be made; `error` says why."""


@dataclass(frozen=True)
class RollupTable(Table):
    """A table with one row for each entity in each prefix.

    Attributes
    ----------
    version
        Of the code that makes the rows.
    attributes
        Columns of ``object_catalog`` that all files of one entity agree about: PS3.3 A.1.2 makes them attributes of
        the entity, or of one above it.
    may_differ
        Those of them that files may disagree about without being wrong.
    sources
        By column, the columns of ``object_catalog`` that it is made of; attributes come from those of their names.

    """

    version: str = ""
    attributes: tuple[str, ...] = ()
    may_differ: frozenset[str] = frozenset()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @cached_property
    def made_of(self) -> Mapping[str, tuple[str, ...]]:
        """By column, the columns of ``object_catalog`` that it comes from; rows say of themselves who made them."""
        named = {name: (name,) for name in (PREFIX.name, self.key, *self.attributes)}
        return {**named, "disagreements": self.attributes, **self.sources}


def _of_entity(*names: str) -> tuple[Column, ...]:
    """Return promoted columns as columns of an entity."""
    promoted = {column.name: column for column in PROMOTED}
    return tuple(promoted[name] for name in names)


_DISAGREEMENTS = Column(
    "disagreements", pa.list_(_STRING), "Attributes that the files give several values; their columns are null."
)
_INSTANCES = Column(
    "instances", _LONG, "Distinct SOP Instance UIDs; a file without one counts as one.", statistics=True
)
_FILES = Column("files", _LONG, "Files that are there; copies of an instance count.", statistics=True)
_FRAMES = Column("frames", _LONG, "Frames of these instances; 0 of one without pixels.", statistics=True)
_BYTES = Column("bytes", _LONG, "Length of the files.", statistics=True)
_STATUSES = Column("statuses", _COUNTS, "`status` of the files in `object_catalog`, and how many have it.")

_STATE: tuple[Column, ...] = (
    Column("status", _STRING, "How it is with the whole, one of the documented states.", statistics=True),
    Column("error", _STRING, "One sentence on what is not well; carries no patient data."),
    Column("extractor_version", _STRING, "Version of the code, and a digest of the versions of the files."),
    RUN_ID,
    MADE_AT,
)

_COUNTED = {
    "instances": ("SOPInstanceUID",),
    "files": ("relative_path",),
    "frames": ("NumberOfFrames", "Rows", "SOPInstanceUID"),
    "bytes": ("size",),
    "statuses": ("status",),
    "status": ("status",),
    "error": ("status",),
    "extractor_version": ("relative_path", "fingerprint", "extractor_version"),
}

_SERIES_ATTRIBUTES = (
    STUDY_UID,
    "PatientID",
    "Modality",
    "SeriesNumber",
    "SeriesDescription",
    "BodyPartExamined",
    "StudyDate",
    "Manufacturer",
    "SOPClassUID",
    "FrameOfReferenceUID",
)

GEOMETRY: tuple[Column, ...] = (
    Column("orientation", _STRING, "`axial`, `coronal`, `sagittal` or `oblique`.", statistics=True),
    Column("slices", _INT, "Distinct positions along the normal, of one stack.", statistics=True),
    Column("slice_spacing", _DOUBLE, "Distance of slices along the normal in mm, by their positions.", statistics=True),
    Column("spacing_deviation", _DOUBLE, "Largest deviation from that distance in mm.", statistics=True),
    Column("is_uniform", _BOOL, "Whether all distances are the same within the tolerance."),
    Column("gaps", _GAPS, "Where slices are missing: after which slice, counted from 0, and how many."),
    Column("repeated_positions", _INT, "Frames at a position that another one has, in the same stack."),
    Column("tilt", _DOUBLE, "Angle in degrees between the normal and the line of the positions.", statistics=True),
    Column("stacks", _INT, "Stacks of slices at the same positions: times, echoes, phases.", statistics=True),
    Column("stacks_by", _STRING, "Keyword of the attribute that tells the stacks apart."),
    Column("extent", pa.list_(_DOUBLE), "Size in mm along rows, columns and normal."),
    Column("is_volume", _BOOL, "Whether it is one or several regular volumes."),
    Column("not_volume_reason", _STRING, "Why not, one of the documented reasons.", statistics=True),
)
"""What positions and orientations of the frames of a series tell (PS3.3 C.7.6.2)."""

_PLACED = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SOPInstanceUID",
)

SERIES = RollupTable(
    "series",
    "Every series of every prefix: what its files agree about, their counts, and the geometry of its frames.",
    (
        PREFIX,
        *_of_entity(SERIES_UID, *_SERIES_ATTRIBUTES),
        _DISAGREEMENTS,
        _INSTANCES,
        _FILES,
        _FRAMES,
        _BYTES,
        Column("transfer_syntaxes", _COUNTS, "Transfer Syntax UIDs of the files, and how many have each."),
        _STATUSES,
        Column("first_instance_number", _INT, "Least Instance Number.", statistics=True),
        Column("last_instance_number", _INT, "Greatest Instance Number.", statistics=True),
        Column(
            "missing_instance_numbers",
            pa.list_(_INT),
            "Numbers in between that no file has; null where there are more than 1,000, which then mean nothing.",
        ),
        Column(THUMBNAIL_PATH, _STRING, "File whose thumbnail stands for the series: its middle slice."),
        Column("thumbnail_frame", _INT, "Frame that this thumbnail shows, counted from 1."),
        *GEOMETRY,
        *_STATE,
    ),
    SERIES_UID,
    version="series-1",
    attributes=_SERIES_ATTRIBUTES,
    # A series may hold several classes (PS3.3 A.1.2).
    may_differ=frozenset({"SOPClassUID"}),
    sources={
        **_COUNTED,
        "transfer_syntaxes": ("TransferSyntaxUID",),
        **dict.fromkeys(
            ("first_instance_number", "last_instance_number", "missing_instance_numbers"), ("InstanceNumber",)
        ),
        THUMBNAIL_PATH: ("path", "thumbnail_status", "InstanceNumber", *_PLACED),
        "thumbnail_frame": ("frame_number",),
        **{column.name: _PLACED for column in GEOMETRY},
    },
)

_STUDY_ATTRIBUTES = (
    "PatientID",
    "PatientName",
    "PatientSex",
    "PatientBirthDate",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "StudyDescription",
)

STUDIES = RollupTable(
    "studies",
    "Every study of every prefix: what its files agree about, and their counts.",
    (
        PREFIX,
        *_of_entity(STUDY_UID, *_STUDY_ATTRIBUTES),
        _DISAGREEMENTS,
        Column("series", _LONG, "Distinct Series Instance UIDs.", statistics=True),
        _INSTANCES,
        _FILES,
        _FRAMES,
        _BYTES,
        Column("modalities", pa.list_(_STRING), "Modalities of the files, in order."),
        _STATUSES,
        *_STATE,
    ),
    STUDY_UID,
    version="studies-1",
    attributes=_STUDY_ATTRIBUTES,
    sources={**_COUNTED, "series": (SERIES_UID,), "modalities": ("Modality",)},
)

ROLLUPS = (SERIES, STUDIES)

NEEDED = frozenset(
    name for table in ROLLUPS for names in (table.attributes, *table.sources.values()) for name in names
) - {"thumbnail_status", "frame_number"}
"""Columns of ``object_catalog`` that these tables cannot be made without; thumbnails they can do without."""
