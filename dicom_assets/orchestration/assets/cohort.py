"""A cohort as an asset: made again when the catalog changes, with a new data version when its members do."""

from collections.abc import Mapping

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AssetSpec,
    DataVersion,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableSchema,
    multi_asset,
)

from dicom_assets.cohorts.create import Made, make
from dicom_assets.cohorts.members import MEMBERS
from dicom_assets.cohorts.recipe import PATIENT, Level, Recipe, check_name
from dicom_assets.cohorts.record import Counts
from dicom_assets.cohorts.store import CohortStore
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried
from dicom_assets.orchestration.assets.look import LAYER
from dicom_assets.orchestration.assets.reporting import run_metadata
from dicom_assets.orchestration.assets.specs import COHORT, FOLLOW_UPSTREAM, RETRIES, TABLE
from dicom_assets.orchestration.naming import CatalogNames
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.query.database import Catalog
from dicom_assets.storage.addresses import without_secrets


def build_cohort(
    name: str,
    where: str = "true",
    *,
    level: Level | str = Level.INSTANCE,
    split: Mapping[str, float] | None = None,
    by: str = PATIENT,
    seed: int = 0,
    catalog: str = "",
) -> AssetsDefinition:
    """Return the asset of a cohort.

    It follows ``object_catalog``. A materialization whose members are those of the latest version writes nothing, and
    has its data version: what is downstream stays as it is. Downstream, ``LakeIOManager`` loads the members.

    Parameters
    ----------
    name, where, level, split, by, seed
        As for :func:`~dicom_assets.cohorts.create.create_cohort`.
    catalog
        Name of the catalog in its code location, where it has one: what ``build_definitions(name=...)`` was given.

    Raises
    ------
    CohortError
        The name, the level or the shares make no sense.

    Examples
    --------
    ::

        defs = Definitions.merge(
            build_definitions(),
            Definitions(assets=[build_cohort("chest_ct", "Modality = 'CT'", split={"train": 0.8, "test": 0.2})]),
        )

    """
    check_name(name)
    recipe = Recipe.of(where, level, split, by, seed)
    names = CatalogNames(catalog)
    plain = name.replace("-", "_")

    @multi_asset(name=names.op(plain), specs=[_spec(plain, name, names)], retry_policy=RETRIES)
    @names.takes_resources
    def cohort(context: AssetExecutionContext, lake: LakeResource) -> MaterializeResult[None]:
        """Choose the members, and keep them where they are others than before."""
        with only_infrastructure_is_retried(context):
            tables = lake.open()
            made = make(Catalog(tables), name, recipe, run_metadata(context))
            uri = without_secrets(CohortStore(tables).location(name).uri)
            context.log.info(f"{made.record.reference}: {made.record.counts.files} files; new: {made.is_new}")
            return _told(made, uri)

    return cohort


def _spec(plain: str, name: str, names: CatalogNames) -> AssetSpec:
    columns = [TableColumn(column.name, str(column.type), column.description) for column in MEMBERS]
    return AssetSpec(
        names.key(plain),
        deps=[names.key(CATALOG_NAME)],
        description="A cohort: files chosen by a query. Its data version is the digest of who the members are.",
        automation_condition=FOLLOW_UPSTREAM,
        group_name=names.group,
        kinds={"deltalake", "python"},
        tags={**names.tags, LAYER: "cohort"},
        metadata={
            "dagster/column_schema": TableSchema(columns=columns),
            "dagster/storage_kind": "deltalake",
            TABLE: name,
            COHORT: True,
        },
    ).with_io_manager_key(names.io_manager)


def _told(made: Made, uri: str) -> MaterializeResult[None]:
    """Return what a materialization says: counts and versions, neither the condition nor a member."""
    record = made.record
    return MaterializeResult(
        data_version=DataVersion(record.digest),
        metadata={
            "dagster/row_count": MetadataValue.int(record.counts.files),
            "dagster/uri": uri,
            "delta_version": MetadataValue.int(record.version),
            "committed": made.is_new,
            **_counted("", record.counts),
            **{
                key: value
                for name, counts in record.splits.items()
                for key, value in _counted(f"{name}/", counts).items()
            },
            **{f"made_from/{table}": MetadataValue.int(version) for table, version in record.tables.items()},
        },
    )


def _counted(prefix: str, counts: Counts) -> dict[str, MetadataValue[int | None]]:
    of = ("files", "bytes", "instances", "series", "studies", "patients")
    return {f"{prefix}{name}": MetadataValue.int(getattr(counts, name)) for name in of}
