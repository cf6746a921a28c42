"""Delta tables as a Spark data source, for the data frames of users.

Spark tasks read and write data files; nothing of a table changes but by a commit on the driver
(:mod:`dicom_assets.delta.commit`), so a lost or repeated task leaves at most an orphaned file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from deltalake.transaction import AddAction
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.datasource import (
    DataSource,
    DataSourceArrowWriter,
    DataSourceReader,
    EqualTo,
    Filter,
    In,
    InputPartition,
    WriterCommitMessage,
)
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.files import DataFile, read_file, write_batches
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.snapshot import live_files, take_snapshot
from dicom_assets.delta.stored import stored_table
from dicom_assets.tables import PARTITION, Table

READ_FORMAT = "dicom_assets_delta"
STORAGE_OPTION = "storage."
"""Options that start like this are storage options of delta-rs."""


def register(spark: SparkSession) -> None:
    """Make the data source known to a session; doing it again changes nothing."""
    spark.dataSource.register(DeltaDataSource)


def read_table(
    spark: SparkSession,
    location: TableLocation,
    columns: Sequence[str] | None = None,
    version: int | None = None,
) -> DataFrame:
    """Return a table as a lazy data frame; only the given columns are read, and only data files a filter may meet."""
    register(spark)
    reader = spark.read.format(READ_FORMAT).options(**_storage_options(location))
    if version is not None:
        reader = reader.option("version", str(version))
    if columns is not None:
        schema = stored_table(location, version).schema
        reader = reader.schema(from_arrow_schema(pa.schema([schema.field(name) for name in columns])))
    return reader.load(location.uri)


def _storage_options(location: TableLocation) -> dict[str, str]:
    return {STORAGE_OPTION + name: value for name, value in location.storage_options.items()}


class DeltaDataSource(DataSource):
    """``spark.read.format("dicom_assets_delta").load(uri)``, and ``df.write`` in the modes append and overwrite.

    Options: ``version`` reads an older version, ``storage.<name>`` are storage options. A schema given by the user
    selects columns.
    """

    @classmethod
    def name(cls) -> str:
        """Name of the format."""
        return READ_FORMAT

    def _location(self) -> TableLocation:
        options = {
            name[len(STORAGE_OPTION) :]: value
            for name, value in self.options.items()
            if name.startswith(STORAGE_OPTION)
        }
        return TableLocation(self.options["path"], options)

    def _version(self) -> int | None:
        version = self.options.get("version")
        return None if version is None else int(version)

    def schema(self) -> StructType:
        """Return the whole schema of the table."""
        return from_arrow_schema(stored_table(self._location(), self._version()).schema)

    def reader(self, schema: StructType) -> DataSourceReader:
        """Return a reader of the columns of a schema."""
        return DeltaReader(self._location(), self._version(), tuple(schema.names))

    def writer(self, schema: StructType, overwrite: bool) -> DataSourceArrowWriter:  # noqa: ARG002 - as Spark calls it
        """Return a writer whose commit appends, or replaces all rows."""
        location = self._location()
        return DeltaWriter(location, stored_table(location), overwrite=overwrite)


@dataclass
class FilePartition(InputPartition):
    """One data file: the unit of parallel reading."""

    file: DataFile


class DeltaReader(DataSourceReader):
    """One Spark partition per data file; filters on prefix and key skip files by the log alone."""

    def __init__(self, location: TableLocation, version: int | None, columns: tuple[str, ...]) -> None:
        self._location = location
        self._table = stored_table(location, version)
        self._columns = columns
        self._version = version
        self._prefixes: frozenset[str] | None = None
        self._key: str | None = None

    def pushFilters(self, filters: list[Filter]) -> Iterator[Filter]:  # noqa: N802 - Spark's name
        """Remember what can skip files; Spark applies every filter to the rows all the same."""
        for given in filters:
            match given:
                case EqualTo(attribute=(column,), value=value) if column == PARTITION:
                    self._narrow({value})
                case In(attribute=(column,), value=values) if column == PARTITION:
                    self._narrow(set(values))
                case EqualTo(attribute=(column,), value=value) if column == self._table.key:
                    self._key = value
                case _:
                    pass
            yield given

    def _narrow(self, prefixes: set[str]) -> None:
        self._prefixes = frozenset(prefixes if self._prefixes is None else self._prefixes & prefixes)

    def partitions(self) -> Sequence[InputPartition]:
        """Return the data files that may hold rows of interest."""
        files = live_files(self._location.open(self._version), self._prefixes, self._table.key)
        key = self._key
        return [FilePartition(file) for file in files if key is None or file.may_hold(key, key)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one data file."""
        assert isinstance(partition, FilePartition)
        yield from read_file(self._location.filesystem(), self._table, partition.file, self._columns)


@dataclass
class WrittenFiles(WriterCommitMessage):
    """Data files that one task wrote."""

    adds: list[AddAction]


class DeltaWriter(DataSourceArrowWriter):
    """Writes the rows of one table; the commit is one version."""

    def __init__(self, location: TableLocation, table: Table, *, overwrite: bool) -> None:
        self._location = location
        self._table = table
        self._overwrite = overwrite

    def write(self, iterator: Iterator[pa.RecordBatch]) -> WriterCommitMessage:
        """Write one task's rows, sorted so that each prefix makes one data file."""
        batches = [batch.select(self._table.schema.names).cast(self._table.schema) for batch in iterator]
        rows = pa.Table.from_batches(batches, self._table.schema)
        rows = rows.sort_by([(name, "ascending") for name in self._table.identity])
        return WrittenFiles(write_batches(self._location.for_writing(), self._table, rows.to_batches()))

    def commit(self, messages: list[WriterCommitMessage | None]) -> None:
        """Add the files, and with overwrite remove all others, in one version."""
        adds = [add for message in messages if isinstance(message, WrittenFiles) for add in message.adds]
        written = {str(add.partition_values[PARTITION]) for add in adds}
        removes = live_files(self._location.open()) if self._overwrite else ()
        prefixes = sorted(written | {file.prefix for file in removes})
        seen = take_snapshot(self._location, self._table, prefixes).writes
        commit(self._location, Change(adds, removes, seen))
