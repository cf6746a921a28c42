"""An archive that is listed by an inventory: what somebody wrote down of a bucket stands in for listing it.

An inventory is hearsay: it may be days old, and lack whatever its maker lost. So it is believed where it names a
version that the catalog does not have yet; where it lacks a file, or names an older version, the store itself is asked
(:mod:`dicom_assets.archive.hearsay`). All bytes are read from the bucket.
"""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.base import FolderIdentity, Known, OpenedSource, Prefixes
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.hearsay import ask_the_store
from dicom_assets.archive.inventory_files import InventoryError, files_of, read_objects
from dicom_assets.archive.listing import to_table
from dicom_assets.archive.prefetch import Prefetch
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.archive.sources import below_source
from dicom_assets.archive.versions import Listed
from dicom_assets.storage.scratch import scratch_folder

_PARTS = 64
_SCHEMA = pa.schema(
    [
        ("prefix", pa.string()),
        ("key", pa.string()),
        ("size", pa.int64()),
        ("etag", pa.string()),
        ("modified", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The objects below a root, on the disk of this machine: parted by prefix, so that one is read without the others.

    Attributes
    ----------
    folder
        Of the parts.
    prefixes
        In sorted order.
    objects
        Number of objects, copies of a name included.
    elsewhere
        Number of objects of other buckets, or below other roots.

    """

    folder: Path
    prefixes: tuple[str, ...]
    objects: int
    elsewhere: int

    def rows(self, prefix: str) -> pa.Table:
        """Return the objects of a prefix: of several of one name, the last that was modified."""
        part = _part(self.folder, prefix)
        if not part.exists():
            return _SCHEMA.empty_table()
        with pa.memory_map(str(part)) as source, pa.ipc.open_stream(source) as reader:
            rows = pa.concat_tables([_SCHEMA.empty_table(), *(_of(batch, prefix) for batch in reader)])
        ordered = rows.sort_by([("key", "ascending"), ("modified", "ascending")])
        last = {key: place for place, key in enumerate(ordered["key"].to_pylist())}
        return ordered.take(pa.array(last.values(), pa.int64()))


def _of(batch: pa.RecordBatch, prefix: str) -> pa.Table:
    return pa.Table.from_batches([batch]).filter(pc.equal(batch["prefix"], prefix))


def _part(folder: Path, prefix: str) -> Path:
    return folder / f"{zlib.crc32(prefix.encode('utf-8', 'surrogateescape')) % _PARTS}.arrows"


def stage_inventory(address: str, archive: BucketArchive) -> Inventory:
    """Read an inventory, and keep what it says of an archive on the disk of this machine.

    Parameters
    ----------
    address
        Path or URI of a CSV or Parquet file, or of the ``manifest.json`` of S3 Inventory.
    archive
        Which it is of.

    Raises
    ------
    InventoryError
        It is not whole, cannot be read, or names no object of the archive.

    """
    folder = Path(mkdtemp(dir=scratch_folder()))
    prefixes: set[str] = set()
    elsewhere = objects = 0
    writers: dict[Path, pa.ipc.RecordBatchStreamWriter] = {}
    try:
        for file in files_of(address, archive.options):
            for rows in read_objects(file, archive.options):
                found = _below(rows, archive.root, archive.cut)
                elsewhere, objects = elsewhere + rows.num_rows - found.num_rows, objects + found.num_rows
                prefixes.update(pc.unique(found["prefix"]).to_pylist())
                for part, objects_of_it in _by_part(found, folder):
                    if part not in writers:
                        writers[part] = pa.ipc.new_stream(str(part), _SCHEMA)
                    writers[part].write_table(objects_of_it)
    finally:
        for writer in writers.values():
            writer.close()
    if not objects:
        raise InventoryError(f"the inventory {address} names no object below {archive.root}")
    return Inventory(folder, tuple(sorted(prefixes)), objects, elsewhere)


def _below(rows: pa.Table, root: str, cut: PrefixCut) -> pa.Table:
    """Return the objects of an archive, with their keys below its root and their prefixes."""
    scheme, _, rest = root.partition("://")
    bucket = rest.partition("/")[0]
    buckets = rows["bucket"].to_pylist() if "bucket" in rows.column_names else [bucket] * rows.num_rows
    uris = (f"{scheme}://{where}/{key}" for where, key in zip(buckets, rows["key"].to_pylist(), strict=True))
    keys = [below_source(uri, root) for uri in uris]
    places = [place for place, key in enumerate(keys) if key and not key.endswith("/")]
    kept = [key for key in keys if key and not key.endswith("/")]
    found = rows.take(pa.array(places, pa.int64()))
    modified = found["modified"] if "modified" in found.column_names else pa.nulls(len(kept), _SCHEMA.field(4).type)
    columns = [pa.array([cut.key(key.split("/")[:-1]) for key in kept], pa.string()), pa.array(kept, pa.string())]
    return pa.table([*columns, found["size"], found["etag"], modified], schema=_SCHEMA)


def _by_part(rows: pa.Table, folder: Path) -> Iterator[tuple[Path, pa.Table]]:
    parts: dict[Path, list[int]] = {}
    for place, prefix in enumerate(rows["prefix"].to_pylist()):
        parts.setdefault(_part(folder, prefix), []).append(place)
    for part, places in parts.items():
        yield part, rows.take(pa.array(places, pa.int64()))


@dataclass(frozen=True, slots=True)
class InventoryArchive:
    """A bucket whose objects an inventory lists.

    Attributes
    ----------
    bucket
        Where they are.
    inventory
        What lists them.
    known
        What the index has. Without it, the inventory is believed in all.

    """

    bucket: BucketArchive
    inventory: Inventory
    known: Known | None = None

    @property
    def root(self) -> str:
        """Root of the bucket."""
        return self.bucket.root

    @property
    def cut(self) -> PrefixCut:
        """How it is cut into prefixes."""
        return self.bucket.cut

    @property
    def prefetch(self) -> Prefetch:
        """How many of its files a task has in flight."""
        return self.bucket.prefetch

    def check(self) -> None:
        """Raise ``ArchiveError`` unless the bucket can be reached."""
        self.bucket.check()

    def at(self, root: str) -> Self:
        """Return the archive as seen from another root."""
        return replace(self, bucket=self.bucket.at(root))

    def folder(self, prefix: str | None = None) -> FolderIdentity | None:
        """Return ``None``: nothing is mounted in an object store."""
        return self.bucket.folder(prefix)

    def exists(self, path: str) -> bool:
        """Return whether there is an object in the bucket."""
        return self.bucket.exists(path)

    def prefixes(self) -> Prefixes:
        """Return the prefixes of the inventory."""
        return Prefixes(self.inventory.prefixes)

    def list(self, prefix: str) -> pa.Table:
        """Return what the inventory says of a prefix, and the store of what is in doubt."""
        self.cut.place(prefix)
        rows = self.inventory.rows(prefix).to_pylist()
        said = to_table(prefix, (self.bucket.listed(_as_found(row)) for row in rows))
        return said if self.known is None else ask_the_store(self.bucket, prefix, said, self.known(prefix))

    def open(self, path: str, listed: Listed | None = None) -> AbstractContextManager[OpenedSource]:
        """Open an object of the bucket; one that is not as the inventory says is told as changed."""
        return self.bucket.open(path, listed)


def _as_found(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row as an object store lists it: entity tags have quotes there."""
    etag = str(row["etag"]).strip('"')
    return {
        "path": row["key"],
        "size": row["size"],
        "last_modified": row["modified"],
        "e_tag": f'"{etag}"' if etag else None,
    }
