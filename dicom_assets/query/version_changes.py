"""What has changed between two versions of the catalog: which files were added, changed or removed.

Rows are compared, not commits: compaction writes rows anew and changes none, and what was changed and changed back has
not changed. Only data files that one of the versions has and the other has not are read, prefix by prefix, and of them
only the columns that tell. Files are told apart by their path below the root of the archive, so that an archive that
moved has not changed either.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import DeltaError

from dicom_assets.delta.files import DataFile
from dicom_assets.delta.history import CommitLog
from dicom_assets.delta.snapshot import Snapshot, live_files
from dicom_assets.delta.stored import stored_table
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query.as_of import VersionError, version_at
from dicom_assets.query.database import Catalog
from dicom_assets.query.dataset import refuse_unreadable
from dicom_assets.query.errors import NoCatalogError, one_line
from dicom_assets.tables import KEY, PARTITION

_FILE_KEY = "relative_path"
_FINGERPRINT, _REMOVED = "fingerprint", "removed_at"
_UIDS = ("SOPInstanceUID", "SOPClassUID", "SeriesInstanceUID", "StudyInstanceUID")
_TOLD = (PARTITION, KEY, *_UIDS)
_READ = (_FILE_KEY, _FINGERPRINT, _REMOVED, *_TOLD)

_TEXTS = pa.string()
SCHEMA = pa.schema([(name, _TEXTS) for name in ("change", _FILE_KEY, *_TOLD, _FINGERPRINT, "fingerprint_before")])
"""Of the rows: UIDs are those of the newer version, of removed files those of the older."""


class FileChange(StrEnum):
    """What became of a file."""

    ADDED = "added"
    """The older version does not have it."""
    CHANGED = "changed"
    """Its content is another, by its fingerprint."""
    REMOVED = "removed"
    """The newer version does not have it, or has it as removed."""


@dataclass(frozen=True, slots=True)
class VersionChanges:
    """Changes between two versions of ``object_catalog``.

    Attributes
    ----------
    since, until
        The versions; the older is ``None`` where there was no table yet.
    rows
        One a file that changed, with :data:`SCHEMA`, prefix by prefix. Can be read once.

    """

    since: int | None
    until: int
    rows: pa.RecordBatchReader


def changes_between(catalog: Catalog, since: int | datetime, until: int | datetime | None = None) -> VersionChanges:
    """Compare two versions of ``object_catalog``.

    Parameters
    ----------
    catalog
        Whose files.
    since, until
        Versions of ``object_catalog``, or times; the later one is by default the newest.

    Raises
    ------
    VersionError
        A version is not there, is no longer kept, or the two are in the wrong order.
    NoCatalogError
        There is no ``object_catalog``.

    """
    location = catalog.location(OBJECT_CATALOG.name)
    if not location.exists():
        raise NoCatalogError(f"there is no {OBJECT_CATALOG.name} at {location.uri}")
    newest = catalog.open_table(location).version()
    log = CommitLog(location, newest)
    old = version_at(log, since, newest)
    new = newest if until is None else version_at(log, until, newest)
    if new is None or (old is not None and old > new):
        raise VersionError("the later version is the older one: give them in their order")
    before = None if old is None else _snapshot(catalog, old)
    after = _snapshot(catalog, new)
    return VersionChanges(old, new, pa.RecordBatchReader.from_batches(SCHEMA, _changes(before, after)))


def _snapshot(catalog: Catalog, version: int) -> Snapshot:
    """Return a version of the table; raises :class:`VersionError` where the log has forgotten it."""
    location = catalog.location(OBJECT_CATALOG.name)
    try:
        delta = location.open(version)
        table = stored_table(location, version)
    except DeltaError as error:
        raise VersionError(f"version {version} of {OBJECT_CATALOG.name} cannot be opened: {one_line(error)}") from error
    refuse_unreadable(location, delta)
    return Snapshot(location, table, version, live_files(delta), {})


def _changes(before: Snapshot | None, after: Snapshot) -> Iterator[pa.RecordBatch]:
    """Yield what changed, a batch or more for each prefix that has data files of its own in one of the versions."""
    old = {} if before is None else {file.path: file for file in before.files}
    new = {file.path: file for file in after.files}
    gone = _by_prefix(file for path, file in old.items() if path not in new)
    come = _by_prefix(file for path, file in new.items() if path not in old)
    for prefix in sorted({*gone, *come}):
        was = _EMPTY if before is None else _rows(before, gone.get(prefix, ()))
        yield from _compare(was, _rows(after, come.get(prefix, ()))).to_batches()


def _by_prefix(files: Iterable[DataFile]) -> Mapping[str, list[DataFile]]:
    grouped: dict[str, list[DataFile]] = {}
    for file in files:
        grouped.setdefault(file.prefix, []).append(file)
    return grouped


_EMPTY = pa.table({name: pa.array([], _TEXTS) for name in (_FILE_KEY, _FINGERPRINT, *_TOLD)})


def _rows(snapshot: Snapshot, files: Sequence[DataFile]) -> pa.Table:
    """Return the files of the archive that some data files tell of, without those that are gone."""
    names = [name for name in _READ if name in snapshot.table.schema.names]
    schema = pa.schema([snapshot.table.schema.field(name) for name in names])
    try:
        batches = [batch for _, batch in snapshot.rows(names, files)]
    except FileNotFoundError as error:
        raise VersionError(
            f"version {snapshot.version} of {snapshot.table.name} is no longer kept: data files of it are deleted, as "
            "maintenance does after its retention"
        ) from error
    rows = pa.Table.from_batches(batches, schema)
    if _REMOVED in names:
        rows = rows.filter(pc.is_null(rows[_REMOVED]))
    # A table of an older release, or without headers, has fewer columns.
    columns = {name: rows[name] if name in names else pa.nulls(rows.num_rows, _TEXTS) for name in _EMPTY.column_names}
    return pa.table(columns).cast(_EMPTY.schema)


def _compare(was: pa.Table, now: pa.Table) -> pa.Table:
    """Return the files of which the fingerprint is another, ordered by path."""
    old, new = (_with_presence(rows) for rows in (was, now))
    joined = new.join(old, _FILE_KEY, join_type="full outer", right_suffix="_before")
    here, there = (pc.fill_null(joined[name], False) for name in ("there", "there_before"))
    same = pc.equal(_known(joined[_FINGERPRINT]), _known(joined[f"{_FINGERPRINT}_before"]))
    both = pc.and_(here, there)
    change = pc.if_else(both, FileChange.CHANGED, pc.if_else(here, FileChange.ADDED, FileChange.REMOVED))
    told = {name: pc.if_else(here, joined[name], joined[f"{name}_before"]) for name in _TOLD}
    result = pa.table(
        {
            "change": change,
            _FILE_KEY: joined[_FILE_KEY],
            **told,
            _FINGERPRINT: joined[_FINGERPRINT],
            "fingerprint_before": joined[f"{_FINGERPRINT}_before"],
        }
    )
    return result.filter(pc.invert(pc.and_(both, same))).sort_by(_FILE_KEY).cast(SCHEMA)


def _with_presence(rows: pa.Table) -> pa.Table:
    return rows.append_column("there", pa.repeat(True, rows.num_rows))


def _known(fingerprints: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return fingerprints with a text for those of files that could not be read, which is as good as equal."""
    return pc.fill_null(fingerprints, "")
