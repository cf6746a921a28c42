"""The file of a member, opened as the version that the cohort names, or not at all."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from dicom_assets.archive.base import Archive
from dicom_assets.archive.versions import FileChangedError, Listed
from dicom_assets.cohorts.members import Member
from dicom_assets.dicom.source import ByteSource
from dicom_assets.extract.source_file import HEAD_BYTES, head_digest
from dicom_assets.pipeline.versions import mark_of

READERS = 16
"""Reading files is waiting for the storage."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@contextmanager
def opened(archive: Archive, member: Member) -> Iterator[ByteSource]:
    """Open the file of a member; nothing that was read of it is certain before the context is left.

    Raises
    ------
    FileChangedError
        It is another version than the member.
    FileNotFoundError
        It is gone.
    OSError
        It cannot be opened, or not be read.

    """
    mark = None if member.etag else mark_of(member.fingerprint)
    version = member.etag or (member.fingerprint if mark is None else member.fingerprint.removesuffix(f"-{mark}"))
    with archive.open(member.path, Listed(member.size, version)) as source:
        # Size and time do not tell such a version from another one: its fingerprint names the head, too.
        if mark is not None and head_digest(source.read(0, HEAD_BYTES)) != mark:
            raise FileChangedError("the file is not the version that was listed")
        yield source


def side_by_side(work: Callable[[_Item], _Result], items: Iterable[_Item], threads: int = READERS) -> Iterator[_Result]:
    """Yield what a function returns for each item, in order, some ahead; an error ends it, and what was not begun.

    Parameters
    ----------
    work
        Called on threads.
    items
        Taken as they are needed: there may be millions.
    threads
        How many at a time.

    """
    coming, ahead = iter(items), list[Future[_Result]]()
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                ahead += [pool.submit(work, item) for item in islice(coming, 4 * threads - len(ahead))]
                if not ahead:
                    return
                yield ahead.pop(0).result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
