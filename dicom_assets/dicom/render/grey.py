"""The grey pipeline: Modality, VOI and Presentation transformations of one frame (PS3.3 C.11, PS3.4 N.2)."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from dicom_assets.dicom.pixels.decoded import Decoded, Extent
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.native import Samples
from dicom_assets.dicom.render.resize import Picture, average_picture, average_values

Floats = npt.NDArray[Any]

PERCENTILES = (1.0, 99.0)
_SAMPLED_PIXELS = 1 << 16


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056), PS3.3 C.11.2.1.2 and C.11.2.1.3."""

    LINEAR = "LINEAR"
    """Window Width counts values, so that one less of them makes the slope; the default."""
    LINEAR_EXACT = "LINEAR_EXACT"
    """Window Width is the length of the slope."""
    SIGMOID = "SIGMOID"
    """A logistic curve; no value is ever quite black or white."""


@dataclass(frozen=True, slots=True)
class Rescale:
    """Rescale Slope and Intercept (PS3.3 C.11.1.1.2)."""

    slope: float = 1.0
    intercept: float = 0.0

    linear: ClassVar[bool] = True

    @property
    def step(self) -> float:
        """Difference of the modality values of neighbouring stored ones."""
        return abs(self.slope)

    @property
    def goes_below_zero(self) -> bool:
        """Whether unsigned stored values can have negative modality values."""
        return self.intercept < 0

    def __call__(self, values: Floats) -> Floats:
        """Return modality values of stored ones."""
        modality: Floats = values * self.slope + self.intercept
        return modality


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """A Modality or VOI LUT (PS3.3 C.11.1.1.1, C.11.2.1.1).

    Attributes
    ----------
    first
        The input value that the first entry belongs to; smaller ones take it too.
    entries
        The table, unsigned.
    bits
        Of an entry; the range of a VOI LUT's output.

    """

    first: int
    entries: npt.NDArray[np.uint16]
    bits: int

    linear: ClassVar[bool] = False
    step: ClassVar[float] = 0.0
    goes_below_zero: ClassVar[bool] = False
    window: ClassVar[None] = None

    def __call__(self, values: Floats) -> Floats:
        """Return the entries for values; those beyond the table take its last entry."""
        index = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        output: Floats = self.entries[index].astype(np.float64)
        return output

    def levels(self, values: Floats) -> Floats:
        """Return display values from 0 to 1."""
        return self(values) / ((1 << self.bits) - 1)


@dataclass(frozen=True, slots=True)
class Window:
    """Window Center and Window Width (PS3.3 C.11.2.1.2).

    Attributes
    ----------
    center, width
        In modality values.
    function
        VOI LUT Function.

    """

    center: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR

    @property
    def linear(self) -> bool:
        """Whether the mean of values within the window is shown as the mean of their levels."""
        return self.function is not VoiFunction.SIGMOID

    @property
    def window(self) -> "Window":
        """The window itself; a VOI LUT has none."""
        return self

    @property
    def usable(self) -> bool:
        """Whether the width is one that the standard allows: at least 1 for LINEAR, above 0 otherwise."""
        return self.width >= 1 if self.function is VoiFunction.LINEAR else self.width > 0

    @property
    def slope_width(self) -> float:
        """How many modality values lie between black and white; 0 where the window is a threshold."""
        return max(0.0, self.width - 1) if self.function is VoiFunction.LINEAR else self.width

    def levels(self, values: Floats) -> Floats:
        """Return display values from 0 to 1."""
        if self.function is VoiFunction.SIGMOID:
            exponent = np.clip(-4 * (values - self.center) / self.width, -700, 700)
            return 1 / (1 + np.exp(exponent))
        if self.function is VoiFunction.LINEAR_EXACT:
            return np.clip((values - self.center) / self.width + 0.5, 0, 1)
        if self.width <= 1:
            return (values > self.center - 0.5).astype(np.float64)
        return np.clip((values - (self.center - 0.5)) / (self.width - 1) + 0.5, 0, 1)


