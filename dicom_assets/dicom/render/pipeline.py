"""What every kind of picture can be asked, so that nothing else needs to know which kind it is.

A pipeline is a frozen value made from a header, and travels with its plan to where frames are decoded. There are five:
:class:`~dicom_assets.dicom.render.grey.GreyPipeline`, :class:`~dicom_assets.dicom.render.colour.Colour`,
:class:`~dicom_assets.dicom.render.colour.Palette`, :class:`~dicom_assets.dicom.render.masks.Mask` and
:class:`~dicom_assets.dicom.render.masks.Labels`.
"""

from typing import Protocol

from dicom_assets.dicom.pixels.decoded import Decoded
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.render.grey import Window
from dicom_assets.dicom.render.resize import Picture


class Pipeline(Protocol):
    """From the stored values of a frame to grey or colour."""

    @property
    def lossless(self) -> bool:
        """Whether every pixel of the picture is a statement, which JPEG would blur."""
        ...

    @property
    def step(self) -> float:
        """Difference of stored values that does not show; 0 where every bit counts."""
        ...

    def may_be_reduced(self, layout: PixelLayout) -> bool:
        """Tell whether frames may be decoded at a reduced resolution: where means of stored values mean something."""
        ...

    def fill(self, tile: Decoded, photometric: str, *, white: bool) -> list[int] | int:
        """Return the sample or samples of a pixel that no tile covers, in the space that tiles are in.

        White where there is none by design, as on a slide; black where it is missing. What has no white is 0.
        """
        ...

    def render(self, frame: Decoded, photometric: str, size: tuple[int, int]) -> tuple[Picture, Window | None]:
        """Return a frame at a size, and the window that was applied, ``None`` where none was.

        Parameters
        ----------
        frame
            As it was decoded.
        photometric
            Photometric Interpretation.
        size
            Rows and columns of the picture.

        Raises
        ------
        PixelError
            When the frame has not the samples per pixel that the header promised, or is in a space that is not
            supported.

        """
        ...
