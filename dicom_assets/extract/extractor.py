"""What an extractor is: the table that it fills, a version, and a function from a file to a row.

Everything else about the table follows from these three: it is incremental, partitioned, checked, documented and joined
into ``object_catalog`` like the tables that come with the package.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from dicom_assets.extract.source_file import SourceFile
from dicom_assets.extract.status import DEFAULT_STATUSES, CatalogStatus, Status
from dicom_assets.isolation import ChildLimits
from dicom_assets.tables import DERIVED, Column, Table


@dataclass(frozen=True)
class ExtractedTable(Table):
    """A table with one row for each file of the index, made from the content of the file.

    ``columns`` are the extractor's own at construction; those that all extracted tables share
    (:data:`~dicom_assets.tables.DERIVED`) come before them.

    Attributes
    ----------
    statuses
        Every state that a row can have; ``error`` is what a failure becomes, and has to be among them.
    status_column
        Name of the column of ``object_catalog`` that holds the status of the row; by default ``<name>_status``.
    codes_column
        Name of an own column that lists issues as structs with a ``code``: they explain a row without an error.

    """

    statuses: tuple[Status, ...] = DEFAULT_STATUSES
    status_column: str = ""
    codes_column: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", (*DERIVED, *self.columns))
        if not self.status_column:
            object.__setattr__(self, "status_column", f"{self.name}_status")

    @cached_property
    def own_columns(self) -> tuple[Column, ...]:
        """The columns that the extractor fills."""
        return self.columns[len(DERIVED) :]

    @cached_property
    def fillable(self) -> frozenset[str]:
        """Names that an extractor may return."""
        return frozenset({"status", "error", *(column.name for column in self.own_columns)})

    @cached_property
    def whole_numbers(self) -> tuple[str, ...]:
        """Names of the own columns that hold integers: Arrow would cut other numbers to one without a word."""
        return tuple(column.name for column in self.own_columns if pa.types.is_integer(column.type))

    @cached_property
    def meanings(self) -> Mapping[str, CatalogStatus]:
        """What each state says of the file as a whole."""
        return {str(status.value): status.means for status in self.statuses}


class Extractor(ABC):
    """Makes the rows of one table.

    A subclass sets :attr:`table` and :attr:`version` and defines :meth:`extract`. Instances travel to Spark workers and
    to child processes by pickle, so the class stands at the top of a module that can be imported there.

    Attributes
    ----------
    table
        The table that the rows are for.
    version
        Names the code and the options that shape the rows: when it changes, exactly these rows are made anew.
    limits
        What one call may cost. A call that crashes, hangs or eats memory costs its row only. ``None`` calls the
        extractor in the worker itself, which is faster and takes that worker down with it.
    beyond_head
        Whether it reads more of an ordinary file than its head, as for pixels. Whatever it says, any part of the file
        can be read; an object store is asked for what it needs in one request.

    """

    table: ExtractedTable
    version: str
    limits: ChildLimits | None = ChildLimits(seconds=30.0, memory_bytes=2 << 30)
    beyond_head: bool = True

    @abstractmethod
    def extract(self, file: SourceFile) -> Mapping[str, Any]:
        """Return the values of the table's own columns and ``status``; what is left out is null, and ``ok``.

        May be asked for any file, DICOM or not. An exception makes the row one with the status ``error``; its message
        stays out of the table, for it may quote the patient.
        """

    def refilled(self, version: str) -> str | None:  # noqa: ARG002 - for subclasses
        """Return the version of this extractor where rows of another hold all that it needs, else ``None``.

        Such rows are made anew by :meth:`refill`, and their files are not read.
        """
        return None

    def refill(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows of another version with their own columns as this one makes them.

        Parameters
        ----------
        rows
            All columns of the table; those that the rows do not have yet are null.

        """
        raise NotImplementedError

    def unread(self, file: SourceFile) -> Mapping[str, Any]:  # noqa: ARG002 - for subclasses
        """Return the columns of a file that could not be read, as far as its name tells."""
        return {}
