"""All that one object says of others, in one walk over its items: :func:`read_related`."""

from dataclasses import replace

from dicom_assets.dicom.frames import PER_FRAME_GROUPS, SHARED_GROUPS
from dicom_assets.dicom.header import Header, JsonDataset
from dicom_assets.dicom.header.limits import DEFAULT_LIMITS
from dicom_assets.dicom.pixels.attributes import items
from dicom_assets.dicom.references.bounds import DEFAULT_BOUNDS, ReferenceBounds
from dicom_assets.dicom.references.budget import within_budget
from dicom_assets.dicom.references.collect import ReferenceCollector
from dicom_assets.dicom.references.model import Related
from dicom_assets.dicom.references.regions import ROI_CONTOURS, STRUCTURE_SET_ROIS, RegionCollector
from dicom_assets.dicom.references.segments import SEGMENTS, SegmentCollector
from dicom_assets.dicom.references.sop_classes import is_about_others
from dicom_assets.dicom.references.walk import ItemWalk

_SOP_CLASS = "00080016"
_SOURCE_IMAGES = "00082112"
_DERIVATION_IMAGES = "00089124"
_FUNCTIONAL_GROUPS = (SHARED_GROUPS, PER_FRAME_GROUPS)

_LIMITS = replace(DEFAULT_LIMITS, number_bytes=64)
"""Coordinates of contours, which are most of a structure set, are passed over; numbers of frames are short or few."""

_NOTHING = Related()


def read_related(header: Header, bounds: ReferenceBounds = DEFAULT_BOUNDS) -> Related:
    """Return what an object refers to, and the segments or regions of interest that it defines.

    Of objects that are about others (segmentations, structure sets, plans, doses, records, reports, key objects,
    presentation states, parametric maps, registrations and their like) these are all references, wherever they stand.
    Of others, which are images for the most part, they are those to the images that they were made from: Source Image
    Sequence (PS3.3 C.7.6.1.1.4, C.7.6.16.2.6). Whatever else such a one refers to, its localizers for the most part, is
    in its header.

    Parameters
    ----------
    header
        As :func:`~dicom_assets.dicom.header.read_header` returns it. Items that it does not keep are read from its
        body.
    bounds
        Where to stop.

    Raises
    ------
    OSError
        If the source does. Nothing else is raised, whatever the file holds.

    """
    sop_class = header.first(_SOP_CLASS)
    if isinstance(sop_class, str) and is_about_others(sop_class):
        return _of_object(header, bounds)
    return _of_image(header, bounds)


def _of_object(header: Header, bounds: ReferenceBounds) -> Related:
    header = within_budget(header, bounds.bytes)
    walk = ItemWalk(header, bounds.items, limits=_LIMITS)
    found = ReferenceCollector(header, bounds)
    segments = SegmentCollector(header, bounds.entries) if SEGMENTS in header.dataset else None
    regions = RegionCollector(header, bounds.entries) if STRUCTURE_SET_ROIS in header.dataset else None
    for visited in walk:
        found.add(visited)
        if segments is not None and visited.tags == (SEGMENTS,):
            segments.add(visited.item)
        elif segments is not None and visited.tags == (PER_FRAME_GROUPS,):
            segments.add_frame(visited.item)
        elif regions is not None:
            regions.add(visited)
    cut = walk.incomplete | found.incomplete
    if segments is not None and segments.is_full:
        cut[SEGMENTS] = None
    if regions is not None and regions.is_full:
        cut[STRUCTURE_SET_ROIS] = None
    return Related(
        references=found.references() or None,
        segments=None if segments is None else segments.segments(counted=PER_FRAME_GROUPS not in walk.incomplete),
        regions=None if regions is None else regions.regions(counted=ROI_CONTOURS not in walk.incomplete),
        incomplete=tuple(cut),
    )


def _of_image(header: Header, bounds: ReferenceBounds) -> Related:
    dataset = header.dataset
    among = [tag for tag in _FUNCTIONAL_GROUPS if tag in dataset and _names_sources(dataset, tag)]
    if _SOURCE_IMAGES in dataset:
        among.append(_SOURCE_IMAGES)
    if not among:
        return _NOTHING
    header = within_budget(header, bounds.bytes)
    walk = ItemWalk(header, bounds.items, among, _LIMITS)
    found = ReferenceCollector(header, bounds)
    for visited in walk:
        if visited.tags[-1] == _SOURCE_IMAGES:
            found.add(visited)
    return Related(found.references() or None, incomplete=tuple(walk.incomplete | found.incomplete))


def _names_sources(dataset: JsonDataset, groups: str) -> bool:
    """Say whether functional groups name source images: what one frame has, all have (PS3.3 C.7.6.16.1.2)."""
    return any(_DERIVATION_IMAGES in item for item in items(dataset, groups)[:1])
