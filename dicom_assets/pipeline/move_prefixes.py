"""The rows of a catalog move to other prefixes: its archive is cut anew, and no file is read.

The move is stated first, in the properties of ``file_index``, and from then on every run is refused. Then each table of
files is fenced, so that a run that began before writes nothing to it any more, and rewritten in one commit that
carries a transaction of the move, by which a repetition knows that it is done. ``series`` and ``studies`` are grouped
anew, each in one commit as well. At last the index states its new cut. Killed anywhere in between, the same move is
taken up where it was left; until then no run can make rows of either cut.
"""

import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from deltalake.exceptions import CommitFailedError

from dicom_assets.archive.base import Archive
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.delta.commit import Change, CommitConflictError
from dicom_assets.delta.format import FORMAT, format_for
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import TableLocation
from dicom_assets.extract.model import CatalogModel
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.engine import Engine, run_rewrites
from dicom_assets.pipeline.follow_move import ATTEMPTS, follow_once
from dicom_assets.pipeline.ownership import (
    CHARS,
    MOVE,
    MOVED,
    Owner,
    SourceMismatchError,
    catalog_at,
    derived,
    pending_move,
    refuse_moving,
    set_properties,
)
from dicom_assets.pipeline.plan import Staged
from dicom_assets.pipeline.regroup_files import regroupings
from dicom_assets.pipeline.rollup.step import RollupPlan, RollupStep
from dicom_assets.storage.retries import retry_lost_race
from dicom_assets.tables import FILE_INDEX, KEY, Table


@dataclass(frozen=True, slots=True)
class PrefixMove:
    """A move of all rows to other prefixes.

    Attributes
    ----------
    id
        Of its own: a catalog may be cut back and forth.
    source
        Root of the archive, as the rows have it.
    old, new
        The cuts.

    """

    id: str
    source: str
    old: PrefixCut
    new: PrefixCut

    @property
    def mark(self) -> str:
        """Key of the transaction that tells that a table has followed; no prefix begins with an asterisk."""
        return f"*recut/{self.id}"

    def text(self) -> str:
        """Return the move as a property states it: an older package reads of it that there is one."""
        return json.dumps({"id": self.id, "from": str(self.old), "to": str(self.new), "prefixes": self.new.options})


def move_prefixes(lake: Lake, archive: Archive, model: CatalogModel, engine: Engine) -> PrefixMove | None:
    """Cut a catalog into other prefixes.

    Parameters
    ----------
    lake
        The tables.
    archive
        The files, cut as is wanted; they are not looked at.
    model
        What the catalog consists of; tables of other extractors that the lake holds follow too.
    engine
        Where data files are rewritten.

    Returns
    -------
    What was done; ``None`` where there is no catalog, or it is cut so already.

    Raises
    ------
    SourceMismatchError
        The catalog belongs to another source, another move is not done, or nobody knows how to make the rows of one of
        its tables.
    CommitConflictError
        Maintenance or runs that began before kept changing a table.

    """
    if not lake.location(FILE_INDEX).exists():
        return None
    tables = lake.existing(model.tables)
    _check_known(tables, model)
    move = retry_lost_race(lambda: _stated(lake, archive), CommitFailedError, ATTEMPTS)
    if move is None:
        return None
    for table in reversed(tables):
        _fence(lake.location(table), move)
        if table.key == KEY:
            _follow(lake, table, move, engine)
    if model.rollups:
        converge(_Regrouping(RollupStep(lake, None, model=model)), engine, {"dicom_assets/move": move.id})
    _conclude(lake, move)
    return move


def _check_known(tables: Collection[Table], model: CatalogModel) -> None:
    """Raise unless rows that are of no file can be made anew."""
    made = {table.name for table in model.rollups}
    if strange := [table.name for table in tables if table.key != KEY and table.name not in made]:
        raise SourceMismatchError(
            f"the rows of {', '.join(strange)} stand for many files, and nothing here makes them anew under other "
            "prefixes: install what made them, or remove the table"
        )


def _stated(lake: Lake, archive: Archive) -> PrefixMove | None:
    """Return the move that the index states: one that was interrupted, or this one from now on.

    Raises ``CommitFailedError`` when another writer was faster.
    """
    delta = lake.location(FILE_INDEX).open()
    properties = delta.metadata().configuration
    owner = Owner.read(properties) or derived(lake.snapshot(FILE_INDEX), archive)
    if owner is None:
        return None
    pending = pending_move(properties)
    if pending and pending.get("prefixes") != archive.cut.options:
        refuse_moving(lake, properties)
    Owner(owner.source, archive.cut).admit(archive, catalog_at(lake))
    if pending:
        return PrefixMove(pending["id"], owner.source, owner.whole_cut, archive.cut)
    if owner.cut is None or owner.cut == archive.cut:
        return None
    move = PrefixMove(uuid.uuid4().hex, owner.source, owner.cut, archive.cut)
    # On the version that was read: of two moves at once, the second is refused.
    delta.alter.set_table_properties({**owner.properties(), MOVE: move.text()}, raise_if_not_exists=False)
    return move


def _fence(location: TableLocation, move: PrefixMove) -> None:
    """Let runs that looked at a table before write nothing to it any more."""
    if location.open().metadata().configuration.get(MOVED) != move.id:
        set_properties(location, {MOVED: move.id})


def _follow(lake: Lake, table: Table, move: PrefixMove, engine: Engine) -> None:
    """Move the rows of a table of files."""

    def regrouped() -> Change | None:
        todo = regroupings(lake.snapshot(table), move.source, move.old, move.new)
        return Change(run_rewrites(engine, todo), [file for one in todo for file in one.files], {}) if todo else None

    if not follow_once(lake.location(table), move, regrouped):
        raise CommitConflictError(f"table {table.name}: maintenance kept changing it; run again when that is done")


@dataclass(frozen=True, slots=True)
class _Regrouping:
    """The step that groups files to series and studies, as part of a move."""

    step: RollupStep

    def plan(self) -> RollupPlan:
        """Compare the rollups with the rows of files, which have moved."""
        return self.step.compare()

    def stage(self, plan: RollupPlan, names: Collection[str], engine: Engine) -> Staged:
        """Make the rows of the new prefixes."""
        return self.step.stage(plan, names, engine)


def _conclude(lake: Lake, move: PrefixMove) -> None:
    """State the new cut; an older package may read a catalog again whose names are no longer cut."""
    stated = Owner(move.source, move.new).properties()
    whole = {} if move.new.chars else {CHARS: "0", FORMAT: str(format_for(FILE_INDEX))}
    set_properties(lake.location(FILE_INDEX), {**stated, **whole, MOVE: ""})
