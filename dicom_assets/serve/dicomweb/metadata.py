"""Metadata of instances (PS3.18 10.4.1.1.2): the headers that the tables hold, with addresses for long values.

No file is opened for that, but where a sequence is so long that the tables hold only its beginning.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from dicom_assets.dicom.header import Element, Header, JsonDataset
from dicom_assets.dicom.items import UnreadableItemsError, items_of
from dicom_assets.dicom.pixels.decoders import is_native
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.dicomweb import levels
from dicom_assets.serve.dicomweb.elements import element
from dicom_assets.serve.dicomweb.instances import Files, Instance
from dicom_assets.serve.dicomweb.levels import INSTANCE, retrieve_url
from dicom_assets.serve.dicomweb.matching import in_places

PIXEL_DATA = "7FE00010"
_PHOTOMETRIC, _PLANAR, _BITS_ALLOCATED = "00280004", "00280006", "00280100"
_BYTE = 8


def metadata(
    catalog: FixedCatalog, uids: Mapping[str, str], instances: Sequence[Instance], base: str
) -> Iterator[bytes]:
    """Yield pieces of a JSON array with the metadata of instances, in the order in which the tables hold them.

    Parameters
    ----------
    catalog
        Where the headers are.
    uids
        By column, what the instances have in common.
    instances
        Which ones; copies of them are left out.
    base
        Address of the service.

    Raises
    ------
    QueryError, ArchiveError, ChangedFileError
        The tables, or a file that is needed, cannot be read.

    """
    wanted = {instance.path: instance for instance in instances}
    below = in_places("prefix", list(dict.fromkeys(instance.prefix for instance in instances)))
    where = " AND ".join([below.sql, *(f"{column} = ?" for column in uids)])
    query = f"SELECT path, header FROM {CATALOG_NAME} WHERE {where}"  # noqa: S608 - values are bound
    separator = b"["
    for rows in catalog.stream(query, [*below.values, *uids.values()]):
        for row in rows:
            instance = wanted.get(row["path"])
            if instance is not None:
                yield separator + orjson.dumps(_of_instance(catalog, instance, row["header"], base))
                separator = b","
    yield b"[]" if separator == b"[" else b"]"


def _of_instance(catalog: FixedCatalog, instance: Instance, header: str | None, base: str) -> JsonDataset:
    dataset: JsonDataset = orjson.loads(header or "{}").get("dataset", {})
    if _is_cut(dataset):
        with Files(catalog).header(instance) as read:
            dataset = _completed(read, read.dataset)
    address = retrieve_url(base, instance.uids, INSTANCE)
    found = _with_addresses(dataset, f"{address}/bulkdata")
    found[levels.SPECIFIC_CHARACTER_SET] = element("CS", "ISO_IR 192")  # of this text, not of the file
    found[levels.RETRIEVE_URL] = element("UR", address)
    if instance.transfer_syntax:
        found[levels.AVAILABLE_TRANSFER_SYNTAX] = element("UI", instance.transfer_syntax)
    if instance.has_pixels:
        found |= _of_pixels(dataset, instance, address)
    return dict(sorted(found.items()))


def _is_cut(dataset: JsonDataset) -> bool:
    """Return whether the tables hold only the beginning of a sequence."""
    for one in dataset.values():
        if one["vr"] == "SQ" and ("BulkData" in one or any(_is_cut(item or {}) for item in one.get("Value", ()))):
            return True
    return False


def _completed(header: Header, dataset: JsonDataset) -> JsonDataset:
    """Return a data set with all items of its sequences, read from the file, as far as they can be read."""
    found: JsonDataset = {}
    for tag, one in dataset.items():
        if one["vr"] != "SQ":
            found[tag] = one
            continue
        items: list[JsonDataset] = []
        with suppress(UnreadableItemsError):  # where the file is damaged, the sequence ends
            items.extend(_completed(header, item or {}) for item in items_of(header, one))
        found[tag] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
    return found


def _with_addresses(dataset: JsonDataset, address: str) -> JsonDataset:
    """Return a data set with an address for each value that is not in it (PS3.18 F.2.2)."""
    found: JsonDataset = {}
    for tag, one in dataset.items():
        if one["vr"] == "SQ":
            items = enumerate(one.get("Value", ()))
            values = [_with_addresses(item or {}, f"{address}/{tag}/{number}") for number, item in items]
            found[tag] = {"vr": "SQ", "Value": values} if values else {"vr": "SQ"}
        elif "BulkData" in one:
            found[tag] = {"vr": one["vr"], "BulkDataURI": f"{address}/{tag}"}
        else:
            found[tag] = one
    return found


def _of_pixels(dataset: JsonDataset, instance: Instance, address: str) -> JsonDataset:
    """Return where the pixels are, and what they are like as they are sent.

    YBR_FULL_422 that is not compressed is sent as RGB: viewers show it black.
    """
    native = instance.transfer_syntax is None or is_native(instance.transfer_syntax)
    wide = native and _first(dataset, _BITS_ALLOCATED) not in {1, _BYTE}
    found: JsonDataset = {PIXEL_DATA: {"vr": "OW" if wide else "OB", "BulkDataURI": f"{address}/bulkdata/{PIXEL_DATA}"}}
    if native and _first(dataset, _PHOTOMETRIC) == "YBR_FULL_422":
        found[_PHOTOMETRIC] = element("CS", "RGB")
        found[_PLANAR] = element("US", 0)
    return found


def _first(dataset: Mapping[str, Element], tag: str) -> Any:
    values = dataset.get(tag, {}).get("Value") or [None]
    return values[0]
