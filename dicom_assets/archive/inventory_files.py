"""Reading inventories: lists of objects that somebody made, as CSV or Parquet, or as a manifest of S3 Inventory.

A file is read when it is whole: those of a manifest have the length and the checksum that it states (MD5), a CSV has as
many fields in each row, a Parquet file has its footer.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote_plus

import obstore
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from obstore.exceptions import BaseError

from dicom_assets.archive.stores import open_store
from dicom_assets.errors import UserError
from dicom_assets.storage.addresses import is_remote
from dicom_assets.storage.scratch import scratch_folder

_NAMES = {
    "key": "key",
    "size": "size",
    "etag": "etag",
    "e_tag": "etag",
    "lastmodified": "modified",
    "last_modified": "modified",
    "lastmodifieddate": "modified",
    "last_modified_date": "modified",
    "bucket": "bucket",
    "islatest": "latest",
    "is_latest": "latest",
    "isdeletemarker": "deleted",
    "is_delete_marker": "deleted",
}
"""What columns are called, in lower case, and what they are."""
_NEEDED = ("key", "size", "etag")
_CHUNK = 1 << 20


class InventoryError(UserError, ValueError):
    """An inventory cannot be believed: not whole, not of this archive, or no inventory at all. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class InventoryFile:
    """One file of an inventory.

    Attributes
    ----------
    address
        Path or URI.
    columns
        What its columns are, for a CSV without a header.
    encoded
        Whether keys are URL-encoded.
    size, md5
        What it should have, where that is stated.

    """

    address: str
    columns: tuple[str, ...] = ()
    encoded: bool = False
    size: int | None = None
    md5: str | None = None


def files_of(address: str, options: Mapping[str, str]) -> list[InventoryFile]:
    """Return the files of an inventory: those that a manifest names, or the file itself.

    Raises
    ------
    InventoryError
        The manifest cannot be read, or is of a format that is not known.

    """
    if not address.endswith(".json"):
        return [InventoryFile(address)]
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder:
        text = _fetched(InventoryFile(address), options, Path(folder)).read_bytes()
    try:
        manifest = json.loads(text)
        form, schema = manifest["fileFormat"], manifest["fileSchema"]
        listed = [(str(one["key"]), int(one["size"]), str(one["MD5checksum"])) for one in manifest["files"]]
        bucket = str(manifest["destinationBucket"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InventoryError(f"{address} is no manifest of S3 Inventory") from error
    if form not in {"CSV", "Parquet"}:
        raise InventoryError(f"the inventory {address} is of the format {form!a}: have it made as CSV or Parquet")
    columns = tuple(str(schema).replace(" ", "").split(",")) if form == "CSV" else ()
    return [
        InventoryFile(_beside(address, bucket, key), columns, form == "CSV", size, md5) for key, size, md5 in listed
    ]


def _beside(manifest: str, bucket: str, key: str) -> str:
    """Return where a file of a manifest is; one that was copied has its files beside it, or in ``../data``."""
    if is_remote(manifest):
        return f"{manifest.partition('://')[0]}://{bucket}/{key}"
    folder, name = Path(manifest).parent, PurePosixPath(key).name
    beside = folder / name
    return str(beside if beside.exists() else folder.parent / "data" / name)


def read_objects(file: InventoryFile, options: Mapping[str, str]) -> Iterator[pa.Table]:
    """Yield the rows of a file: columns ``key``, ``size``, ``etag``, and ``modified``, ``bucket`` where there are some.

    Older versions of objects, and marks of removed ones, are left out.

    Raises
    ------
    InventoryError
        It is not whole, or lacks a column.

    """
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder:
        path = _fetched(file, options, Path(folder))
        _check_whole(file, path)
        try:
            for batch in _batches(file, path):
                yield _objects(file, pa.Table.from_batches([batch]))
        except (pa.ArrowException, OSError, EOFError) as error:
            raise InventoryError(f"the inventory {file.address} cannot be read: it is not whole, or damaged") from error


def _fetched(file: InventoryFile, options: Mapping[str, str], folder: Path) -> Path:
    """Return a file of this machine that holds what is at an address."""
    if not is_remote(file.address):
        if not Path(file.address).is_file():
            raise InventoryError(f"there is no inventory {file.address}")
        return Path(file.address)
    above, _, name = file.address.rpartition("/")
    target = folder / (name or "inventory")
    try:
        with target.open("wb") as sink:
            for chunk in obstore.get(open_store(above, options), name).stream(min_chunk_size=_CHUNK):
                sink.write(chunk)
    except (BaseError, FileNotFoundError) as error:
        raise InventoryError(f"the inventory {file.address} cannot be fetched") from error
    return target


def _check_whole(file: InventoryFile, path: Path) -> None:
    if file.size is not None and path.stat().st_size != file.size:
        raise InventoryError(f"the inventory {file.address} is not whole: {path.stat().st_size} of {file.size} bytes")
    if file.md5 is None:
        return
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != file.md5.lower():
        raise InventoryError(f"the inventory {file.address} is not what its manifest says: another checksum")


def _batches(file: InventoryFile, path: Path) -> Iterator[pa.RecordBatch]:
    if path.suffix == ".parquet":
        with pq.ParquetFile(path) as parquet:
            names = [name for name in parquet.schema_arrow.names if name.lower() in _NAMES]
            yield from parquet.iter_batches(columns=names)
        return
    names = list(file.columns) or _header(path)
    text = pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    header = pa_csv.ReadOptions(column_names=names, skip_rows=0 if file.columns else 1)
    # Opened by its name: Arrow tells from that how it is compressed.
    with pa_csv.open_csv(str(path), read_options=header, convert_options=text) as reader:
        yield from reader


def _header(path: Path) -> list[str]:
    with pa.input_stream(str(path)) as stream:
        line = stream.read(_CHUNK).partition(b"\n")[0].decode("utf-8", "replace")
    return [name.strip().strip('"') for name in line.split(",")]


def _objects(file: InventoryFile, rows: pa.Table) -> pa.Table:
    """Return rows with the columns that are known, under the names that they have here."""
    known = {_NAMES[name.lower()]: rows[name] for name in rows.column_names if name.lower() in _NAMES}
    if missing := [name for name in _NEEDED if name not in known]:
        raise InventoryError(f"the inventory {file.address} has no column {missing[0]}: it takes key, size and etag")
    found = pa.table({name: column.cast(pa.string()) for name, column in known.items() if name != "modified"})
    place = found.column_names.index("size")
    found = found.set_column(place, "size", found["size"].cast(pa.int64()))
    if "modified" in known:
        found = found.append_column("modified", known["modified"].cast(pa.timestamp("us", tz="UTC")))
    for name, wanted in (("latest", "true"), ("deleted", "false")):
        if name in found.column_names:
            found = found.filter(pa.array([_said(value, wanted) for value in found[name].to_pylist()], pa.bool_()))
    keys = found["key"].to_pylist()
    if file.encoded:
        keys = [unquote_plus(key) for key in keys]
    place = found.column_names.index("key")
    return found.set_column(place, "key", pa.array(keys, pa.string()))


def _said(value: Any, wanted: str) -> bool:
    return value in (None, "") or str(value).lower() == wanted
