"""Icons: the small image that an object may carry besides, or instead of, its own (PS3.3 F.7, C.7.6.1.1.6)."""

import base64
from dataclasses import replace

from dicom_assets.dicom.header import Element, Header, JsonDataset, PixelElement
from dicom_assets.dicom.pixels.attributes import element_bytes, items
from dicom_assets.dicom.pixels.decoders import is_native
from dicom_assets.dicom.render.options import ThumbnailOptions
from dicom_assets.dicom.render.planning import Prepared, prepare
from dicom_assets.dicom.source import BytesSource

_ICON_IMAGE_SEQUENCE = "00880200"
_PIXEL_DATA = "7FE00010"
_ITEM = b"\xfe\xff\x00\xe0"


def prepare_icon(header: Header, options: ThumbnailOptions) -> Prepared | None:
    """Return what to render of an object's icon, ``None`` when it has none.

    Raises
    ------
    PixelError
        When the icon cannot be rendered.
    OSError
        When the storage fails.

    """
    for item in items(header.dataset, _ICON_IMAGE_SEQUENCE)[:1]:
        icon = icon_header(header, item)
        if icon is not None:
            return replace(prepare(icon, options), numbers=())
    return None


def icon_header(header: Header, item: JsonDataset) -> Header | None:
    """Return the header of an image inside a sequence, ``None`` when its pixels are not there.

    Its pixel data stands in the file, or in the header itself where it is short.
    """
    element = item.get(_PIXEL_DATA, {})
    vr = str(element.get("vr", "OW"))
    place = element.get("BulkData")
    if isinstance(place, dict) and header.body is not None:
        offset = int(place["offset"])
        encapsulated = not is_native(header.transfer_syntax) and header.body.read(offset, 4) == _ITEM
        length = None if encapsulated else int(place["length"])
        return replace(header, dataset=item, pixel=PixelElement(_PIXEL_DATA, vr, offset, length))
    data = element_bytes(header, element)
    if not data:
        return None
    # Positions count in the body, which is about to be another one: what else stands there comes along.
    inlined = {tag: _inlined(header, value) for tag, value in item.items()}
    pixel = PixelElement(_PIXEL_DATA, vr, 0, len(data))
    return replace(header, dataset=inlined, pixel=pixel, body=BytesSource(data))


def _inlined(header: Header, element: Element) -> Element:
    if "BulkData" not in element:
        return element
    data = element_bytes(header, element)
    return {"vr": element.get("vr", "OW"), "InlineBinary": base64.b64encode(data).decode()}
