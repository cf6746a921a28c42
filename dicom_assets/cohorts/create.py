"""Making a cohort."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow.compute as pc

from dicom_assets.cohorts.members import digest_of
from dicom_assets.cohorts.recipe import PATIENT, Level, Recipe, check_name
from dicom_assets.cohorts.record import Counts, Record
from dicom_assets.cohorts.selection import Selection, select_members
from dicom_assets.cohorts.store import CohortStore
from dicom_assets.delta.origin import run_id_of, with_run_id
from dicom_assets.query.database import Catalog
from dicom_assets.query.opening import open_catalog


@dataclass(frozen=True, slots=True)
class Made:
    """What became of the making of a cohort.

    Attributes
    ----------
    record
        The version that holds the members.
    is_new
        Whether it was made now; otherwise the latest version had the same members already.

    """

    record: Record
    is_new: bool


def create_cohort(
    catalog: Catalog | str,
    name: str,
    where: str = "true",
    *,
    level: Level | str = Level.INSTANCE,
    split: Mapping[str, float] | None = None,
    by: str = PATIENT,
    seed: int = 0,
) -> Made:
    """Make a cohort of the files that a condition chooses, or a new version of it.

    Where the latest version of the cohort has the same members, nothing is written.

    Parameters
    ----------
    catalog
        The catalog, or the folder or bucket URI of its tables.
    name
        Letters, digits, ``_`` and ``-``.
    where
        Condition in SQL, over ``object_catalog``, ``all_series`` or ``all_studies`` as the level says. Only files with
        a SOP Instance UID are chosen.
    level
        ``instance``, ``series`` or ``study``.
    split
        Share of each split, such as ``{"train": 0.8, "test": 0.2}``.
    by
        Column of ``object_catalog`` whose values are not divided by the split; patients, studies and series never are.
    seed
        Of the split.

    Raises
    ------
    CohortError
        The name is none, nothing is chosen, or the split leaves one empty.
    QueryError
        The condition, or the column that is split by, is not one of the table.
    NoCatalogError
        There is no catalog.

    Examples
    --------
    >>> create_cohort("/data/lake", "chest_ct", "Modality = 'CT'", split={"train": 0.8, "test": 0.2})  # doctest: +SKIP

    """
    recipe = Recipe.of(where, level, split, by, seed)
    opened = open_catalog(catalog) if isinstance(catalog, str) else catalog
    return make(opened, name, recipe)


def make(catalog: Catalog, name: str, recipe: Recipe, metadata: Mapping[str, str] | None = None) -> Made:
    """Make a cohort as :func:`create_cohort` does.

    Parameters
    ----------
    catalog, name, recipe
        Of what, what it is called, and how.
    metadata
        Kept in the commit. Under ``dagster/run_id``, the id of the run; by default, each making has an id of its own.

    """
    check_name(name)
    said = with_run_id(metadata or {})
    selection = select_members(catalog, recipe)
    record = _record(name, recipe, selection, run_id_of(said))
    return Made(*CohortStore(catalog.lake).write(selection.rows, record, said))


def _record(name: str, recipe: Recipe, selection: Selection, run_id: str | None) -> Record:
    rows = selection.rows
    names = [] if recipe.split is None else [split for split, _ in recipe.split.shares]
    return Record(
        name=name,
        version=-1,
        made_at=datetime.now(UTC),
        run_id=run_id,
        recipe=recipe,
        over=selection.over,
        tables=selection.tables,
        source=selection.source,
        counts=Counts.of(rows),
        splits={split: Counts.of(rows.filter(pc.equal(rows["split"], split))) for split in names},
        digest=digest_of(rows),
    )
