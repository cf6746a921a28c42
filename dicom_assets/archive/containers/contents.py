"""What one container holds, as rows of a listing."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.containers.faults import ContainerError, Fault, MemberError
from dicom_assets.archive.containers.kinds import SEPARATOR, Kind, kind_of, member_path
from dicom_assets.archive.containers.limits import MOST_MEMBERS
from dicom_assets.archive.containers.members import Member
from dicom_assets.archive.containers.places import suffix_of, with_fault
from dicom_assets.archive.containers.reading import list_container, nested_kind, open_member, open_stream
from dicom_assets.archive.listing import LISTING_SCHEMA, with_column
from dicom_assets.archive.versions import Listed
from dicom_assets.dicom.source import ByteSource
from dicom_assets.storage.addresses import shown

_BATCH = 1 << 16


class ContainerFile(NamedTuple):
    """A container, as its own row of a listing tells of it.

    Attributes
    ----------
    prefix, path, relative_path, fingerprint
        As in the listing.
    listed
        The version to read.

    """

    prefix: str
    path: str
    relative_path: str
    fingerprint: str
    listed: Listed


@dataclass(frozen=True, slots=True)
class Contents:
    """What a container holds.

    Attributes
    ----------
    rows
        Its members, as :data:`~dicom_assets.archive.listing.LISTING_SCHEMA`, in the order of paths.
    fault
        Why there may be more of them; :attr:`~dicom_assets.archive.containers.faults.Fault.OTHER` where the file is no
        container.

    """

    rows: pa.Table = field(default_factory=LISTING_SCHEMA.empty_table)
    fault: Fault | None = None


def read_contents(file: ContainerFile, source: ByteSource) -> Contents:
    """List a container.

    Of a damaged TAR the members before the damage are listed, as a file that is cut is read up to there; of a container
    that makes more of itself than is allowed, none.

    Parameters
    ----------
    file, source
        The container, and its bytes.

    Raises
    ------
    StorageError
        It cannot be read.

    """
    kind = kind_of(file.path)
    assert kind is not None, "chosen by its name"
    gathered = _Gathered(file, kind)
    fault: Fault | None = None
    try:
        for member, steps in gathered.walk(source):
            gathered.take(member, steps)
    except ContainerError as error:
        if error.fault is not Fault.DAMAGED or kind is Kind.ZIP:
            return Contents(fault=error.fault)
        fault = error.fault
    except (ValueError, ArithmeticError, LookupError, struct.error):
        # Whatever strangers' bytes make of a reader costs this container, and not the listing of its folder.
        return Contents(fault=Fault.DAMAGED)
    return Contents(_told_apart(gathered.table()), fault)


@dataclass(slots=True)
class _Gathered:
    """The rows of a container on their way into columns."""

    file: ContainerFile
    kind: Kind
    tables: list[pa.Table] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    count: int = 0

    def walk(self, source: ByteSource) -> Iterator[tuple[Member, str]]:
        """Yield the members with the steps to them, those of nested containers behind each."""
        stream = open_stream(source, self.kind)
        inner: list[tuple[Member, Kind]] = []
        for member in list_container(stream, self.kind):
            # A compressed TAR goes forward only: what is nested in it waits until it has been listed.
            if (kind := nested_kind(member)) is not None:
                inner.append((member, kind))
            else:
                yield member, str(member.step)
        for member, kind in inner:
            yield from _nested(stream, member, kind)

    def take(self, member: Member, steps: str) -> None:
        """Add a row."""
        self.count += 1
        if self.count > MOST_MEMBERS:
            raise ContainerError(Fault.COUNT)
        self.members.append(member)
        self.versions.append(steps)
        if len(self.members) == _BATCH:
            self._flush()

    def table(self) -> pa.Table:
        """Return all rows in the order of paths."""
        self._flush()
        return pa.concat_tables([LISTING_SCHEMA.empty_table(), *self.tables]).sort_by("path")

    def _flush(self) -> None:
        file, count = self.file, len(self.members)
        if not count:
            return
        bound = f"@{file.fingerprint}" if self.kind.is_stream else ""
        place = suffix_of(file.listed)
        relative = file.relative_path + SEPARATOR
        columns = [
            pa.repeat(file.prefix, count),
            pa.array([member_path(file.path, member.name) for member in self.members], pa.string()),
            pa.array([relative + shown(member.name) for member in self.members], pa.string()),
            pa.array([member.step.size for member in self.members], pa.int64()),
            pa.array([member.modified_at for member in self.members], LISTING_SCHEMA.field("modified_at").type),
            pa.nulls(count, pa.string()),
            pa.array([member.fingerprint + bound for member in self.members], pa.string()),
            pa.array([steps + place for steps in self.versions], pa.string()),
        ]
        self.tables.append(pa.table(columns, schema=LISTING_SCHEMA))
        self.members, self.versions = [], []


def _nested(stream: ByteSource, member: Member, kind: Kind) -> Iterator[tuple[Member, str]]:
    """Yield a member that is a container, and what it holds; what is nested in that is not looked into.

    A nested container that is damaged does no harm to the others.
    """
    found: list[tuple[Member, str]] = []
    fault: Fault | None = None
    try:
        inner = open_stream(open_member(stream, member.step), kind)
        for one in islice(list_container(inner, kind), MOST_MEMBERS + 1):
            name = f"{member.name}{SEPARATOR}{one.name}"
            # A nested TAR is as its member is: what tells that from another tells its members apart.
            fingerprint = one.fingerprint if kind is Kind.ZIP else f"{one.fingerprint}@{member.fingerprint}"
            found.append((one._replace(name=name, fingerprint=fingerprint), f"{member.step}/{one.step}"))
    except ContainerError as error:
        fault = None if error.fault is Fault.OTHER else error.fault
        found = found if fault is Fault.DAMAGED and kind is not Kind.ZIP else []
    except MemberError:
        found = []  # its own row says why
    step = member.step._replace(fault=fault)
    yield member._replace(fingerprint=with_fault(member.fingerprint, fault), step=step), str(step)
    yield from found


def _told_apart(rows: pa.Table) -> pa.Table:
    """Return rows with paths of their own. Of several members of one name, the last has it, as when it is unpacked.

    Those before it are ``name;1``, ``name;2`` in the order in which they stand in the container.

    Parameters
    ----------
    rows
        In the order of paths.

    """
    ordered = rows["path"].combine_chunks()
    several = ordered[1:].filter(pc.equal(ordered[1:], ordered[:-1]))
    if not len(several):
        return rows
    paths, relative = rows["path"].to_pylist(), rows["relative_path"].to_pylist()
    taken = set(paths)
    places: dict[str, list[int]] = {}
    for place in pc.indices_nonzero(pc.is_in(rows["path"], several)).to_pylist():
        places.setdefault(paths[place], []).append(place)
    versions = rows["source_version"].to_pylist()
    for path, same in places.items():
        same.sort(key=lambda place: int(versions[place].split(":")[1]))
        number = 0
        for place in same[:-1]:
            number += 1
            while f"{path};{number}" in taken:
                number += 1
            taken.add(f"{path};{number}")
            paths[place], relative[place] = f"{path};{number}", f"{relative[place]};{number}"
    for name, values in (("path", paths), ("relative_path", relative)):
        rows = with_column(rows, name, pa.array(values, pa.string()))
    return rows.sort_by("path")
