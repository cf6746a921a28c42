"""In which order files are read, and which of them together: for containers that are read from their beginning."""

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.containers.kinds import Kind
from dicom_assets.archive.containers.remembered import are_members, containers_of
from dicom_assets.tables import KEY, PARTITION

_STREAM = rf"^(?:{Kind.TAR_GZIP}|{Kind.TAR_ZSTD}):"
_OFFSETS = r"^\w+:(?P<outer>\d+):\d+:\w+:\d+(?:!\w+)?(?:/\w+:(?P<inner>\d+))?"


def streams_of(files: pa.Table) -> pa.Array:
    """Return the path of the compressed TAR that each file is in, null of others.

    Parameters
    ----------
    files
        Columns ``path`` and ``source_version``.

    """
    version = files["source_version"]
    in_stream = pc.fill_null(pc.match_substring_regex(version, _STREAM), fill_value=False)
    if not pc.any(in_stream).as_py():
        return pa.nulls(files.num_rows, pa.string())
    found = pc.if_else(in_stream, containers_of(files), pa.scalar(None, pa.string()))
    return found.combine_chunks()


def reading_order(files: pa.Table) -> pa.Table:
    """Return files in the order of prefix and path, but members of a container in the order in which they stand there.

    Parameters
    ----------
    files
        Columns ``prefix``, ``path`` and ``source_version``.

    """
    by_path = [(PARTITION, "ascending"), (KEY, "ascending")]
    placed = are_members(files)
    if not pc.any(placed).as_py():
        return files.sort_by(by_path)
    unit = pc.if_else(placed, containers_of(files), files[KEY])
    offsets = pc.extract_regex(files["source_version"], _OFFSETS)
    keys = files.select([PARTITION, KEY]).append_column("_unit", unit)
    for name in ("outer", "inner"):
        text = pc.if_else(placed, pc.struct_field(offsets, name), pa.scalar(None, pa.string()))
        number = pc.cast(pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text), pa.int64())
        keys = keys.append_column(f"_{name}", number)
    order = [(PARTITION, "ascending"), ("_unit", "ascending"), ("_outer", "ascending"), ("_inner", "ascending")]
    return files.take(pc.sort_indices(keys, [*order, (KEY, "ascending")]))
