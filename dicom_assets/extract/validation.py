"""Whether extractors can make a catalog: told when the catalog is configured, not by its first run."""

import pickle
import re
from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
from deltalake import Schema

from dicom_assets.errors import UserError
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.status import ERROR, OK
from dicom_assets.tables import DERIVED

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,126}")


class ExtractorError(UserError, ValueError):
    """An extractor is not declared as it has to be, or does not go together with the others."""


def check_extractors(extractors: Sequence[Extractor], reserved: Collection[str], taken: Collection[str]) -> None:
    """Raise :class:`ExtractorError` unless extractors can make one catalog.

    Parameters
    ----------
    extractors
        In the order of their tables.
    reserved
        Names that no table of theirs may have.
    taken
        Columns that ``object_catalog`` has without them.

    """
    names = list(reserved)
    # Without case: DuckDB and Spark see no difference, and Delta takes no two columns that differ in it alone.
    owners = {name.casefold(): "every table" for name in taken}
    for extractor in extractors:
        _check_declaration(extractor)
        table = extractor.table
        if table.name in names:
            raise ExtractorError(f"two tables are named {table.name}: give one extractor's table another name")
        names.append(table.name)
        for column in _catalog_columns(table):
            if column.casefold() in owners:
                owner = owners[column.casefold()]
                raise ExtractorError(
                    f"column {column} of {table.name} is one of {owner} too: object_catalog has all of them, "
                    "so give it another name, or declare it with in_catalog=False"
                )
            owners[column.casefold()] = table.name


def _catalog_columns(table: ExtractedTable) -> Iterator[str]:
    yield table.status_column
    yield from (column.name for column in table.own_columns if column.in_catalog)


def _check_declaration(extractor: Extractor) -> None:
    """Raise unless an extractor has a table, a version, and can be sent to workers."""
    who = type(extractor).__qualname__
    table = getattr(extractor, "table", None)
    if not isinstance(table, ExtractedTable):
        raise ExtractorError(f"{who} needs an attribute `table`, an ExtractedTable")
    if not isinstance(getattr(extractor, "version", None), str) or not extractor.version:
        raise ExtractorError(f"{who} needs an attribute `version`, a text that changes with what it extracts")
    if " " in extractor.version:
        raise ExtractorError(f"the version of {who} is {extractor.version!r}: it must not hold a space")
    if not _NAME.fullmatch(table.name):
        raise ExtractorError(f"table {table.name!r}: a name is small letters, digits and _, a letter first")
    _check_columns(table)
    states = [str(status.value) for status in table.statuses]
    if ERROR not in states or OK not in states:
        raise ExtractorError(f"table {table.name}: its statuses have to hold {OK!r} and {ERROR!r}")
    _check_pickle(extractor, who)


def _check_columns(table: ExtractedTable) -> None:
    shared = {column.name.casefold() for column in DERIVED}
    names = [column.name for column in table.own_columns]
    folded = [name.casefold() for name in names]
    for name in names:
        if not _COLUMN.fullmatch(name):
            raise ExtractorError(f"column {name!r} of {table.name}: a name is letters, digits and _, a letter first")
        if name.casefold() in shared or folded.count(name.casefold()) > 1:
            raise ExtractorError(f"column {name} of {table.name} stands twice: it, or every extracted table, has one")
    try:
        stored = pa.schema(Schema.from_arrow(pa.schema(table.schema)).to_arrow())
    except Exception as error:
        raise ExtractorError(f"table {table.name} has a type that Delta has not: {error}") from error
    for field in table.schema:
        if stored.field(field.name).type != field.type:
            raise ExtractorError(
                f"column {field.name} of {table.name} is {field.type}, which Delta keeps as "
                f"{stored.field(field.name).type}: declare it so"
            )
    if table.codes_column and table.codes_column not in names:
        raise ExtractorError(f"table {table.name} has no column {table.codes_column}, its codes_column")


def _check_pickle(extractor: Extractor, who: str) -> None:
    if extractor.limits is not None and type(extractor).__module__ == "__main__":
        raise ExtractorError(
            f"{who} stands in the script or notebook itself, where its child process cannot import it: move it to a "
            "module, or set `limits = None`"
        )
    try:
        pickle.dumps(extractor)
    except Exception as error:
        raise ExtractorError(f"{who} cannot be sent to workers: {type(error).__name__}: {error}") from error
