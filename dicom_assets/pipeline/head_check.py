"""Whether a file is still the version that the catalog has, told by its head: the cheap part of reading it again.

The head holds the header of most files, and all of a small one. What differs behind it only, at equal size and time of
last modification, is not seen.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.base import Archive
from dicom_assets.archive.containers.reading_order import streams_of
from dicom_assets.archive.versions import Listed
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.metadata import FILE_METADATA
from dicom_assets.extract.source_file import HEAD_BYTES, head_digest
from dicom_assets.pipeline.versions import KNOWN, mark_of, marked
from dicom_assets.tables import KEY

_READERS = 16
"""Reading heads is waiting for the storage."""
_BATCH = 256

_UNKNOWN = "0"


@dataclass(frozen=True, slots=True)
class HeadCheck:
    """Reads the heads of suspects and compares them with those that the catalog has.

    Attributes
    ----------
    lake, archive, prefixes
        Where the suspects are from.

    """

    lake: Lake
    archive: Archive
    prefixes: Sequence[str]

    def __call__(self, suspects: pa.Table) -> list[str | None]:
        """Return the fingerprints of suspects, ``None`` where the head cannot be read.

        A file of which the catalog has no head is taken for another version.

        Raises
        ------
        ArchiveError
            The archive as a whole is out of reach.

        """
        speakers = streams_of(suspects)
        if speakers.null_count == len(speakers):
            return self._verify(suspects)
        # Members of a compressed TAR are as it is: unpacking it for the head of each would read all of it.
        of_their_own = pc.is_null(speakers)
        own = suspects.filter(of_their_own)
        said = dict(zip(own[KEY].to_pylist(), zip(own[KNOWN].to_pylist(), self._verify(own), strict=True), strict=True))
        columns = (suspects[KEY], speakers, suspects["fingerprint"], suspects[KNOWN])
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        return [
            said[path][1] if speaker is None else _inherited(said.get(speaker), *versions)
            for path, speaker, *versions in rows
        ]

    def _verify(self, suspects: pa.Table) -> list[str | None]:
        found = self._heads(suspects)
        if None in found:
            self.archive.check()
        columns = (suspects["fingerprint"].to_pylist(), suspects[KNOWN].to_pylist(), self._known_heads(suspects), found)
        return [_fingerprint(*row) for row in zip(*columns, strict=True)]

    def _known_heads(self, suspects: pa.Table) -> list[str | None]:
        """Return the digests of the heads that the catalog was made from, ``None`` where it has none."""
        rows = self.lake.snapshot(FILE_METADATA, self.prefixes).keys(["fingerprint", "head_digest"])
        aligned = rows.take(pc.index_in(suspects[KEY], value_set=rows[KEY].combine_chunks()).combine_chunks())
        valid = pc.equal(aligned["fingerprint"], suspects[KNOWN])
        digests: list[str | None] = pc.if_else(valid, aligned["head_digest"], pa.scalar(None, pa.string())).to_pylist()
        return [digest or mark_of(known) for digest, known in zip(digests, suspects[KNOWN].to_pylist(), strict=True)]

    def _heads(self, suspects: pa.Table) -> list[str | None]:
        """Return the digests of the heads as they are, side by side."""
        parts = [suspects.slice(start, _BATCH) for start in range(0, suspects.num_rows, _BATCH)]
        with ThreadPoolExecutor(_READERS) as pool:
            return [digest for digests in pool.map(self._heads_of, parts) for digest in digests]

    def _heads_of(self, suspects: pa.Table) -> list[str | None]:
        rows = suspects.select([KEY, "size", "source_version"]).to_pylist()
        return [self._head(row[KEY], Listed(row["size"], row["source_version"])) for row in rows]

    def _head(self, path: str, listed: Listed) -> str | None:
        try:
            with self.archive.open(path, listed) as source:
                digest = head_digest(source.read(0, HEAD_BYTES))
        except OSError:
            return None
        return digest


def presume_other(suspects: pa.Table) -> list[str | None]:
    """Return fingerprints of suspects that are none of the index: for who wants to know what a run would look at."""
    return [marked(fingerprint, _UNKNOWN) for fingerprint in suspects["fingerprint"].to_pylist()]


def _inherited(container: tuple[str, str | None] | None, listed: str, known: str) -> str | None:
    """Return the fingerprint of a member by what was found of its container: the versions before and now."""
    if container is None:
        return marked(listed, _UNKNOWN)
    before, now = container
    if now is None or now == before:
        return None if now is None else known
    return marked(listed, mark_of(now) or _UNKNOWN)


def _fingerprint(listed: str, known: str, head: str | None, found: str | None) -> str | None:
    if found is None:
        return None
    return known if found == head else marked(listed, found)
