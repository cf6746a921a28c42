"""A whole deployment in a temporary folder: archive, lake, definitions, instance; runs happen in this process."""

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow as pa
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.partitions import PREFIXES, register_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.runs import range_tags
from dicom_assets.tables import KEY

TABLES_OF_FILES = tuple(table.name for table in DEFAULT_MODEL.tables if table.key == KEY)
"""Those that have a row for each file."""

_VOLATILE = {"indexed_at", "removed_at", "run_id", "made_at"}
"""Columns that tell when we looked and who did, which differs between two catalogs of one archive."""


def tiny_dicom(number: int, **attributes: object) -> bytes:
    """Return a whole, valid image of 8 x 8 pixels, of a series of its own unless attributes say otherwise.

    The number shows in header and pixels.
    """
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
    image = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID, image.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    image.PatientID, image.Modality, image.InstanceNumber = f"P{number}", "OT", number
    image.StudyInstanceUID, image.SeriesInstanceUID = f"1.2.4.{number}", f"1.2.5.{number}"
    image.Rows = image.Columns = 8
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
    image.PixelData = ((np.arange(64) * (number % 50 + 1)) % 256).astype(np.uint8).tobytes()
    for keyword, value in attributes.items():
        setattr(image, keyword, value)
    meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    sink = io.BytesIO()
    image.save_as(sink, enforce_file_format=True)
    return sink.getvalue()


def put(path: Path, number: int, when: float | None = None, **attributes: object) -> None:
    """Put an image into an archive, with a time of last modification or as of now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tiny_dicom(number, **attributes))
    if when is not None:
        os.utime(path, (when, when))


@dataclass
class Deployment:
    """One archive with its catalog.

    Attributes
    ----------
    instance, source, root
        Of Dagster; the archive; the lake.
    checked
        Whether steps of their own check what a run made. Without them it takes half as long, and shows as much of all
        else.

    """

    instance: dg.DagsterInstance
    source: Path
    root: str
    checked: bool = True

    def __post_init__(self):
        self.archive = ArchiveResource(source=str(self.source), prefix_depth=1)
        self.lake_resource = LakeResource(root_uri=self.root)
        self.definitions = build_definitions(self.archive, self.lake_resource)
        self.lake: Lake = self.lake_resource.open()

    @property
    def keys(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions(PREFIXES.name))

    def register(self) -> None:
        register_prefixes(self.instance, self.archive.open().prefixes())

    def run(self, first: str, last: str, selection: Sequence[str] | None = None, tags=None, **options):
        """Materialize a range of partitions; raises when the run fails."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        keys = None if selection is None else [dg.AssetKey(name) for name in selection]
        if not self.checked:
            assets = set(job.asset_layer.executable_asset_keys if keys is None else keys)
            made = [one for one in self.definitions.assets if isinstance(one, dg.AssetsDefinition)]
            own = {check for one in made if one.keys & assets for check in one.check_keys}
            job, keys = job.get_subset(asset_selection=assets, asset_check_selection=own), None
        tags = {**range_tags(first, last), **(tags or {})}
        return job.execute_in_process(instance=self.instance, asset_selection=keys, tags=tags, **options)

    def run_all(self, **options):
        self.register()
        return self.run(self.keys[0], self.keys[-1], **options)


def contents(lake: Lake) -> dict[str, list[dict]]:
    """Return all rows of all tables in the order of their keys, without what tells when they were made."""
    found = {}
    for table in DEFAULT_MODEL.tables:
        names = [name for name in table.schema.names if name not in _VOLATILE]
        batches = [batch for _, batch in lake.snapshot(table).rows(names)]
        schema = pa.schema([table.schema.field(name) for name in names])
        rows = pa.Table.from_batches(batches, schema).sort_by([(name, "ascending") for name in table.identity])
        found[table.name] = rows.to_pylist()
    return found


def paths_of(lake: Lake) -> dict[str, list[str]]:
    """Return the paths that each table of files holds."""
    return {name: [row["path"] for row in rows] for name, rows in contents(lake).items() if name in TABLES_OF_FILES}
