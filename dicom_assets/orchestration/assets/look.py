"""How the assets look in Dagster: owners, tags, kinds, places, code, and the columns with where they come from."""

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dagster import (
    AssetKey,
    AssetSpec,
    AutomationCondition,
    BetaWarning,
    CodeReferencesMetadataValue,
    EnvVar,
    FreshnessPolicy,
    LocalFileCodeReference,
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableSchema,
    UrlCodeReference,
)

from dicom_assets.extract.model import CatalogModel
from dicom_assets.orchestration.assets.specs import TABLE
from dicom_assets.orchestration.naming import CatalogNames
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.secrets import looks_secret
from dicom_assets.storage.addresses import without_secrets
from dicom_assets.tables import PARTITION, Column, Table

_BEGINNINGS = ("class ", "def ")
"""Of the line that names what is defined: its decorators stand before it."""

LAYER = "dicom_assets/layer"
"""Tag of the assets: ``source``, ``index``, ``extracted``, ``catalog`` or ``rollup``, to select by."""


@dataclass(frozen=True)
class AssetLabels:
    """What a team says of the assets of its catalog.

    Attributes
    ----------
    owners
        Whom to ask: ``team:imaging``, or an address of mail.
    tags
        Of all its assets, besides those that they have.
    freshness
        When its tables are too old, by the time of their last materialization. None by default: tables are
        materialized when the archive changes, and an archive that nobody adds to is not stale. Where files arrive by
        a schedule, it says that they did.

    """

    owners: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    freshness: FreshnessPolicy | None = None


@dataclass(frozen=True)
class Look:
    """How the assets of one catalog look.

    Attributes
    ----------
    labels
        What its team says of them.
    source, lake, schema
        Where files and tables are, as far as that is known when definitions are loaded; empty where not.

    """

    labels: AssetLabels = field(default_factory=AssetLabels)
    source: str = ""
    lake: str = ""
    schema: str = ""

    def asset(self, names: CatalogNames, layer: str, kinds: set[str]) -> dict[str, Any]:
        """Return the arguments of a definition that do not depend on a table."""
        return {
            "group_name": names.group,
            "kinds": kinds,
            "owners": list(self.labels.owners),
            "tags": {**names.tags, LAYER: layer, **self.labels.tags},
        }

    def table(
        self,
        names: CatalogNames,
        table: Table,
        layer: str,
        *,
        deps: Sequence[AssetKey],
        code_version: str,
        metadata: Mapping[str, Any],
        automation_condition: AutomationCondition[Any] | None = None,
    ) -> AssetSpec:
        """Return the definition of a table, with more metadata."""
        address = f"{self.lake.rstrip('/')}/{self.schema}/{table.name}" if self.lake and self.schema else ""
        placed = {
            "dagster/uri": address,
            "dagster/table_name": f"{self.schema}.{table.name}" if self.schema else "",
        }
        return AssetSpec(
            names.key(table.name),
            deps=deps,
            description=table.description,
            code_version=code_version,
            automation_condition=automation_condition,
            freshness_policy=self.labels.freshness,
            metadata={
                "dagster/column_schema": column_schema(table),
                "dagster/storage_kind": "deltalake",
                "partition_expr": PARTITION,
                TABLE: table.name,
                **{name: value for name, value in placed.items() if value},
                **metadata,
            },
            **self.asset(names, layer, {"deltalake", "python" if layer == "index" else "spark"}),
        ).with_io_manager_key(names.io_manager)


PLAIN = Look()
"""Of assets of which nothing else is known."""


def look_of(labels: AssetLabels | None, archive: ArchiveResource, lake: LakeResource) -> Look:
    """Return how the assets of a catalog look, its places read from resources where they are set by now."""
    return Look(labels or AssetLabels(), _known(archive.source), _known(lake.root_uri), _known(lake.schema_name))


def _known(value: str) -> str:
    """Return what a field of a resource holds, without secrets; empty where a variable is not set yet."""
    held = (value.get_value() or "") if isinstance(value, EnvVar) else value
    return "" if looks_secret("uri", held) else without_secrets(held)


def column_schema(table: Table) -> TableSchema:
    """Return the columns of a table, with descriptions and the tags of DICOM attributes."""
    return TableSchema(columns=[_column(column, nullable=column.name not in table.identity) for column in table])


def _column(column: Column, *, nullable: bool) -> TableColumn:
    attribute = {"dicom/tag": f"{column.tag[:4]},{column.tag[4:]}", "dicom/vr": column.vr or ""} if column.tag else {}
    return TableColumn(
        column.name,
        type=str(column.type),
        description=column.description,
        constraints=TableColumnConstraints(nullable=nullable),
        tags=attribute,
    )


def column_lineage(model: CatalogModel, table: Table, key: Callable[[str], AssetKey]) -> TableColumnLineage:
    """Return which columns of other tables the columns of a table are made of.

    Parameters
    ----------
    model
        What the catalog consists of.
    table
        One of its tables; those of the index come from the archive, which has no columns.
    key
        Returns the asset key of a table.

    """
    found: dict[str, list[TableColumnDep]] = {}
    for column, source, name in model.column_sources(table):
        found.setdefault(column, []).append(TableColumnDep(key(source), name))
    return TableColumnLineage(found)


def code_references(*objects: object) -> Mapping[str, CodeReferencesMetadataValue]:
    """Return where the code stands that makes an asset, as metadata; nothing where it is in no file."""
    with warnings.catch_warnings():
        # Dagster says at each start that these classes are in beta, which is nothing that a user could mend.
        warnings.simplefilter("ignore", BetaWarning)
        found: list[LocalFileCodeReference | UrlCodeReference] = list(_references(objects))
        return {"dagster/code_references": CodeReferencesMetadataValue(code_references=found)} if found else {}


def _references(objects: Sequence[object]) -> Iterator[LocalFileCodeReference]:
    for one in objects:
        code = one if inspect.isroutine(one) or inspect.isclass(one) else type(one)
        try:
            file = inspect.getsourcefile(code)
            lines, line = inspect.getsourcelines(code)
        except (OSError, TypeError):
            continue  # made in a shell, or compiled
        if file:
            line += next((place for place, text in enumerate(lines) if text.lstrip().startswith(_BEGINNINGS)), 0)
            yield LocalFileCodeReference(file_path=file, line_number=line, label=code.__qualname__)
