"""All checks of a catalog at once, for people and programs that have no Dagster at hand."""

from collections.abc import Sequence
from itertools import groupby

from dicom_assets.archive.prefixes import PrefixError
from dicom_assets.checks.check import Outcome, Scope
from dicom_assets.checks.declared import checks_of
from dicom_assets.checks.look import look
from dicom_assets.checks.options import CheckOptions
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel
from dicom_assets.query.errors import NoCatalogError
from dicom_assets.tables import FILE_INDEX


def check_catalog(
    lake: str | Lake,
    prefixes: Sequence[str] | None = None,
    model: CatalogModel = DEFAULT_MODEL,
    options: CheckOptions | None = None,
) -> list[Outcome]:
    """Run the checks of all tables and return how each went.

    Parameters
    ----------
    lake
        The lake, or the folder or bucket URI of its tables.
    prefixes
        Look at these only; by default, at all. What two prefixes have in common, such as a file that was sent twice, is
        seen only where both are looked at.
    model
        What the catalog consists of.
    options
        What is still well.

    Raises
    ------
    NoCatalogError
        There is no catalog.
    PrefixError
        No table has a row of a prefix.
    CheckOptionsError
        There are bounds of a table that the catalog does not have.
    CatalogError
        A table cannot be read.

    Examples
    --------
    >>> failed = [o for o in check_catalog("/data/lake") if not o.passed]  # doctest: +SKIP

    """
    tables = Lake(lake) if isinstance(lake, str) else lake
    checks = checks_of(model, options)
    if not tables.location(FILE_INDEX).exists():
        raise NoCatalogError(f"there is no catalog at {tables.root}/{tables.schema}")
    if prefixes is not None:
        existing = [table for table in model.tables if tables.location(table).exists()]
        known = {file.prefix for table in existing for file in tables.snapshot(table).files}
        for prefix in prefixes:
            if prefix not in known:
                raise PrefixError(f"the tables have no row of prefix {prefix!r}")
    within = None if prefixes is None else tuple(dict.fromkeys(prefixes))
    return [
        outcome
        for _, group in groupby(checks, lambda check: check.table)
        for outcome in look(
            list(group), Scope.of(tables, model, within)
        )  # what is open of a table is not kept for others
    ]
