"""What the index says of containers and their members, so that a container that did not change is not read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.containers.kinds import CONTAINER, OUTER
from dicom_assets.archive.containers.places import NESTED, PLACE, Marked
from dicom_assets.archive.listing import LISTING_SCHEMA, UNKNOWN, with_column

_VERSION = rf"{PLACE}(?P<version>(?s:.*))$"


@dataclass(frozen=True, slots=True)
class Remembered:
    """The rows of an index that are about containers.

    Attributes
    ----------
    marks
        What was said last of each container, by its path.
    members
        Rows of members, as :data:`~dicom_assets.archive.listing.LISTING_SCHEMA`, with the columns ``container`` and
        ``version`` of the container.

    """

    marks: Mapping[str, Marked]
    members: pa.Table

    @classmethod
    def of(cls, known: pa.Table) -> Self:
        """Return what an index remembers.

        Parameters
        ----------
        known
            Rows of files that are there: ``path``, ``source_version`` and whatever else of a listing they have.

        """
        told = known.filter(pc.is_valid(known["source_version"]))
        own = told.filter(pc.match_substring_regex(told["path"], CONTAINER))
        marks = {}
        for path, version in zip(own["path"].to_pylist(), own["source_version"].to_pylist(), strict=True):
            if (mark := Marked.parse(version)) is not None:
                marks[path] = mark
        placed = told.filter(are_members(told))
        rows = _as_listing(placed)
        rows = rows.append_column("container", containers_of(placed))
        version = pc.struct_field(pc.extract_regex(placed["source_version"], _VERSION), "version")
        return cls(marks, rows.append_column("version", version))

    @property
    def containers(self) -> frozenset[str]:
        """Paths of the containers that members are known of."""
        return frozenset(pc.unique(self.members["container"]).to_pylist())

    def current(self, versions: Mapping[str, str]) -> tuple[pa.Table, frozenset[str]]:
        """Return the members of containers that did not change, and which these containers are.

        Parameters
        ----------
        versions
            Of containers as they are now, by path.

        """
        asked = [
            path for path, version in versions.items() if path in self.marks and self.marks[path].version == version
        ]
        keys = pa.array([f"{path}\0{versions[path]}" for path in asked], pa.string())
        own = pc.binary_join_element_wise(self.members["container"], self.members["version"], "\0")
        rows = self.members.filter(pc.is_in(own, value_set=keys))
        counted = pc.value_counts(rows["container"].combine_chunks())
        counts = dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))
        whole = frozenset(path for path in asked if self.marks[path].members == counts.get(path, 0))
        rows = rows.filter(pc.is_in(rows["container"], value_set=pa.array(sorted(whole), pa.string())))
        return rows.select(LISTING_SCHEMA.names), whole

    def untold(self, containers: frozenset[str]) -> pa.Table:
        """Return the members of containers as files of which nothing is known but that they were there."""
        chosen = pc.is_in(self.members["container"], value_set=pa.array(sorted(containers), pa.string()))
        rows = self.members.filter(chosen).select(LISTING_SCHEMA.names)
        return with_column(rows, "fingerprint", pa.repeat(pa.scalar(UNKNOWN, pa.string()), rows.num_rows))


def _as_listing(rows: pa.Table) -> pa.Table:
    """Return rows with all columns of a listing, null where they lack one."""
    columns = [
        rows[field.name] if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for field in LISTING_SCHEMA
    ]
    return pa.table(columns, names=LISTING_SCHEMA.names).cast(_NULLABLE)


_NULLABLE = pa.schema([field.with_nullable(True) for field in LISTING_SCHEMA])


def are_members(rows: pa.Table) -> pa.ChunkedArray:
    """Return which files are members of containers, by their versions."""
    return pc.fill_null(pc.match_substring_regex(rows["source_version"], PLACE), fill_value=False)


def containers_of(rows: pa.Table) -> pa.ChunkedArray:
    """Return the paths of the containers that members are in."""
    one, two = (pc.struct_field(pc.extract_regex(rows["path"], OUTER[steps]), "container") for steps in (1, 2))
    return pc.if_else(pc.match_substring_regex(rows["source_version"], NESTED), two, one)
