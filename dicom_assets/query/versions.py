"""All tables as they were at one version of ``object_catalog``, told by the times of commits in their logs."""

from datetime import datetime
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from dicom_assets.delta.history import CommitLog
from dicom_assets.delta.lake import CATALOG_TABLE
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.newest import newest
from dicom_assets.query.errors import CatalogError
from dicom_assets.tables import KEY, SOURCE


def load_version(catalog: TableLocation, version: int, location: TableLocation, delta: DeltaTable) -> None:
    """Load a table as it was when ``object_catalog`` had a version.

    ``object_catalog`` itself is loaded at that version. A table that it is made of, with a row for each file, is loaded
    as of the commit of that version, which came after theirs. Any other, which may be made of it, such as ``series``
    and tables of users, is loaded as it was last before the next version of ``object_catalog``.

    Parameters
    ----------
    catalog
        Where ``object_catalog`` is.
    version
        Of ``object_catalog``.
    location, delta
        The table to load, opened at its newest version.

    Raises
    ------
    CatalogError
        There is no such version, a log does not tell of it any more, or the table was not there yet.
    DeltaError
        The version cannot be loaded.

    """
    if location.uri == catalog.uri:
        _check(delta.version(), version)
        delta.load_as_version(version)
        return
    made, followed = _span(catalog, version)
    log = CommitLog(location, delta.version())
    for commit in log:
        if commit.at <= made or (not _is_parent(delta) and (followed is None or commit.at < followed)):
            delta.load_as_version(commit.version)
            return
    name = location.uri.rpartition("/")[2]
    if log.oldest == 0:
        raise CatalogError(f"there was no table {name} at version {version} of object_catalog")
    raise CatalogError(f"the log of {name} does not go back to version {version} of object_catalog")


def _span(catalog: TableLocation, version: int) -> tuple[datetime, datetime | None]:
    """Return when a version of ``object_catalog`` was committed, and when the next one was, if there is one."""
    last = newest(catalog).version()
    _check(last, version)
    followed: datetime | None = None
    for commit in CommitLog(catalog, last):
        if commit.version == version:
            return commit.at, followed
        followed = commit.at
    raise CatalogError(f"the log of object_catalog does not go back to version {version}")


def _check(last: int, version: Any) -> None:
    if not 0 <= version <= last:
        raise CatalogError(f"object_catalog has no version {version}: it has 0 to {last}")


def _is_parent(delta: DeltaTable) -> bool:
    """Return whether ``object_catalog`` is made of a table: one of the catalog, with a row for each file."""
    properties = delta.metadata().configuration  # those of the index say what it belongs to
    ours = SOURCE in properties or properties.get(CATALOG_TABLE) == "true"
    return ours and KEY in pa.schema(delta.schema().to_arrow()).names
