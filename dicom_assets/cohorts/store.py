"""The tables of cohorts: one Delta table each, whose versions are those of the cohort, and are never taken away.

They are in a schema of their own beside that of the catalog, so that their names are free and maintenance of the
catalog passes them by. They do without the catalog: the rows are copied, and the files of old versions stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from deltalake import CommitProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from dicom_assets.cohorts.errors import CohortError, NoCohortError
from dicom_assets.cohorts.members import SCHEMA
from dicom_assets.cohorts.recipe import Reference
from dicom_assets.cohorts.record import COHORT, Record
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import LakeError, TableLocation
from dicom_assets.query.errors import one_line
from dicom_assets.storage.retries import retry_lost_race

COHORTS = ".cohorts"
"""What the schema of a catalog's cohorts ends in."""

_FOR_EVER = "interval 36500 days"
_ATTEMPTS = 15
_PROPERTIES: dict[str, str | None] = {
    # What others that vacuum a lake go by: versions of a cohort are there to be read years later.
    "delta.deletedFileRetentionDuration": _FOR_EVER,
    "delta.logRetentionDuration": _FOR_EVER,
    "delta.enableExpiredLogCleanup": "false",
}


def cohort_schema(schema: str) -> str:
    """Return the schema of the cohorts of a catalog, from that of the catalog."""
    return f"{schema}{COHORTS}"


@dataclass(frozen=True, slots=True)
class CohortStore:
    """The cohorts of one catalog.

    Attributes
    ----------
    lake
        Of the catalog.

    """

    lake: Lake

    @property
    def _schema(self) -> Lake:
        return replace(self.lake, schema=cohort_schema(self.lake.schema))

    def location(self, name: str) -> TableLocation:
        """Return where the table of a cohort is."""
        tables = self._schema
        return TableLocation(f"{tables.root.rstrip('/')}/{tables.schema}/{name}", tables.storage_options)

    def names(self) -> tuple[str, ...]:
        """Return the names of the cohorts that there are."""
        return tuple(sorted(self._schema.table_names()))

    def versions(self, name: str) -> tuple[Record, ...]:
        """Return all versions of a cohort, the oldest first; raises :class:`NoCohortError`."""
        try:
            commits = self.location(name).open().history()
        except TableNotFoundError as error:
            there = ", ".join(self.names()) or "none yet"
            raise NoCohortError(f"there is no cohort {name}; there are: {there}") from error
        found = (Record.of_commit(name, commit) for commit in commits)
        records = tuple(sorted((r for r in found if r is not None), key=lambda record: record.version))
        if not records:
            raise NoCohortError(f"the table at {self.location(name).uri} is none of a cohort")
        return records

    def record(self, reference: Reference) -> Record:
        """Return one version of a cohort; raises :class:`NoCohortError`."""
        versions = self.versions(reference.name)
        if reference.version is None:
            return versions[-1]
        for record in versions:
            if record.version == reference.version:
                return record
        numbers = ", ".join(str(record.version) for record in versions)
        raise NoCohortError(f"there is no {reference}; there are the versions {numbers}")

    def read(self, record: Record, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the members of one version, in the order of ``relative_path``.

        Raises
        ------
        CohortError
            It has no such column, or files of its table are gone.
        LakeError
            The table cannot be reached.

        """
        names = SCHEMA.names if columns is None else list(columns)
        if missing := [name for name in names if name not in SCHEMA.names]:
            raise CohortError(f"a cohort has no column {', '.join(missing)}; it has {', '.join(SCHEMA.names)}")
        wanted = list(dict.fromkeys([*names, "relative_path", "path"]))
        try:
            rows = pa.table(self.location(record.name).open(record.version).scan(columns=wanted))
        except (DeltaError, pa.ArrowException) as error:
            if "not found" in str(error):
                raise CohortError(f"{record.reference} cannot be read: data files of its table are gone") from error
            raise LakeError(f"{record.reference} cannot be read: {one_line(error)}") from error
        # delta-rs returns views, which few libraries take, in no order.
        plain = rows.select(wanted).cast(pa.schema([SCHEMA.field(name) for name in wanted]))
        return plain.sort_by([("relative_path", "ascending"), ("path", "ascending")]).select(names)

    def write(self, rows: pa.Table, record: Record, metadata: dict[str, str]) -> tuple[Record, bool]:
        """Make a version of the cohort, unless its latest has the same members.

        Parameters
        ----------
        rows
            Members, as :data:`SCHEMA`.
        record
            What to say of them; the version that it names does not count.
        metadata
            Of the commit besides.

        Returns
        -------
        Record, bool
            The version that holds the members, and whether it is new.

        """
        said = {**metadata, COHORT: record.to_json()}

        def write() -> tuple[Record, bool]:
            location = self.location(record.name)
            if not location.exists():
                self._create(rows, record.name, said)
                return self._written(record)
            delta = location.open()
            latest = self.record(Reference(record.name))
            if latest.digest == record.digest:
                return latest, False
            # Of the version that was looked at: a commit in between refuses this one.
            properties = CommitProperties(custom_metadata=said)
            write_deltalake(delta, rows, mode="overwrite", commit_properties=properties)
            return self._written(record)

        return retry_lost_race(write, CommitFailedError, _ATTEMPTS)

    def _create(self, rows: pa.Table, name: str, said: dict[str, str]) -> None:
        """Create the table with its first version; raises ``CommitFailedError`` where another one was faster."""
        location = self.location(name)
        location.make_folder()
        try:
            write_deltalake(
                location.uri,
                rows,
                name=name,
                description="A cohort: files chosen by a query. Each version holds all of its members.",
                configuration=_PROPERTIES,
                storage_options=dict(location.storage_options),
                # Tried again, the commit would add its rows to those of another that had created the table.
                commit_properties=CommitProperties(custom_metadata=said, max_commit_retries=0),
            )
        except DeltaError as error:
            if isinstance(error, CommitFailedError) or not location.exists():
                raise
            raise CommitFailedError(str(error)) from error

    def _written(self, record: Record) -> tuple[Record, bool]:
        versions = (made for made in self.versions(record.name) if made.digest == record.digest)
        return max(versions, key=lambda made: made.version), True
