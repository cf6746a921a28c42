"""Which grey transformations a header asks for, for one of its frames (PS3.3 C.11, C.7.6.16.2.9, C.7.6.16.2.10)."""

from collections.abc import Iterator, Sequence
from itertools import islice

from dicom_assets.dicom.frames import PER_FRAME_GROUPS, all_frame_groups
from dicom_assets.dicom.header import Header, JsonDataset, values
from dicom_assets.dicom.pixels.attributes import (
    functional_group,
    functional_group_item,
    items,
    number,
    numbers,
    text,
)
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.render.grey import GreyPipeline, LookupTable, Padding, Rescale, VoiFunction, Window
from dicom_assets.dicom.render.tables import read_lookup_table

_PIXEL_VALUE_TRANSFORMATION = "00289145"
_FRAME_VOI_LUT = "00289132"
_DOSE_GRID_SCALING = "3004000E"


def read_grey_pipeline(header: Header, layout: PixelLayout, frame: int) -> GreyPipeline:
    """Return the transformations of one frame of a MONOCHROME1 or MONOCHROME2 image.

    What the functional groups of an enhanced object say of the frame goes before what stands at the top.

    Parameters
    ----------
    header
        Of the image.
    layout
        Of its frames.
    frame
        Index of the frame, from 0.

    Raises
    ------
    OSError
        When the storage fails while a lookup table is read.

    """
    modality = _modality(header, layout, functional_group(header, frame, _PIXEL_VALUE_TRANSFORMATION))
    below_zero = layout.signed or modality.goes_below_zero
    return GreyPipeline(
        modality=modality,
        voi=_voi(header, frame, signed_input=below_zero),
        inverted=is_inverted(header, layout),
        padding=_padding(header, layout),
    )


def is_inverted(header: Header, layout: PixelLayout) -> bool:
    """Tell whether low values are shown bright.

    Presentation LUT Shape (PS3.3 C.11.6.1.2) and MONOCHROME1 state the same thing, so it is done once.
    """
    shape = text(header.dataset, "20500020").upper()
    return shape == "INVERSE" or (shape != "IDENTITY" and layout.photometric == "MONOCHROME1")


def modality_transforms(header: Header, layout: PixelLayout, frames: Sequence[int]) -> list[Rescale | LookupTable]:
    """Return the Modality transformation of each of some frames (PS3.3 C.11.1, C.7.6.16.2.9).

    The functional groups are gone through once, however many frames there are.

    Parameters
    ----------
    header, layout
        Of the image.
    frames
        Indices of the frames, from 0.

    Raises
    ------
    OSError
        When the storage fails while a table or the groups are read.

    """
    shared = functional_group_item(header, None, _PIXEL_VALUE_TRANSFORMATION)
    if PER_FRAME_GROUPS not in header.dataset:
        return [_modality(header, layout, shared)] * len(frames)
    wanted = frozenset(frames)
    own = {
        frame: functional_group_item(header, groups, _PIXEL_VALUE_TRANSFORMATION)
        for frame, groups in enumerate(islice(all_frame_groups(header), max(frames, default=-1) + 1))
        if frame in wanted
    }
    return [_modality(header, layout, own.get(frame, shared)) for frame in frames]


def _modality(header: Header, layout: PixelLayout, group: JsonDataset) -> Rescale | LookupTable:
    for dataset in (group, header.dataset):
        for item in items(dataset, "00283000"):
            table = read_lookup_table(header, item, signed_input=layout.signed)
            if table is not None:
                return table
        slope, intercept = numbers(dataset, "00281053"), numbers(dataset, "00281052")
        # A slope of 0 would make every image flat; such headers mean that there is no rescale.
        if slope and slope[0] != 0:
            return Rescale(slope[0], intercept[0] if intercept else 0.0)
    scaling = numbers(header.dataset, _DOSE_GRID_SCALING)
    return Rescale(scaling[0]) if scaling and scaling[0] != 0 else Rescale()


def _voi(header: Header, frame: int, *, signed_input: bool) -> Window | LookupTable | None:
    group = functional_group(header, frame, _FRAME_VOI_LUT)
    for dataset in (group, header.dataset):
        for item in items(dataset, "00283010"):
            table = read_lookup_table(header, item, signed_input=signed_input)
            if table is not None:
                return table
        for window in _windows(dataset):
            return window
    return None


def _windows(dataset: JsonDataset) -> Iterator[Window]:
    """Yield the usable windows of a data set; the first is the one to show (PS3.3 C.11.2.1.2)."""
    name = text(dataset, "00281056").upper()
    function = VoiFunction(name) if name in set(VoiFunction) else VoiFunction.LINEAR
    for center, width in zip(values(dataset, "00281050"), values(dataset, "00281051"), strict=False):
        middle, extent = number(center), number(width)
        if middle is not None and extent is not None:
            window = Window(middle, extent, function)
            if window.usable:
                yield window


def _padding(header: Header, layout: PixelLayout) -> Padding | None:
    """Return the range of padding values: Pixel Padding Value up to Range Limit, in either order."""
    value, limit = ("00280122", "00280124") if layout.floating else ("00280120", "00280121")
    stated = numbers(header.dataset, value)[:1]
    if not stated:
        return None
    ends = [_as_stored(end, layout) for end in (*stated, *numbers(header.dataset, limit)[:1])]
    return Padding(min(ends), max(ends))


def _as_stored(value: float, layout: PixelLayout) -> float:
    """Return a padding value as pixels store it; its VR is often that of the other sign."""
    if layout.floating:
        return value
    if layout.signed:
        # 63536 stands for -2000 where 16 bits are stored as US.
        return value - (1 << 16) if value >= 1 << 15 else value
    return value + (1 << 16) if value < 0 and layout.bits_stored == 16 else value
