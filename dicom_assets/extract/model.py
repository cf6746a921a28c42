"""The model of a catalog: the tables that follow from its extractors. Nothing else names the set.

Asset specs, checks, the columns of ``object_catalog``, counts and documentation derive from here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from dicom_assets.errors import UserError
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.headers import DICOM_HEADERS, HeaderExtractor
from dicom_assets.extract.metadata import MetadataExtractor
from dicom_assets.extract.rollups import NEEDED, ROLLUPS, RollupTable
from dicom_assets.extract.thumbnails import ThumbnailExtractor
from dicom_assets.extract.validation import check_extractors
from dicom_assets.tables import (
    DERIVED,
    FILE_INDEX,
    FINGERPRINT,
    INDEXED,
    INDEXED_AT,
    PATH,
    PREFIX,
    REMOVED_AT,
    Column,
    Table,
)

CATALOG_NAME = "object_catalog"

DEFAULT_EXTRACTORS: tuple[Extractor, ...] = (MetadataExtractor(), HeaderExtractor(), ThumbnailExtractor())
"""Those of this package; :func:`CatalogModel` takes them and yours."""


class UnknownTableError(UserError, KeyError):
    """The catalog has no table of a name."""

    def __str__(self) -> str:
        """Return the message as it is: a KeyError would quote it."""
        return str(self.args[0])


@dataclass(frozen=True)
class CatalogModel:
    """What a catalog consists of.

    Attributes
    ----------
    extractors
        One for each extracted table, in the order of the columns that they give to ``object_catalog``.

    Raises
    ------
    ExtractorError
        Extractors do not go together, or one is not declared as it has to be.

    """

    extractors: tuple[Extractor, ...] = DEFAULT_EXTRACTORS

    def __post_init__(self) -> None:
        object.__setattr__(self, "extractors", tuple(self.extractors))
        reserved = [FILE_INDEX.name, CATALOG_NAME, *(table.name for table in ROLLUPS)]
        check_extractors(self.extractors, reserved, _own_catalog_columns())

    @cached_property
    def extracted(self) -> tuple[ExtractedTable, ...]:
        """Tables that one pass over the files fills."""
        return tuple(extractor.table for extractor in self.extractors)

    @cached_property
    def catalog(self) -> Table:
        """``object_catalog``: what the index and all extracted tables know of a file, in one row."""
        statuses = (
            Column(
                table.status_column,
                DERIVED_STATUS.type,
                f"`status` of `{table.name}`, null while it has no row.",
                statistics=True,
            )
            for table in self.extracted
        )
        joined = (column for table in self.extracted for column in table.own_columns if column.in_catalog)
        return Table(
            CATALOG_NAME,
            "One row per file of the index, with all that is known of it: the table to query.",
            (*DERIVED, *INDEXED, INDEXED_AT, REMOVED_AT, *statuses, *joined),
        )

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """All tables, in the order data walks."""
        return (FILE_INDEX, *self.extracted, self.catalog, *self.rollups)

    @cached_property
    def rollups(self) -> tuple[RollupTable, ...]:
        """``series`` and ``studies``; none where no extractor gives ``object_catalog`` what they are made of."""
        read = any(table.name == DICOM_HEADERS.name for table in self.extracted)
        return ROLLUPS if read and NEEDED.issubset(self.catalog.schema.names) else ()

    def column_sources(self, table: Table) -> Iterator[tuple[str, str, str]]:
        """Yield the name of each column of a table with a table and column that it is made of; a column of several.

        What extractors take from the content of files comes from no column.
        """
        if isinstance(table, RollupTable):
            yield from self._rollup_sources(table)
        elif table.name != FILE_INDEX.name:
            for name in (PREFIX.name, PATH.name, FINGERPRINT.name):
                yield name, FILE_INDEX.name, name
        if table.name == CATALOG_NAME:
            yield from self._catalog_sources()

    def _catalog_sources(self) -> Iterator[tuple[str, str, str]]:
        for column in (*INDEXED, INDEXED_AT, REMOVED_AT):
            yield column.name, FILE_INDEX.name, column.name
        for part in self.extracted:
            for name in ("status", "error"):
                yield name, part.name, name
            yield "extractor_version", part.name, "extractor_version"
            yield part.status_column, part.name, "status"
            if part.codes_column:
                yield "error", part.name, part.codes_column
            for column in part.own_columns:
                if column.in_catalog:
                    yield column.name, part.name, column.name

    def _rollup_sources(self, table: RollupTable) -> Iterator[tuple[str, str, str]]:
        for name, sources in table.made_of.items():
            for source in dict.fromkeys(sources):
                if source in self.catalog.schema.names:
                    yield name, CATALOG_NAME, source

    def selected(self, names: Iterable[str]) -> tuple[Extractor, ...]:
        """Return the extractors of some tables, in the order of the model."""
        wanted = frozenset(names)
        return tuple(extractor for extractor in self.extractors if extractor.table.name in wanted)

    def table(self, name: str) -> Table:
        """Return a table by name; raises :class:`UnknownTableError`."""
        for table in self.tables:
            if table.name == name:
                return table
        raise UnknownTableError(f"the catalog has no table {name!r}; it has {', '.join(t.name for t in self.tables)}")


DERIVED_STATUS = next(column for column in DERIVED if column.name == "status")


def _own_catalog_columns() -> frozenset[str]:
    """Return the names that ``object_catalog`` has whatever is extracted."""
    return frozenset(column.name for column in (*DERIVED, *INDEXED, INDEXED_AT, REMOVED_AT))


DEFAULT_MODEL = CatalogModel()
"""The catalog that this package makes by itself."""

OBJECT_CATALOG = DEFAULT_MODEL.catalog
