"""What is extracted, and how: the options that a deployment sets."""

from dataclasses import dataclass, field

from dicom_assets.dicom.render.options import ThumbnailOptions
from dicom_assets.extract.extractors import Extractor, HeaderExtractor, MetadataExtractor, ThumbnailExtractor


@dataclass(frozen=True, slots=True)
class ExtractionOptions:
    """Options of the extraction. A changed option makes the rows that it shapes stale.

    Attributes
    ----------
    sha256
        Whether to hash the content of every file, which reads it whole.
    thumbnails
        How thumbnails look and what they may cost.

    """

    sha256: bool = False
    thumbnails: ThumbnailOptions = field(default_factory=ThumbnailOptions)

    def extractors(self) -> tuple[Extractor, ...]:
        """Return the extractors, in the order of their tables."""
        return (MetadataExtractor(self.sha256), HeaderExtractor(), ThumbnailExtractor(self.thumbnails))
