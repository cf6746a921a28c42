"""TAR files, listed by one scan over their headers, which ``tarfile`` reads: old, ustar, GNU and pax."""

import io
import math
import tarfile
from collections.abc import Iterator

from dicom_assets.archive.containers.faults import ContainerError, Fault
from dicom_assets.archive.containers.kinds import Kind, safe_name
from dicom_assets.archive.containers.limits import MOST_HEADER_BYTES, MOST_MEMBERS
from dicom_assets.archive.containers.members import Member
from dicom_assets.archive.containers.places import How, Step
from dicom_assets.archive.containers.unpacking import Unpacked
from dicom_assets.archive.found_files import instant
from dicom_assets.dicom.source import ByteSource

_BLOCK = 1 << 20
"""A scan reads so much at once: one request of an object store for many small members, none for the inside of large."""
_HEADER = 512


class _File(io.RawIOBase):
    """A source as a file, for a reader that has to be kept from reading whatever a header says."""

    def __init__(self, source: ByteSource) -> None:
        super().__init__()
        self._source = source
        self._position = 0
        self._block, self._block_at = b"", 0

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:  # noqa: ARG002 - tarfile seeks from the beginning
        self._position = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_HEADER_BYTES:
            raise ContainerError(Fault.DAMAGED)
        data = self._buffered(size)
        while len(data) < size:
            self._block_at = self._position + len(data)
            self._block = self._source.read(self._block_at, _BLOCK)
            if not self._block:
                break
            data += self._block[: size - len(data)]
        self._position += len(data)
        return data

    def _buffered(self, size: int) -> bytes:
        start = self._position - self._block_at
        return self._block[start : start + size] if 0 <= start < len(self._block) else b""


def tar_members(source: ByteSource, kind: Kind) -> Iterator[Member]:
    """Yield the files of a TAR in their order.

    Hard links are files with the content of the file that they name. Symbolic links, devices, pipes and folders are
    left out, as in a folder.

    Parameters
    ----------
    source
        The TAR, unpacked.
    kind
        How it is packed.

    Raises
    ------
    ContainerError
        It is none, is damaged, or makes more of itself than is allowed.
    StorageError
        It cannot be read.

    """
    found: dict[str, Step] = {}
    file = _File(source)
    try:
        with tarfile.TarFile(fileobj=file, encoding="utf-8", errors="surrogateescape") as tar:
            for number, info in enumerate(_headers(tar, file)):
                if number == MOST_MEMBERS:
                    raise ContainerError(Fault.COUNT)
                if (member := _member(info, kind, found)) is not None:
                    if member.step.offset + member.step.packed > source.size:
                        raise ContainerError(Fault.DAMAGED)
                    yield member
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        begun = file.tell() > _HEADER or found
        raise ContainerError(_damage(source) or (Fault.DAMAGED if begun else Fault.OTHER)) from error
    if (fault := _damage(source)) is not None:
        raise ContainerError(fault)


def _damage(source: ByteSource) -> Fault | None:
    """Return why a compressed TAR ends before its end, ``None`` where it does not."""
    return source.damage.fault if isinstance(source, Unpacked) and source.damage else None


def _headers(tar: tarfile.TarFile, file: _File) -> Iterator[tarfile.TarInfo]:
    """Yield the headers of a TAR; what ends them has to be its end."""
    before = -1
    while (info := tar.next()) is not None:
        tar.members = []  # type: ignore[attr-defined]  # which it would keep to the end
        if tar.offset <= before or info.size < 0:
            raise ContainerError(Fault.DAMAGED)
        before = tar.offset
        yield info
    if before < 0:
        return
    file.seek(tar.offset)
    if file.read(_HEADER).strip(b"\0"):
        raise ContainerError(Fault.DAMAGED)


def _member(info: tarfile.TarInfo, kind: Kind, found: dict[str, Step]) -> Member | None:
    """Return the member of a header, ``None`` of what is no file."""
    if info.islnk():
        step = found.get(info.linkname)
        if step is None:
            return None
    elif info.isreg():
        how, packed = (How.SPARSE, 0) if info.issparse() else (How.STORED, info.size)
        step = Step(kind, info.offset_data, packed, how, info.size)
    else:
        return None
    found[info.name] = step
    name = safe_name(info.name)
    if not name:
        return None
    nanoseconds = int(info.mtime * 1_000_000_000) if math.isfinite(info.mtime) else 0
    return Member(name, instant(nanoseconds), f"{step.size}-{nanoseconds}", step)
