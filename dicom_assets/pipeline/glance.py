"""What there is to do in a prefix, told by one look where that is plain: it is settled, or new to all tables.

An archive is looked at far more often than it changes, and all of it: what is compared of a settled prefix is dropped
before the next one is, and nothing is joined. The answer is that of :mod:`dicom_assets.pipeline.pending`, or none.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.base import Archive
from dicom_assets.archive.containers.archive import glancing
from dicom_assets.archive.listing import UNKNOWN
from dicom_assets.archive.prefixes import PrefixError
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.changes import as_listed, is_grouped, known_files
from dicom_assets.pipeline.join import whole_version
from dicom_assets.pipeline.listings import Listings, at_a_time, list_prefix
from dicom_assets.pipeline.rollup.due import MEMBER
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION

_AHEAD = 128
"""Prefixes that are asked for at once: their answers are small, and few wait."""
_VERSION = (KEY, "fingerprint")


@dataclass(frozen=True, slots=True)
class Glance:
    """What one look at a prefix tells.

    Attributes
    ----------
    prefix
        The prefix.
    settled
        Whether a run would find nothing to do.
    new
        Number of its files, where no table has a row of it; ``None`` where it has to be compared.

    """

    prefix: str
    settled: bool = False
    new: int | None = None


def glance_at(archive: Archive, state: CatalogState, prefixes: Sequence[str]) -> Iterator[Glance]:
    """Look at prefixes side by side, and yield what that tells of each, in their order.

    What cannot be listed whole is neither settled nor new: who compares it finds the reason.
    """
    with ThreadPoolExecutor(at_a_time(archive), thread_name_prefix="glance") as pool:
        for start in range(0, len(prefixes), _AHEAD):
            yield from pool.map(lambda prefix: _glance(archive, state, prefix), prefixes[start : start + _AHEAD])


def _glance(archive: Archive, state: CatalogState, prefix: str) -> Glance:
    try:
        listings = list_prefix(glancing(archive), prefix, lambda _: known_files(state, prefix))
    except (OSError, PrefixError):
        return Glance(prefix)
    if listings.unlisted or pc.any(pc.equal(listings.files["fingerprint"], UNKNOWN)).as_py():
        return Glance(prefix)
    if prefix not in state.prefixes:
        return Glance(prefix, settled=not listings.files.num_rows, new=listings.files.num_rows)
    return Glance(prefix, settled=is_settled(state, prefix, listings))


def is_settled(state: CatalogState, prefix: str, listings: Listings) -> bool:
    """Return whether the tables hold what is listed of a prefix, row by row, and no row more.

    Parameters
    ----------
    state
        What the tables hold.
    prefix
        The prefix.
    listings
        All of its files.

    """
    index = _ordered(state.rows(FILE_INDEX.name, prefix, ["fingerprint", "source_version", "removed_at"]))
    if index["removed_at"].null_count < index.num_rows:
        return False
    if not _equal(as_listed(index), as_listed(_ordered(listings.files))):
        return False
    model = state.model
    for extractor in model.extractors:
        rows = _ordered(state.rows(extractor.table.name, prefix, ["fingerprint", "extractor_version"]))
        if not (_equal(rows, index) and _all_are(rows["extractor_version"], extractor.version)):
            return False
    more = dict.fromkeys([*MEMBER, *(table.key for table in model.rollups)]) if model.rollups else {}
    columns = {**dict.fromkeys(["fingerprint", "extractor_version", "removed_at"]), **more}
    catalog = _ordered(state.rows(model.catalog.name, prefix, list(columns)))
    if not (_equal(catalog, index) and _all_are(catalog["extractor_version"], whole_version(model))):
        return False
    catalog = catalog.append_column(PARTITION, pa.repeat(prefix, catalog.num_rows))
    return all(is_grouped(state, prefix, catalog, table) for table in model.rollups)


def _ordered(rows: pa.Table) -> pa.Table:
    """Return rows in the order of paths, in which they mostly are: one data file is written in it."""
    paths = rows[KEY].combine_chunks()
    if len(paths) < 2 or pc.all(pc.less(paths.slice(0, len(paths) - 1), paths.slice(1))).as_py():
        return rows
    return rows.sort_by(KEY)


def _equal(one: pa.Table, other: pa.Table) -> bool:
    """Return whether two tables have the same versions of the same files; none of them twice, where one has not."""
    return all(one[name].null_count == 0 and one[name].equals(other[name]) for name in _VERSION)


def _all_are(column: pa.ChunkedArray, value: str) -> bool:
    """Return whether all rows have a value."""
    found = pc.all(pc.equal(column, value), skip_nulls=False, min_count=0).as_py()
    return bool(found)
