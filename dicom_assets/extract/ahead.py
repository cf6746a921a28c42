"""What is fetched of a file before its turn: an ordinary one whole, in one request, where its pixels are wanted.

How many files are in flight is up to the archive (:mod:`dicom_assets.archive.prefetch`).
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from dicom_assets.archive.base import Archive
from dicom_assets.archive.prefetch import Opened, Upcoming, prefetch
from dicom_assets.extract.extractor import Extractor
from dicom_assets.extract.rows import Wanted
from dicom_assets.extract.source_file import HEAD_BYTES, ReadMeter, open_measured

ORDINARY_BYTES = 8 << 20
"""Size up to which a file is fetched whole where more than its head is wanted.

Slices and radiographs are smaller. What is larger mostly has many frames, of which one or a few are read, by range.
"""


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file whose turn has come.

    Attributes
    ----------
    wanted
        Which file, and what is wanted of it.
    meter
        Counts what is read of it, ahead or not.
    opened
        The file itself.

    """

    wanted: Wanted
    meter: ReadMeter
    opened: Opened


def opened_ahead(
    archive: Archive, extractors: Sequence[Extractor], files: Iterable[Wanted]
) -> Generator[OpenedFile, None, None]:
    """Yield files whose rows are to be made, each prefix in its turn; close the iterator where it is left early.

    Parameters
    ----------
    archive, extractors
        Where the files are, and what is made of them.
    files
        In the order of prefixes.

    """
    coming = (_upcoming(archive, extractors, wanted) for wanted in files)
    with closing(prefetch(coming, archive.prefetch)) as opened:
        for (wanted, meter), file in opened:
            yield OpenedFile(wanted, meter, file)


def _upcoming(archive: Archive, extractors: Sequence[Extractor], wanted: Wanted) -> Upcoming[tuple[Wanted, ReadMeter]]:
    meter, key = ReadMeter(), wanted.key
    beyond = any(extractor.beyond_head for extractor in extractors if extractor.table.name in wanted.tables)
    length = bytes_ahead((key.listed and key.listed.size) or 0, beyond_head=beyond)
    return Upcoming((wanted, meter), key.prefix, length, partial(open_measured, archive, key, meter))


def bytes_ahead(size: int, *, beyond_head: bool) -> int:
    """Return how many first bytes of a file are fetched before its turn.

    Parameters
    ----------
    size
        Of the file, in bytes.
    beyond_head
        Whether more than its head is wanted.

    """
    return size if beyond_head and size <= ORDINARY_BYTES else min(size, HEAD_BYTES)
