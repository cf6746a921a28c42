"""One version of a cohort, to work with: its members, what has become of them, their files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from dicom_assets.archive.base import Archive
from dicom_assets.archive.opening import open_archive
from dicom_assets.archive.sources import read
from dicom_assets.cohorts.compare import Comparison, compare
from dicom_assets.cohorts.copying import Mode
from dicom_assets.cohorts.errors import CohortError
from dicom_assets.cohorts.export import Exported, Task, export
from dicom_assets.cohorts.recipe import Reference
from dicom_assets.cohorts.record import Record
from dicom_assets.cohorts.selection import source_of
from dicom_assets.cohorts.store import CohortStore
from dicom_assets.cohorts.verify import Progress, Verification, at_present, verify_against_index, verify_files
from dicom_assets.query.database import Catalog
from dicom_assets.query.opening import open_catalog


@dataclass(frozen=True, slots=True)
class Cohort:
    """One version of a cohort.

    Attributes
    ----------
    catalog
        That it was made from.
    record
        What its commit says of it.

    """

    catalog: Catalog
    record: Record

    def __str__(self) -> str:
        """Return its name and version."""
        return str(self.record.reference)

    def members(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the members in the order of ``relative_path``, with the paths that they had.

        Parameters
        ----------
        columns
            Names of :data:`~dicom_assets.cohorts.members.MEMBERS`, by default all.

        Raises
        ------
        CohortError
            There is no such column, or the table cannot be read.

        """
        return CohortStore(self.catalog.lake).read(self.record, columns)

    def present(self) -> pa.Table:
        """Return the members with the paths that they have now, where the archive has been moved since."""
        return at_present(self.members(), self.catalog.lake, self.record.source)

    def verify(
        self, *, files: bool = False, archive: Archive | None = None, progress: Progress | None = None
    ) -> Verification:
        """Tell which members have changed, or are gone.

        Parameters
        ----------
        files
            Look at the files themselves, too; by default, the index of the catalog is believed.
        archive
            Where the files are; by default as the catalog says, with the usual credentials.
        progress
            Is told of each file that was looked at.

        Raises
        ------
        ArchiveError
            The archive as a whole is out of reach.

        """
        rows = self.present()
        known = verify_against_index(rows, self.catalog.lake)
        return verify_files(rows, archive or self.archive(), known, progress) if files else known

    def compare(self, other: "Cohort") -> Comparison:
        """Tell how another cohort, or another version of this one, differs from it."""
        return compare(self.present(), other.present())

    def export(
        self,
        folder: Path | str,
        mode: Mode = Mode.COPY,
        *,
        archive: Archive | None = None,
        progress: Progress | None = None,
    ) -> Exported:
        """Write the files of the members to a folder, by patient, study and series, with a manifest.

        Called again on the same folder, it goes on where it stopped. Files that are not what they were are left out.

        Parameters
        ----------
        folder
            New, empty, or one that holds an export of the same members.
        mode
            Copy, or link.
        archive, progress
            As for :meth:`verify`.

        Raises
        ------
        ExportError
            The folder is not free, or files cannot be linked.
        FolderError
            The folder cannot be written.
        ArchiveError
            The archive as a whole is out of reach.

        """
        rows = self.present()
        task = Task(self.record, rows, archive or self.archive(), Path(folder).absolute(), mode)
        return export(task, verify_against_index(rows, self.catalog.lake), progress)

    def archive(self, *, follow_outside_links: bool = False) -> Archive:
        """Return the archive of the catalog; raises :class:`CohortError` where the catalog does not tell.

        Not the one that the catalog was opened with: the paths of members are below the root that the tables state.
        """
        source = source_of(self.catalog) or self.record.source
        if not source:
            raise CohortError("the catalog does not tell where its archive is: update it once")
        return open_archive(read(source), 0, lake=self.catalog.lake.root, follow_outside_links=follow_outside_links)


def open_cohort(catalog: Catalog | str, reference: str) -> Cohort:
    """Return a cohort.

    Parameters
    ----------
    catalog
        The catalog, or the folder or bucket URI of its tables.
    reference
        Its name, or ``name@version``.

    Raises
    ------
    NoCohortError
        There is none of that name and version.

    """
    opened = open_catalog(catalog) if isinstance(catalog, str) else catalog
    return Cohort(opened, CohortStore(opened.lake).record(Reference.parse(reference)))


def list_cohorts(catalog: Catalog | str) -> tuple[Cohort, ...]:
    """Return the latest version of every cohort of a catalog, by name."""
    opened = open_catalog(catalog) if isinstance(catalog, str) else catalog
    store = CohortStore(opened.lake)
    return tuple(Cohort(opened, store.record(Reference(name))) for name in store.names())
