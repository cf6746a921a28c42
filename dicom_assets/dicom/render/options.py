"""What a deployment may choose about thumbnails, and the limits that hold whatever a file says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dicom_assets.dicom.render.execute import execute_plan
from dicom_assets.dicom.render.plan import Rendered, RenderPlan

Renderer = Callable[[RenderPlan, Sequence[bytes]], Rendered]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost.

    Attributes
    ----------
    max_pixels
        Of a frame, or of a whole slide's level: by the header, and by the codestream itself. The default admits
        any radiograph and a slide's level of 8192 by 8192.
    max_bytes
        Read from one file for its thumbnail.
    seconds
        For decoding and rendering an encoded frame.
    memory_bytes
        That decoding may ask for, beyond what an idle decoder process has.

    """

    max_pixels: int = 1 << 26
    max_bytes: int = 1 << 28
    seconds: float = 30.0
    memory_bytes: int = 2 << 30


@dataclass(frozen=True, slots=True)
class ThumbnailOptions:
    """How thumbnails look and what they may cost.

    Attributes
    ----------
    longest_side
        In pixels; smaller frames keep their size.
    jpeg_quality
        1 to 95.
    limits
        What one file may cost.
    renderer
        Runs in the decoder process; it and its process are found by its module and name, so it must be a function
        at the top of an importable module. Another one than the default lets a deployment add a decoder, and a
        test let one crash.

    """

    longest_side: int = 256
    jpeg_quality: int = 90
    limits: Limits = field(default_factory=Limits)
    renderer: Renderer = execute_plan
