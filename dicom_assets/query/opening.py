"""From an address to a catalog that can be queried."""

from collections.abc import Mapping
from datetime import datetime

from dicom_assets.archive.base import Archive
from dicom_assets.delta.lake import Lake
from dicom_assets.query.database import Catalog
from dicom_assets.query.engine import EngineOptions


def open_catalog(
    uri: str,
    schema: str = "dicom",
    as_of: datetime | None = None,
    *,
    version: int | None = None,
    archive: Archive | str | None = None,
    storage_options: Mapping[str, str] | None = None,
    engine: EngineOptions | None = None,
) -> Catalog:
    """Return the catalog in a lake. Nothing is read before the first query.

    Parameters
    ----------
    uri
        Folder, ``file://`` URI, or URI of an object store, that holds the tables.
    schema
        Folder of the catalog in the lake.
    as_of
        Show every table as it was at this time (with its offset from UTC), by default as it is.
    version
        Show ``object_catalog`` at this version, and every other table as it was then.
    archive
        The archive as it is reached from here, or its root, where frames and volumes cannot be read from where it was
        when it was cataloged.
    storage_options
        Options of the object store, as delta-rs names them; what is not given comes from its usual environment
        variables.
    engine
        What queries may do beyond reading the tables, and how much of the machine they may take.

    Raises
    ------
    AddressError
        The lake is a folder that cannot be reached by its address.
    SchemaNameError
        The schema is not the name of a folder.
    CatalogError
        Both a time and a version are given.

    Examples
    --------
    >>> catalog = open_catalog("/data/lake")
    >>> catalog.sql("SELECT Modality, count(*) FROM object_catalog GROUP BY Modality").df()  # doctest: +SKIP

    """
    return Catalog(Lake(uri, schema, dict(storage_options or {})), as_of, engine or EngineOptions(), version, archive)
