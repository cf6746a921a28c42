"""Source and lake, as the user wrote them: checked before anything is done."""

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.cli.errors import refuse
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.storage.addresses import absolute, is_remote, is_within


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files are, how they are found there, and where the tables go."""

    source: str
    lake: str
    schema: str
    cut: PrefixCut
    follow_outside_links: bool = False
    containers: bool = True
    inventory: str = ""

    @property
    def archive_resource(self) -> ArchiveResource:
        """Return the Dagster resource of the source."""
        return ArchiveResource(
            source=self.source,
            prefix_depth=self.cut.depth,
            prefix_chars=self.cut.chars,
            follow_outside_links=self.follow_outside_links,
            containers=self.containers,
            inventory=self.inventory,
        )

    @property
    def lake_resource(self) -> LakeResource:
        """Return the Dagster resource of the lake."""
        return LakeResource(root_uri=self.lake, schema_name=self.schema)


def checked_places(written: Places) -> Places:
    """Return the places of a catalog, whatever folder they are seen from, or end the command with what is wrong."""
    places = replace(written, source=absolute(written.source), lake=absolute(written.lake))
    if not is_remote(places.source):
        _check_source(Path(places.source))
    tables = f"{places.lake}/{places.schema}"
    if is_within(tables, places.source) or is_within(places.lake, places.source):
        refuse(f"the lake {places.lake} is inside the source {places.source}: it would catalog itself")
    if is_within(places.source, tables):
        refuse(f"the source {places.source} is inside the tables at {tables}: they would be mixed with the files")
    if not is_remote(places.lake):
        _check_writable(Path(places.lake))
    return places


def _check_source(source: Path) -> None:
    if not source.exists():
        refuse(f"the source {source} does not exist")
    if not source.is_dir():
        refuse(f"the source {source} is a file; name the folder that holds it")
    if not os.access(source, os.R_OK | os.X_OK):
        refuse(f"the source {source} cannot be read: permission denied")


def _check_writable(lake: Path) -> None:
    try:
        lake.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=lake):
            pass
    except OSError as error:
        refuse(f"the lake {lake} is not writable: {error.strerror}")