@dataclass(frozen=True, slots=True)
class Padding:
    """Stored values that are no image (PS3.3 C.7.5.1.1.2): from `low` to `high`, both included."""

    low: float
    high: float

    def mask(self, stored: Samples) -> npt.NDArray[np.bool_]:
        """Return where stored values are padding."""
        if self.low == self.high:
            found: npt.NDArray[np.bool_] = stored == self.low
            return found
        return (stored >= self.low) & (stored <= self.high)


@dataclass(frozen=True, slots=True)
class GreyPipeline:
    """How stored values of one frame become grey levels.

    Attributes
    ----------
    modality
        Rescale or Modality LUT.
    voi
        Window or VOI LUT; ``None`` where the header has none that is usable.
    inverted
        Whether low values are bright (MONOCHROME1, or Presentation LUT Shape INVERSE).
    padding
        Stored values to leave out, shown black.
    exact
        Whether `voi` holds whatever it makes of the frame: a person asked for it, not a header.

    """

    modality: Rescale | LookupTable = Rescale()
    voi: Window | LookupTable | None = None
    inverted: bool = False
    padding: Padding | None = None
    exact: bool = False

    lossless: ClassVar[bool] = False

    @property
    def averages_first(self) -> bool:
        """Whether stored values may be averaged before they are windowed.

        True where the chain is linear within the window. Padding would bleed into its neighbours, and the mean of
        two entries of a table is not the entry of their mean.
        """
        return self.modality.linear and (self.voi is None or self.voi.linear) and self.padding is None

    @property
    def step(self) -> float:
        """Half a grey level in stored values, which no one sees; 0 where the header does not tell."""
        if not self.averages_first or self.window is None or not self.modality.step:
            return 0.0
        return self.window.width / 255 / 2 / self.modality.step

    @property
    def window(self) -> Window | None:
        """The window that the header states, ``None`` where it has a VOI LUT or neither."""
        return self.voi.window if self.voi is not None else None

    def may_be_reduced(self, layout: PixelLayout) -> bool:
        """Tell whether the mean of values is the value of their mean."""
        return self.averages_first and not layout.floating

    def fill(self, tile: Decoded, photometric: str, *, white: bool) -> int:  # noqa: ARG002 - part of the protocol
        """Return 0."""
        return 0

    def render(self, frame: Decoded, photometric: str, size: tuple[int, int]) -> tuple[Picture, Window | None]:  # noqa: ARG002 - part of the protocol
        """Return grey levels, and the window that made them."""
        grey = render_grey(frame.plane(), self, size, frame.extent)
        return grey.levels, grey.window


@dataclass(frozen=True, slots=True, eq=False)
class GreyPicture:
    """Grey levels and the window that made them, ``None`` when a VOI LUT did or the frame has one value only."""

    levels: Picture
    window: Window | None


def render_grey(
    stored: Samples, pipeline: GreyPipeline, size: tuple[int, int], extent: Extent | None = None
) -> GreyPicture:
    """Render a frame as 8-bit grey of a size.

    Without a usable window the 1st to 99th percentile of what is no padding is stretched; so it is when the given
    window leaves the frame flat, or two levels of what has more values than two, unless it was asked for.

    Parameters
    ----------
    stored
        Stored values, shape ``(rows, columns)``, integers or floats.
    pipeline
        The transformations.
    size
        Rows and columns of the result.
    extent
        Where the picture lies in its samples.

    Returns
    -------
    GreyPicture
        Levels of shape `size`.

    """
    if pipeline.voi is not None and pipeline.exact:
        return GreyPicture(_levels(stored, pipeline, size, extent), pipeline.window)
    if pipeline.voi is not None and not _is_threshold(stored, pipeline):
        levels = _levels(stored, pipeline, size, extent)
        if np.ptp(levels) > 1 and not _has_two_levels_of_many(levels, stored, pipeline):
            return GreyPicture(levels, pipeline.window)
    window = percentile_window(stored, pipeline)
    if window is None:
        return GreyPicture(np.zeros(size, np.uint8), None)
    return GreyPicture(_levels(stored, replace(pipeline, voi=window), size, extent), window)


