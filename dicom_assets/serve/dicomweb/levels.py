"""The levels of the hierarchy (PS3.18 10.6.3.3): what tells their members apart, and which attributes they have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from urllib.parse import quote

from pydicom.datadict import tag_for_keyword


class Depth(IntEnum):
    """A level, the further down the greater."""

    STUDY = 0
    """Studies, with the attributes of their patients."""
    SERIES = 1
    """Series."""
    INSTANCE = 2
    """SOP Instances."""


def _tags(*keywords: str) -> tuple[str, ...]:
    return tuple(f"{tag_for_keyword(keyword):08X}" for keyword in keywords)


SPECIFIC_CHARACTER_SET, INSTANCE_AVAILABILITY, RETRIEVE_URL = _tags(
    "SpecificCharacterSet", "InstanceAvailability", "RetrieveURL"
)
MODALITIES_IN_STUDY, SOP_CLASSES_IN_STUDY = _tags("ModalitiesInStudy", "SOPClassesInStudy")
STUDY_SERIES, STUDY_INSTANCES, SERIES_INSTANCES = _tags(
    "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "NumberOfSeriesRelatedInstances"
)
AVAILABLE_TRANSFER_SYNTAX = _tags("AvailableTransferSyntaxUID")[0]

COMPUTED = frozenset(
    {
        SPECIFIC_CHARACTER_SET,
        INSTANCE_AVAILABILITY,
        RETRIEVE_URL,
        MODALITIES_IN_STUDY,
        SOP_CLASSES_IN_STUDY,
        STUDY_SERIES,
        STUDY_INSTANCES,
        SERIES_INSTANCES,
        AVAILABLE_TRANSFER_SYNTAX,
    }
)
"""Attributes that no file states, or none of an answer: they come from all files together, or from this server."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level.

    Attributes
    ----------
    depth
        Which one.
    uid
        Column of the unique identifier of its members.
    order
        Columns that matches are ordered by, before that one; the latest studies come first.
    returned
        Tags that every answer has where a file states them (PS3.18 tables 10.6.3-3 to 10.6.3-5).
    own
        Tags of all attributes that members of the level have in common (PS3.3 A.1.2); empty stands for all there are.

    """

    depth: Depth
    uid: str
    order: tuple[str, ...]
    returned: tuple[str, ...]
    own: frozenset[str] = frozenset()

    def has(self, tag: str) -> bool:
        """Return whether an attribute is one of this level."""
        return not self.own or tag in self.own or tag in self.returned


_OF_A_STUDY = frozenset(
    _tags(
        "StudyDate", "StudyTime", "AccessionNumber", "IssuerOfAccessionNumberSequence", "ReferringPhysicianName",
        "ReferringPhysicianIdentificationSequence", "ConsultingPhysicianName", "TimezoneOffsetFromUTC",
        "StudyDescription", "ProcedureCodeSequence", "PhysiciansOfRecord", "NameOfPhysiciansReadingStudy",
        "RequestingServiceCodeSequence", "ReferencedStudySequence", "ReasonForPerformedProcedureCodeSequence",
        "AdmittingDiagnosesDescription", "AdmittingDiagnosesCodeSequence", "PatientName", "PatientID",
        "IssuerOfPatientID", "TypeOfPatientID", "IssuerOfPatientIDQualifiersSequence", "PatientBirthDate",
        "PatientBirthTime", "PatientSex", "OtherPatientIDs", "OtherPatientNames",
        "OtherPatientIDsSequence", "PatientAge", "PatientSize", "PatientWeight", "PatientBodyMassIndex", "Occupation",
        "AdditionalPatientHistory", "EthnicGroup", "PatientComments", "PatientSpeciesDescription",
        "PatientBreedDescription", "ResponsiblePerson", "ResponsiblePersonRole", "ResponsibleOrganization",
        "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence", "AdmissionID",
        "ServiceEpisodeID", "ServiceEpisodeDescription", "PatientState", "PregnancyStatus", "MedicalAlerts",
        "Allergies", "SmokingStatus", "LastMenstrualDate", "PatientSexNeutered", "ClinicalTrialSponsorName",
        "ClinicalTrialProtocolID", "ClinicalTrialProtocolName", "ClinicalTrialSiteID", "ClinicalTrialSiteName",
        "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID", "ClinicalTrialTimePointID",
        "ClinicalTrialTimePointDescription", "StudyInstanceUID", "StudyID",
    )
)  # fmt: skip
_OF_A_SERIES = frozenset(
    _tags(
        "Modality", "SeriesDate", "SeriesTime", "SeriesDescription", "SeriesDescriptionCodeSequence",
        "PerformingPhysicianName", "OperatorsName", "ReferencedPerformedProcedureStepSequence", "BodyPartExamined",
        "ProtocolName", "PatientPosition", "SeriesInstanceUID", "SeriesNumber", "Laterality",
        "RequestAttributesSequence", "PerformedProcedureStepID", "PerformedProcedureStepStartDate",
        "PerformedProcedureStepStartTime", "PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime",
        "PerformedProcedureStepDescription", "PerformedProtocolCodeSequence", "CommentsOnThePerformedProcedureStep",
        "FrameOfReferenceUID", "PositionReferenceIndicator", "Manufacturer", "InstitutionName", "InstitutionAddress",
        "StationName", "InstitutionalDepartmentName", "ManufacturerModelName", "DeviceSerialNumber",
        "SoftwareVersions", "GantryID", "ClinicalTrialSeriesID", "ClinicalTrialSeriesDescription",
        "TimezoneOffsetFromUTC",
    )
)  # fmt: skip

STUDY = Level(
    Depth.STUDY,
    "StudyInstanceUID",
    ("StudyDate DESC NULLS LAST", "StudyTime DESC NULLS LAST"),
    _tags(
        "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientName", "PatientID",
        "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID", "StudyDescription",
    ),
    _OF_A_STUDY,
)  # fmt: skip
SERIES = Level(
    Depth.SERIES,
    "SeriesInstanceUID",
    ("StudyInstanceUID", "SeriesNumber NULLS LAST"),
    _tags("Modality", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber", "BodyPartExamined"),
    _OF_A_SERIES,
)
INSTANCE = Level(
    Depth.INSTANCE,
    "SOPInstanceUID",
    ("StudyInstanceUID", "SeriesInstanceUID", "InstanceNumber NULLS LAST"),
    _tags("SOPClassUID", "SOPInstanceUID", "InstanceNumber", "Rows", "Columns", "BitsAllocated", "NumberOfFrames"),
)
LEVELS = (STUDY, SERIES, INSTANCE)


COPY = "CASE WHEN status IN ('ok', 'no_image', 'issues') THEN '0' ELSE '1' END || path"
"""Of copies of an instance, the least by this stands for it: one that is not damaged, the first by path."""


def between(above: Depth | None, level: Level) -> Iterable[Level]:
    """Return the levels whose attributes an answer has: from below the one that the address names to its own."""
    first = 0 if above is None else above + 1
    return LEVELS[first : level.depth + 1]


def retrieve_url(base: str, uids: Mapping[str, Any], level: Level) -> str:
    """Return the address of a member of a level.

    Parameters
    ----------
    base
        Of the service, without a slash at the end.
    uids
        The unique identifiers, by column, of the member and those above it.
    level
        Its level.

    """
    named = zip(LEVELS, ("studies", "series", "instances"), strict=True)
    steps = ((name, uids[one.uid]) for one, name in named if one.depth <= level.depth)
    return base + "".join(f"/{name}/{quote(str(uid), safe='')}" for name, uid in steps)
