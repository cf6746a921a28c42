"""Archives of patients with studies and series: small real DICOM files, whose identifiers a test chooses."""

from pathlib import Path

from dicom_assets.delta.lake import Lake
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.database import Catalog
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.whole import put

WHEN = 1_700_000_000.0


def fill(archive: Path, patients: int = 10, series: int = 2, instances: int = 2) -> None:
    """Fill an archive: for each patient a folder, a study, some series and instances.

    Patient ``n`` is ``Pn``; odd ones are CT, even ones MR; the study is ``1.n``, its series ``1.n.s``.
    """
    for patient in range(patients):
        for one in range(series):
            for number in range(instances):
                put(
                    archive / f"p{patient}" / f"{one}-{number}.dcm",
                    patient * 100 + one * 10 + number,
                    WHEN,
                    PatientID=f"P{patient}",
                    StudyInstanceUID=f"1.{patient}",
                    SeriesInstanceUID=f"1.{patient}.{one}",
                    SOPInstanceUID=f"1.{patient}.{one}.{number}",
                    Modality="CT" if patient % 2 else "MR",
                    InstanceNumber=number + 1,
                )


def catalog_of(archive: Path | str, root: Path | str) -> Catalog:
    """Bring the catalog of an archive up to date, in this process, and return it."""
    lake = Lake(str(root))
    update_catalog(str(archive), lake, engine=InProcess(), allow_mass_deletion=True)
    return Catalog(lake)
