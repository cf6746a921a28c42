"""A catalog belongs to one source, and says which: every step asks before it compares anything.

Source and cut into prefixes are properties of ``file_index``. Delta lets one of two writers of a table's properties
win, so that of two sources that begin a catalog at the same moment the second is told so.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from deltalake.exceptions import CommitFailedError

from dicom_assets.archive.base import Archive
from dicom_assets.archive.prefixes import ROOT_PREFIX, PrefixCut
from dicom_assets.archive.sources import read, root_of, same_source, written
from dicom_assets.delta.format import CUT_NAMES, FORMAT
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.newest import newest
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.errors import UserError
from dicom_assets.storage.retries import retry_lost_race
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION, SOURCE

DEPTH = "dicom_assets.prefixDepth"
CHARS = "dicom_assets.prefixChars"
MOVE = "dicom_assets.move"
"""Properties of ``file_index`` beside its source: the prefix depth; how many characters of names count, where not all
do; a move of the archive, or of rows to other prefixes, that the tables are to follow."""
MOVED = "dicom_assets.moved"
"""Property of a table: the last move of its rows, by which a run that began before is told from one that came after."""
FENCES = (MOVE, MOVED)
"""Properties that no run writes past, where they are not what they were when it looked."""

_ATTEMPTS = 10


class SourceMismatchError(UserError, ValueError):
    """The catalog is one of another source, or cut into other prefixes: nothing was changed."""


@dataclass(frozen=True, slots=True)
class Owner:
    """What a catalog belongs to.

    Attributes
    ----------
    source
        Root of the archive, as the rows have it.
    cut
        How it is cut into prefixes; ``None`` where the rows do not tell.

    """

    source: str
    cut: PrefixCut | None

    @classmethod
    def read(cls, properties: Mapping[str, str]) -> "Owner | None":
        """Return what properties say, ``None`` when they are those of a table that nobody has claimed."""
        if SOURCE not in properties:
            return None
        return cls(read(properties[SOURCE]), PrefixCut(int(properties[DEPTH]), int(properties.get(CHARS) or 0)))

    @property
    def whole_cut(self) -> PrefixCut:
        """The cut, the usual one where the rows do not tell."""
        return self.cut or PrefixCut()

    def properties(self) -> dict[str, str]:
        """Return the properties that say so."""
        cut = self.whole_cut
        stated = {SOURCE: written(self.source), DEPTH: str(cut.depth)}
        return {**stated, CHARS: str(cut.chars), FORMAT: str(CUT_NAMES)} if cut.chars else stated

    def admit(self, archive: Archive, where: str) -> Archive:
        """Return an archive under the root that the rows have.

        Raises
        ------
        SourceMismatchError
            It is another source, or is cut into other prefixes.

        """
        if archive.root != self.source and not same_source(archive.root, self.source):
            raise SourceMismatchError(
                f"the catalog at {where} belongs to the source {written(self.source)}, not to {written(archive.root)}. "
                "Give each source a schema of its own (--schema, or DICOM_ASSETS_SCHEMA); or, where this is the same "
                "archive at another place, run `dicom-assets catalog` once with --move-source"
            )
        if self.cut is not None and archive.cut != self.cut:
            raise SourceMismatchError(
                f"the catalog at {where} has prefixes of {self.cut}, not of {archive.cut}. Use those "
                f"({self.cut.options}, or {_variables(self.cut)}); or, to change them, run `dicom-assets catalog` once "
                "with the new ones and --move-prefixes, which reads no file; or make a second catalog with a schema of "
                "its own (--schema, or DICOM_ASSETS_SCHEMA)"
            )
        return archive if archive.root == self.source else archive.at(self.source)


def _variables(cut: PrefixCut) -> str:
    chars = f" and DICOM_ASSETS_PREFIX_CHARS={cut.chars}" if cut.chars else ""
    return f"DICOM_ASSETS_PREFIX_DEPTH={cut.depth}{chars}"


def claim(lake: Lake, archive: Archive, properties: Mapping[str, str] | None = None) -> Archive:
    """Return an archive as the catalog knows it; a catalog that is nobody's yet belongs to it from now on.

    Parameters
    ----------
    lake
        The tables; their index is made when it is missing.
    archive
        What is to be cataloged.
    properties
        Of the index as of some moment, where the caller has read them already.

    Raises
    ------
    SourceMismatchError
        The catalog belongs to another source, is cut into other prefixes, or is being moved.

    """
    location = lake.location(FILE_INDEX)
    if properties is None or SOURCE not in properties:
        if not location.exists():
            location.create(FILE_INDEX, Owner(archive.root, archive.cut).properties())
        properties = retry_lost_race(lambda: _claimed(lake, archive), CommitFailedError, _ATTEMPTS)
    refuse_moving(lake, properties)
    owner = Owner.read(properties)
    assert owner is not None, "claimed above"
    return owner.admit(archive, catalog_at(lake))


def recognise(lake: Lake, archive: Archive) -> Archive:
    """Return an archive as the catalog knows it, and change nothing; raises :class:`SourceMismatchError`."""
    if not lake.location(FILE_INDEX).exists():
        return archive
    properties = newest(lake.location(FILE_INDEX)).metadata().configuration
    refuse_moving(lake, properties)
    owner = Owner.read(properties) or derived(lake.snapshot(FILE_INDEX), archive)
    return archive if owner is None else owner.admit(archive, catalog_at(lake))


def stated_owner(lake: Lake) -> Owner | None:
    """Return what a catalog states that it belongs to, ``None`` where it states nothing, or there is none."""
    location = lake.location(FILE_INDEX)
    return Owner.read(newest(location).metadata().configuration) if location.exists() else None


def owner_of(lake: Lake) -> Owner:
    """Return what a catalog states that it belongs to; raises :class:`SourceMismatchError` where there is none."""
    owner = stated_owner(lake)
    if owner is None:
        raise SourceMismatchError(
            f"there is no catalog of a source at {catalog_at(lake)} yet: run `dicom-assets catalog`"
        )
    return owner


def refuse_moving(lake: Lake, properties: Mapping[str, str]) -> None:
    """Raise :class:`SourceMismatchError` while the tables are being moved after their archive, or to other prefixes."""
    move = pending_move(properties)
    if move and "prefixes" in move:
        raise SourceMismatchError(
            f"the rows of the catalog at {catalog_at(lake)} are being moved from prefixes of {move['from']} to those "
            f"of {move['to']}. If that was interrupted, run `dicom-assets catalog` with {move['prefixes']} and "
            "--move-prefixes again"
        )
    if move:
        raise SourceMismatchError(
            f"the catalog at {catalog_at(lake)} is being moved from the source {move['from']} to {move['to']}. If that "
            "was interrupted, run `dicom-assets catalog` with that source and --move-source again"
        )


def pending_move(properties: Mapping[str, str]) -> dict[str, str] | None:
    """Return the move that the tables do not follow wholly yet: keys ``id``, ``from``, ``to``.

    Of rows that move to other prefixes, ``prefixes`` says by which options.
    """
    move: dict[str, str] | None = json.loads(properties.get(MOVE) or "null")
    return move


def set_properties(location: TableLocation, properties: dict[str, str]) -> None:
    """Set properties of a table, whatever runs and maintenance do meanwhile."""

    def set_once() -> None:
        location.open().alter.set_table_properties(properties, raise_if_not_exists=False)

    retry_lost_race(set_once, CommitFailedError, _ATTEMPTS)


def catalog_at(lake: Lake) -> str:
    """Return where a catalog is, for people."""
    return f"{lake.root.rstrip('/')}/{lake.schema}"


def _claimed(lake: Lake, archive: Archive) -> Mapping[str, str]:
    """Return the properties of the index, in the name of the archive where nobody has claimed it.

    Raises ``CommitFailedError`` when another writer was faster.
    """
    location = lake.location(FILE_INDEX)
    if SOURCE in (properties := newest(location).metadata().configuration):
        return properties
    delta = location.open()
    properties = delta.metadata().configuration
    if SOURCE in properties:
        return properties
    owner = derived(lake.snapshot(FILE_INDEX), archive) or Owner(archive.root, archive.cut)
    owner.admit(archive, catalog_at(lake))
    stated = Owner(owner.source, archive.cut).properties()
    delta.alter.set_table_properties(stated, raise_if_not_exists=False)
    return {**properties, **stated}


def derived(index: Snapshot, archive: Archive) -> Owner | None:
    """Return what the rows of an index tell of its source: an older version of this package did not state it.

    Parameters
    ----------
    index
        Snapshot of the whole table.
    archive
        What its cut is compared with, where all files stand above the prefix depth.

    Returns
    -------
    ``None`` when there are no rows.

    """
    if not index.files:
        return None
    deeper = next((file for file in index.files if file.prefix != ROOT_PREFIX), None)
    _, batch = next(index.rows([PARTITION, KEY, "relative_path"], [deeper or index.files[0]]))
    row = batch.slice(0, 1).to_pylist()[0]
    source = read(root_of(row[KEY], row["relative_path"]))
    if deeper is not None:
        return Owner(source, PrefixCut(deeper.prefix.count("/") + 1))
    return Owner(source, _cut_of_the_root(index, archive.cut.depth))


def _cut_of_the_root(index: Snapshot, given: int) -> PrefixCut | None:
    """Return a depth of 0 when the root prefix holds files that stand lower than a given depth leaves to it."""
    folders = max(path.count("/") for _, batch in index.rows(["relative_path"]) for path in batch.column(0).to_pylist())
    return PrefixCut(0) if given and folders >= given else None
