"""The archive as a Dagster resource: where the source files are."""

from dagster import ConfigurableResource
from pydantic import Field

from dicom_assets.archive.base import Archive
from dicom_assets.archive.opening import open_archive


class ArchiveResource(ConfigurableResource):  # type: ignore[type-arg]
    """Source files below a folder or bucket URI."""

    source: str = Field(description="Folder, or URI of an object store, that holds the DICOM files.")
    prefix_depth: int = Field(default=1, description="How many directories below the source make a partition.")
    follow_outside_links: bool = Field(
        default=False,
        description="Whether symbolic links are followed that lead out of the folder.",
    )
    storage_options: dict[str, str] = Field(
        default_factory=dict,
        description="Options of the object store; without any, its usual environment variables count.",
    )

    def open(self, lake: str = "") -> Archive:
        """Return the archive; raises ``ArchiveError`` when source or depth cannot be meant.

        Parameters
        ----------
        lake
            Root of the lake that the files are cataloged in, which is no part of the archive.

        """
        return open_archive(
            self.source,
            self.prefix_depth,
            self.storage_options,
            lake=lake,
            follow_outside_links=self.follow_outside_links,
        )
