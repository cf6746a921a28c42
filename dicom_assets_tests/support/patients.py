"""Archives of patients with studies and series: small real DICOM files, whose identifiers a test chooses."""

import io
import os
from collections.abc import Mapping
from pathlib import Path

import pydicom

from dicom_assets.delta.lake import Lake
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.database import Catalog
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.whole import tiny_dicom

WHEN = 1_700_000_000.0


def instance(number: int, **attributes) -> bytes:
    """Return an image of 8 x 8 pixels; an attribute that is ``None`` is left out."""
    image = pydicom.dcmread(io.BytesIO(tiny_dicom(number)))
    for keyword, value in attributes.items():
        if value is not None:
            setattr(image, keyword, value)
        elif keyword in image:
            delattr(image, keyword)
    if image.get("SOPInstanceUID"):
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    sink = io.BytesIO()
    image.save_as(sink, enforce_file_format=True)
    return sink.getvalue()


def put_instance(path: Path, number: int, when: float = WHEN, **attributes) -> Path:
    """Put an image into an archive."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(instance(number, **attributes))
    os.utime(path, (when, when))
    return path


def fill(archive: Path, patients: int = 10, series: int = 2, instances: int = 2) -> None:
    """Fill an archive: for each patient a folder, a study, some series and instances.

    Patient ``n`` is ``Pn``; odd ones are CT, even ones MR; the study is ``1.n``, its series ``1.n.s``.
    """
    for patient in range(patients):
        for one in range(series):
            for number in range(instances):
                put_instance(
                    archive / f"p{patient}" / f"{one}-{number}.dcm",
                    patient * 100 + one * 10 + number,
                    PatientID=f"P{patient}",
                    StudyInstanceUID=f"1.{patient}",
                    SeriesInstanceUID=f"1.{patient}.{one}",
                    SOPInstanceUID=f"1.{patient}.{one}.{number}",
                    Modality="CT" if patient % 2 else "MR",
                    InstanceNumber=number + 1,
                )


def catalog_of(archive: Path | str, root: Path | str, options: Mapping[str, str] | None = None) -> Catalog:
    """Bring the catalog of an archive up to date, in this process, and return it."""
    lake = Lake(str(root), storage_options=dict(options or {}))
    update_catalog(str(archive), lake, engine=InProcess(), allow_mass_deletion=True)
    return Catalog(lake)
