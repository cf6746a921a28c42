"""Who keeps columns of a table in memory, for one version of it after the other; see :mod:`dicom_assets.query.kept`."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from dicom_assets.query.errors import CatalogError
from dicom_assets.query.kept import Kept, TooLargeError
from dicom_assets.query.scans import TableDataset

_AT_ONCE = 64
"""So many data files are read while a request waits; more of them behind its back."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table are kept.

    Attributes
    ----------
    names
        Theirs; those that the table lacks are left out.
    unique
        Those of them with another text in almost every row.
    most_bytes
        Tables of which they take more are not kept.

    """

    names: tuple[str, ...]
    unique: frozenset[str]
    most_bytes: int


class Keeper:
    """Keeps columns of the latest version of one table, safe to use from several threads.

    Many data files are read on a thread of its own, so that nobody waits for them: meanwhile, and where a table takes
    more memory than it may, there is nothing kept.

    Parameters
    ----------
    columns
        Which.

    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._lock = threading.Lock()
        self._kept, self._names = Kept(), list[str]()
        self._loading: threading.Thread | None = None
        self._too_many: int | None = None

    def rows(self, dataset: TableDataset) -> pa.Table | None:
        """Return the kept columns of a version of the table; ``None`` where they are not in memory.

        Raises
        ------
        OSError, pyarrow.ArrowException
            A data file is gone, or cannot be read.

        """
        files = dataset.fragments
        with self._lock:
            if self._too_many is not None and len(files) >= self._too_many:
                return None
            if self._loading is not None:
                return None
            if len(files.keys() - self._kept.files) > _AT_ONCE:
                self._loading = threading.Thread(target=self._load, args=(dataset,), name="kept columns", daemon=True)
                self._loading.start()
                return None
            return self._follow(dataset, files).rows

    def wait(self) -> None:
        """Wait until nothing is read behind anybody's back."""
        loading = self._loading
        if loading is not None:
            loading.join()

    def _load(self, dataset: TableDataset) -> None:
        """Read a version on this thread; what fails there is tried again when somebody asks the next time."""
        try:
            self._follow(dataset, dataset.fragments)
        except (CatalogError, OSError, pa.ArrowException):
            pass  # a data file is gone: there is another version by now
        finally:
            self._loading = None

    def _follow(self, dataset: TableDataset, files: Mapping[str, object]) -> Kept:
        """Return the kept columns of a version, and keep them; nothing, where they would take too much memory."""
        names = [name for name in self._columns.names if name in dataset.schema.names]
        before = self._kept if names == self._names else Kept()  # the table may have got further columns
        texts = [name for name in names if pa.types.is_string(dataset.schema.field(name).type)]
        read = partial(_read, dataset, names)
        try:
            self._kept = before.followed(files, read, frozenset(texts) - self._columns.unique, self._columns.most_bytes)
            self._names = names
        except TooLargeError:
            self._kept, self._too_many = Kept(), len(files)
        return self._kept


def _read(dataset: TableDataset, names: Sequence[str], paths: Sequence[str]) -> Iterable[pa.Table]:
    return dataset.read(paths, names)