def _is_threshold(stored: Samples, pipeline: GreyPipeline) -> bool:
    """Tell whether no stored value can come out between black and white, by the window alone.

    So it is of a LINEAR window of width 1, and of integers under one whose slope is no wider than the step from one
    of them to the next.
    """
    if pipeline.window is None or not pipeline.modality.linear:
        return False
    step = pipeline.modality.step if stored.dtype.kind in "iu" else 0.0
    return pipeline.window.slope_width <= step


def _has_two_levels_of_many(levels: Picture, stored: Samples, pipeline: GreyPipeline) -> bool:
    """Tell whether a window has made two levels of a frame that has more values than two."""
    if pipeline.window is None or _has_between(levels):
        return False
    return _has_between(stored[np.isfinite(stored)] if stored.dtype.kind == "f" else stored)


def _has_between(values: Samples) -> bool:
    """Tell whether there is a value between the smallest and the largest."""
    return bool(values.size and ((values > values.min()) & (values < values.max())).any())


def percentile_window(stored: Samples, pipeline: GreyPipeline) -> Window | None:
    """Return the window from the 1st to the 99th percentile of a frame, ``None`` when all its values are equal.

    Large frames are sampled on a regular grid of rows. Where the percentiles coincide, as for a few bright spots on
    black, smallest and largest value take their place.
    """
    step = max(1, stored.size // _SAMPLED_PIXELS)
    for sample in (stored[::step], stored) if step > 1 else (stored,):
        kept = sample[~pipeline.padding.mask(sample)] if pipeline.padding else sample
        values = pipeline.modality(np.asarray(kept, np.float64).ravel())
        values = values[np.isfinite(values)]
        if not values.size:
            continue
        low, high = np.percentile(values, PERCENTILES)
        if low == high:
            low, high = values.min(), values.max()
        if low < high:
            return Window(float(low + high) / 2, float(high - low), VoiFunction.LINEAR_EXACT)
    return None


def _levels(stored: Samples, pipeline: GreyPipeline, size: tuple[int, int], extent: Extent | None) -> Picture:
    """Return the levels of a pipeline that has a VOI transformation, at a size."""
    if pipeline.averages_first and stored.dtype.kind in "iu":
        return _to_levels(average_values(stored, size, extent), pipeline)
    if stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2:
        full = _by_table(stored, pipeline)
    else:
        full = _to_levels(np.where(np.isnan(stored), -np.inf, stored).astype(np.float64), pipeline)
        if pipeline.padding is not None:
            full[pipeline.padding.mask(stored)] = 0
    return average_picture(full, size, extent)


def _by_table(stored: Samples, pipeline: GreyPipeline) -> Picture:
    """Return levels by way of a table of every value that occurs: at most 65,536 of them, however many pixels."""
    low, high = int(stored.min()), int(stored.max())
    domain = np.arange(low, high + 1)
    table = _to_levels(domain.astype(np.float64), pipeline)
    if pipeline.padding is not None:
        table[pipeline.padding.mask(domain)] = 0
    # Subtraction of unsigned words wraps around to the right index for signed values, too.
    unsigned = np.dtype(f"u{stored.dtype.itemsize}")
    levels: Picture = table.take(stored.view(unsigned) - unsigned.type(low % (1 << 8 * unsigned.itemsize)))
    return levels


def _to_levels(values: Floats, pipeline: GreyPipeline) -> Picture:
    assert pipeline.voi is not None
    levels = pipeline.voi.levels(pipeline.modality(values))
    if pipeline.inverted:
        levels = 1 - levels
    # Half a level goes down, so that black stays black.
    rounded: Picture = np.ceil(levels * 255 - 0.5).astype(np.uint8)
    return rounded
