"""From a file to its rows, whatever the file does: the one place where a failure becomes a row or a fault."""

import errno
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from dicom_assets.archive.base import Archive
from dicom_assets.archive.identity import Witness
from dicom_assets.archive.reading import NotAFileError
from dicom_assets.archive.versions import FileChangedError
from dicom_assets.dicom.source import StorageError
from dicom_assets.extract.extractors import Extractor
from dicom_assets.extract.source_file import FileKey, SourceFile
from dicom_assets.extract.status import CHANGED
from dicom_assets.isolation import IsolationError
from dicom_assets.tables import Table

_BATCH_FILES = 64
_READ_ATTEMPTS = 3
_ERROR = "error"
_FAULTS_OF_THE_MACHINE = frozenset((errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.ENFILE))
_FOR_GOOD = frozenset((errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR))
"""What another attempt would not change."""

_NO_WITNESS = Witness()

Rows = dict[str, dict[str, Any]]
"""A row for each table that a file is wanted in, by table name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file, and the tables that lack a row of it."""

    key: FileKey
    tables: frozenset[str]


def extract_rows(
    archive: Archive, extractors: Sequence[Extractor], wanted: Wanted, witness: Witness = _NO_WITNESS
) -> Rows:
    """Return the rows of one file.

    A file that cannot be read, or is not the version that was listed, is a row with status ``error`` and no
    fingerprint: no version of the file stands behind it, so the next run tries it again. Nothing that was read of a
    file counts before the archive has found it unchanged in the end.

    Parameters
    ----------
    archive, extractors, wanted
        Where the file is, and what is made of it.
    witness
        What was known of the archive when the pass began: unless it is still in place, nothing is believed of the file.

    Raises
    ------
    ArchiveError
        The archive as a whole is out of reach or another one, which is no fault of the file.
    OSError
        This machine is short of something, which is none either.

    """
    selected = [extractor for extractor in extractors if extractor.table.name in wanted.tables]
    for attempt in range(_READ_ATTEMPTS):
        try:
            with archive.open(wanted.key.path, wanted.key.listed) as source:
                file = SourceFile(wanted.key, source)
                return {extractor.table.name: _row(extractor, file) for extractor in selected}
        except FileChangedError:
            return _unread(selected, wanted.key, CHANGED)
        except OSError as error:
            # Of opening, or a StorageError of reading: whatever else an extractor met is in its row.
            if _is_fault_of_the_machine(error):
                raise
            # Credentials that lapsed, and a share that was unmounted, are met file by file.
            witness.confirm(archive, [wanted.key.prefix])
            if _is_for_good(error) or attempt + 1 == _READ_ATTEMPTS:
                return _unread(selected, wanted.key, _reason(error))
            time.sleep(0.1 * 4**attempt)
    raise AssertionError("the last attempt returns")


def _is_fault_of_the_machine(error: Exception) -> bool:
    return isinstance(error, IsolationError) or (isinstance(error, OSError) and error.errno in _FAULTS_OF_THE_MACHINE)


def _is_for_good(error: OSError) -> bool:
    return isinstance(error, NotAFileError) or error.errno in _FOR_GOOD


def _row(extractor: Extractor, file: SourceFile) -> dict[str, Any]:
    """Return one row; what an extractor did not foresee costs this row only.

    An :class:`OSError` that is not the storage's is no exception: codecs raise such for what they decline, and the
    operating system for arguments that it cannot mean.
    """
    try:
        columns = extractor.extract(file)
    except StorageError:
        raise
    except Exception as error:
        if _is_fault_of_the_machine(error):
            raise
        columns = {**extractor.failed(file), "status": _ERROR, "error": _where(error)}
    return _identify(extractor, file.key, columns, file.key.fingerprint)


def _reason(error: OSError) -> str:
    return f"cannot be read: {error.strerror or type(error).__name__}"


def _unread(extractors: Iterable[Extractor], key: FileKey, error: str) -> Rows:
    """Return the rows of a file of which no version was read."""
    file = SourceFile(key, _NOTHING)
    return {
        extractor.table.name: _identify(
            extractor, key, {**extractor.failed(file), "status": _ERROR, "error": error}, None
        )
        for extractor in extractors
    }


def _identify(extractor: Extractor, key: FileKey, columns: dict[str, Any], fingerprint: str | None) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "path": key.path,
        "fingerprint": fingerprint,
        "extractor_version": extractor.version,
        "error": None,
        **columns,
    }


def _where(error: Exception) -> str:
    """Return the kind and place of an unforeseen error, and nothing of its text: that may quote the patient."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


class _Nothing:
    """A file without content, for what is told by a name alone."""

    size = 0

    def read(self, offset: int, length: int) -> bytes:  # noqa: ARG002 - part of the protocol
        return b""


_NOTHING = _Nothing()


def batches(rows: Iterable[Rows], tables: Sequence[Table]) -> Iterator[pa.RecordBatch]:
    """Gather rows into record batches of one struct column for each table, null where a file is not wanted."""
    pending: list[Rows] = []
    for row in rows:
        pending.append(row)
        if len(pending) == _BATCH_FILES:
            yield _batch(pending, tables)
            pending = []
    if pending:
        yield _batch(pending, tables)


def row_schema(tables: Sequence[Table]) -> pa.Schema:
    """Return the schema of :func:`batches`."""
    return pa.schema([pa.field(table.name, pa.struct(list(table.schema))) for table in tables])


def _batch(pending: Sequence[Rows], tables: Sequence[Table]) -> pa.RecordBatch:
    schema = row_schema(tables)
    return pa.RecordBatch.from_arrays(
        [pa.array([rows.get(table.name) for rows in pending], schema.field(table.name).type) for table in tables],
        schema=schema,
    )
