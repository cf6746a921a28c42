"""From a file to its rows, whatever the file does: the one place where a failure becomes a row or a fault."""

import errno
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import pyarrow as pa

from dicom_assets.archive.base import Archive
from dicom_assets.archive.containers.faults import MemberError
from dicom_assets.archive.identity import Witness
from dicom_assets.archive.prefetch import Opened
from dicom_assets.archive.reading import NotAFileError
from dicom_assets.archive.versions import FileChangedError
from dicom_assets.dicom.source import StorageError
from dicom_assets.errors import DataError
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.isolated import call
from dicom_assets.extract.source_file import FileKey, ReadMeter, SourceFile, open_measured
from dicom_assets.extract.status import CHANGED, ERROR, OK
from dicom_assets.isolation import CallError, IsolationError

_READ_ATTEMPTS = 3
_FAULTS_OF_THE_MACHINE = frozenset((errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.ENFILE))
_FOR_GOOD = frozenset((errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ETIMEDOUT))
"""What another attempt would not change. A time-out is what many attempts of the storage's own came to."""

_IDENTITY = ("prefix", "path", "fingerprint")
_NO_WITNESS = Witness()

Row = dict[str, Any]
Rows = dict[str, Row]
"""A row for each table that a file is wanted in, by table name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file, and the tables that lack a row of it."""

    key: FileKey
    tables: frozenset[str]


def extract_rows(
    archive: Archive,
    extractors: Sequence[Extractor],
    wanted: Wanted,
    witness: Witness = _NO_WITNESS,
    meter: ReadMeter | None = None,
    opened: Opened | None = None,
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
    meter
        Counts what is read.
    opened
        The file, opened ahead for the first attempt and measured there; see :mod:`dicom_assets.extract.ahead`.

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
            with opened or open_measured(archive, wanted.key, meter) as source:
                file = SourceFile(wanted.key, source)
                return {extractor.table.name: _row(extractor, file) for extractor in selected}
        except FileChangedError:
            return _unread(selected, wanted.key, CHANGED)
        except MemberError as error:
            # It is the version that was listed, and so it will be the next time.
            return _unread(selected, wanted.key, str(error), wanted.key.fingerprint)
        except OSError as error:
            # Of opening, or a StorageError of reading: whatever else an extractor met is in its row.
            if _is_fault_of_the_machine(error):
                raise
            # Credentials that lapsed, and a share that was unmounted, are met file by file.
            witness.confirm(archive, [wanted.key.prefix])
            if _is_for_good(error) or attempt + 1 == _READ_ATTEMPTS:
                return _unread(selected, wanted.key, _reason(error))
            opened = None
            time.sleep(0.1 * 4**attempt)
    raise AssertionError("the last attempt returns")


def _is_fault_of_the_machine(error: Exception) -> bool:
    return isinstance(error, IsolationError) or (isinstance(error, OSError) and error.errno in _FAULTS_OF_THE_MACHINE)


def _is_for_good(error: OSError) -> bool:
    return isinstance(error, NotAFileError) or error.errno in _FOR_GOOD


def _row(extractor: Extractor, file: SourceFile) -> Row:
    """Return one row; what an extractor did not foresee costs this row only.

    An :class:`OSError` that is not the storage's is no exception: codecs raise such for what they decline, and the
    operating system for arguments that it cannot mean.
    """
    try:
        columns = _checked(extractor, call(extractor, file))
    except (StorageError, MemberError):
        raise
    except Exception as error:
        if _is_fault_of_the_machine(error):
            raise
        columns = {**extractor.unread(file), "status": ERROR, "error": _told(error)}
    return _identify(extractor, file.key, columns, file.key.fingerprint)


class _InvalidRowError(DataError):
    """An extractor returned what its table cannot hold."""


def _checked(extractor: Extractor, columns: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the columns of a row; raises :class:`_InvalidRowError` for what its table does not declare."""
    table = extractor.table
    if not columns.keys() <= table.fillable:
        unknown = min(map(str, columns.keys() - table.fillable))
        raise _InvalidRowError(f"the extractor returned a column that its table does not declare: {unknown!a:.64}")
    for name in table.whole_numbers:
        if not isinstance(value := columns.get(name), int | None) and not isinstance(value, Integral):
            raise _InvalidRowError(_is_no(name, table[name].type))
    if (status := columns.get("status", OK)) not in table.meanings:
        raise _InvalidRowError(f"the extractor returned a status that its table does not declare: {str(status)!a:.64}")
    return columns


def _is_no(name: str, type_: pa.DataType) -> str:
    return f"the value of {name} is no {type_}"


def _told(error: Exception) -> str:
    """Return what went wrong; of an unforeseen error its kind and place only, for its text may quote the patient."""
    if isinstance(error, CallError | _InvalidRowError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


def _reason(error: OSError) -> str:
    return f"cannot be read: {error.strerror or type(error).__name__}"


def _unread(extractors: Iterable[Extractor], key: FileKey, error: str, fingerprint: str | None = None) -> Rows:
    """Return the rows of a file that was not read, or of a version of it that cannot be."""
    file = SourceFile(key, _NOTHING)
    return {
        extractor.table.name: _identify(
            extractor, key, {**extractor.unread(file), "status": ERROR, "error": error}, fingerprint
        )
        for extractor in extractors
    }


def _identify(extractor: Extractor, key: FileKey, columns: Mapping[str, Any], fingerprint: str | None) -> Row:
    return {
        "status": OK,
        "error": None,
        **columns,
        "prefix": key.prefix,
        "path": key.path,
        "fingerprint": fingerprint,
        "extractor_version": extractor.version,
    }


class _Nothing:
    """A file without content, for what is told by a name alone."""

    size = 0

    def read(self, offset: int, length: int) -> bytes:  # noqa: ARG002 - part of the protocol
        return b""


_NOTHING = _Nothing()


def to_batch(rows: Sequence[Row], table: ExtractedTable) -> pa.RecordBatch:
    """Return rows of one table as a record batch.

    A row with a value that its column cannot hold becomes one with the status ``error``, and the others stay.
    """
    struct = pa.struct(list(table.schema))
    try:
        made = pa.array(rows, struct)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        made = pa.array([_storable(row, struct) for row in rows], struct)
    return pa.RecordBatch.from_struct_array(made)


def _storable(row: Row, struct: pa.StructType) -> Row:
    """Return a row that its table can hold."""
    for field in struct:
        try:
            pa.array([row.get(field.name)], field.type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            kept = {name: row[name] for name in (*_IDENTITY, "extractor_version")}
            return {**kept, "status": ERROR, "error": _is_no(field.name, field.type)}
    return row
