"""The archive as a Dagster resource: where the source files are."""

from typing import Any

from dagster import ConfigurableResource
from pydantic import Field

from dicom_assets.archive.base import Archive
from dicom_assets.archive.opening import open_archive
from dicom_assets.archive.prefetch import Prefetch
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.orchestration.resources.secrets import SECRET, hidden, revealed

_PREFETCH = Prefetch()


class ArchiveResource(ConfigurableResource):  # type: ignore[type-arg]
    """Source files below a folder or bucket URI.

    ``dagster.EnvVar`` is taken for every value, those of the storage options among them, and is the place for secrets.
    """

    source: str = Field(description="Folder, or URI of an object store, that holds the DICOM files.")
    prefix_depth: int = Field(default=1, description="How many directories below the source make a partition.")
    prefix_chars: int = Field(
        default=0,
        description="How many characters of the last of these directories count, 0 for all: folders that begin alike "
        "then make one partition.",
    )
    follow_outside_links: bool = Field(
        default=False,
        description="Whether symbolic links are followed that lead out of the folder.",
    )
    containers: bool = Field(
        default=True,
        description="Whether the files in ZIP and TAR files are cataloged.",
    )
    inventory: str = Field(
        default="",
        description="Path or URI of an inventory that stands in for listing a bucket, for one run.",
    )
    storage_options: dict[str, str] = Field(
        default_factory=dict,
        description="Options of the object store; without any, its usual environment variables count.",
        json_schema_extra=SECRET,
    )
    files_in_flight: int = Field(
        default=_PREFETCH.files,
        description="How many files of an object store, or of a folder on a network, each task has asked for, or in "
        "memory until their turn.",
    )
    mib_in_flight: int = Field(
        default=_PREFETCH.size >> 20, description="The most MiB of them; one file may always be in flight."
    )

    def __init__(self, **data: Any) -> None:
        super().__init__(**hidden(data))

    def open(self, lake: str = "") -> Archive:
        """Return the archive.

        Parameters
        ----------
        lake
            Root of the lake that the files are cataloged in, which is no part of the archive.

        Raises
        ------
        SourceConfigError
            No source is given, the cut cannot be, or nothing may be in flight.
        SecretNotSetError
            A value is to come from an environment variable that is not set.

        """
        return open_archive(
            revealed(self.source),
            PrefixCut(self.prefix_depth, self.prefix_chars),
            revealed(self.storage_options),
            lake=lake,
            follow_outside_links=self.follow_outside_links,
            containers=self.containers,
            inventory=self.inventory,
            prefetch=Prefetch(self.files_in_flight, self.mib_in_flight << 20),
        )
