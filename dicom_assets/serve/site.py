"""What is served, to whom, and what one request may cost."""

from dataclasses import dataclass, field
from pathlib import Path

from dicom_assets.archive.base import Archive
from dicom_assets.delta.lake import Lake
from dicom_assets.query.database import Catalog
from dicom_assets.query.engine import EngineOptions

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names of this machine to itself."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What requests may cost, one and all together.

    Attributes
    ----------
    threads
        Requests that are worked on at a time; others wait.
    query_seconds, query_bytes
        Time of a query of the tables, and memory of all of them together.
    kept_bytes
        Memory for the columns that lists look at, some 250 bytes a file; catalogs that take more are read from their
        data files for each page.
    url_bytes, header_bytes
        Longest target of a request, and all of its headers.
    form_bytes
        Longest form.
    results
        The most matches of one search; the answer says when there are more.
    frames
        The most frames of one request.
    waiting_bytes
        Memory for pieces of answers that clients have not read yet; those that have taken nothing for longest are cut
        off where it is more.

    """

    threads: int = 8
    query_seconds: float = 30.0
    query_bytes: int = 1 << 30
    kept_bytes: int = 1 << 30
    url_bytes: int = 16 << 10
    header_bytes: int = 32 << 10
    form_bytes: int = 64 << 10
    results: int = 10_000
    frames: int = 1_000
    waiting_bytes: int = 256 << 20


@dataclass(frozen=True, slots=True)
class Site:
    """What is served.

    Attributes
    ----------
    lake
        The lake and the schema of the catalog.
    source
        The archive as it is reached from here, or its root, where that is not as it was cataloged.
    token
        What a client has to show; ``None`` lets everyone in who can reach the port.
    hosts
        Names that clients may call this server by, beside numeric addresses: of others, a page from elsewhere may have
        made itself a name (DNS rebinding).
    dagster_url
        Address of the Dagster UI, for links to runs.
    viewer
        Folder of the viewer, where one is served.
    limits
        What requests may cost.

    """

    lake: Lake
    source: Archive | str | None = None
    token: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = LOOPBACK
    dagster_url: str | None = None
    viewer: Path | None = None
    limits: Limits = field(default_factory=Limits)

    def catalog(self) -> Catalog:
        """Return the catalog with the bounds of this site; nothing is read yet."""
        engine = EngineOptions(memory_bytes=self.limits.query_bytes, seconds=self.limits.query_seconds)
        return Catalog(self.lake, engine=engine, archive=self.source)
