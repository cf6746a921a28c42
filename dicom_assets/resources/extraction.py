"""What is extracted, and how, as a Dagster resource."""

from dagster import ConfigurableResource
from pydantic import Field

from dicom_assets.dicom.thumbnail import ThumbnailOptions
from dicom_assets.extract.extractors import Extractor, HeaderExtractor, MetadataExtractor, ThumbnailExtractor


class ExtractionResource(ConfigurableResource):  # type: ignore[type-arg]
    """Options of the extraction. A changed option makes the rows that it shapes stale."""

    sha256: bool = Field(default=False, description="Hash the content of every file, which reads it whole.")
    thumbnail_size: int = Field(default=256, ge=16, le=2048, description="Long side of a thumbnail in pixels.")

    def extractors(self) -> tuple[Extractor, ...]:
        """Return the extractors, in the order of their tables."""
        return (
            MetadataExtractor(sha256=self.sha256),
            HeaderExtractor(),
            ThumbnailExtractor(ThumbnailOptions(size=self.thumbnail_size)),
        )
