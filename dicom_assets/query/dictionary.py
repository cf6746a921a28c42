"""The data dictionary of the standard (PS3.6, by pydicom) as a table, to name the tags in headers."""

from collections.abc import Iterator
from functools import cache

import pyarrow as pa
from pydicom.datadict import DicomDictionary, RepeatersDictionary

DICTIONARY = "dicom_dictionary"
"""Name of the table."""

DICTIONARY_COLUMNS = ("tag", "keyword", "name", "vr", "vm", "retired")


@cache
def dictionary_table() -> pa.Table:
    """Return the elements of the standard, in the order of their tags; of repeating groups (60xx) each group."""
    rows = sorted((*_elements(), *_repeated()), key=lambda row: str(row[0]))
    columns = zip(*rows, strict=True)
    return pa.table(dict(zip(DICTIONARY_COLUMNS, map(list, columns), strict=True)))


def _elements() -> Iterator[tuple[str | bool, ...]]:
    for tag, (vr, vm, name, retired, keyword) in DicomDictionary.items():
        if keyword:
            yield f"{tag:08X}", keyword, name, vr, vm, bool(retired)


def _repeated() -> Iterator[tuple[str | bool, ...]]:
    """Yield the elements of curves and overlays: groups 5000 to 501E and 6000 to 601E, even ones (PS3.5 7.6)."""
    for mask, (vr, vm, name, retired, keyword) in RepeatersDictionary.items():
        if mask[2:4] == "xx":
            for group in range(0, 0x20, 2):
                yield f"{mask[:2]}{group:02X}{mask[4:]}".upper(), keyword, name, vr, vm, bool(retired)
