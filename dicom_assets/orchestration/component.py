"""``DicomCatalogComponent``: a catalog described in YAML, for projects that are made and run with ``dg``.

Belongs here: the attributes, and how :func:`~dicom_assets.orchestration.definitions.build_definitions` is called with
them. Their descriptions are the reference: ``dg docs``, the UI and ``docs/component.md`` show them.

For the Dagster concept, see https://docs.dagster.io/guides/build/components
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster import (
    Component,
    ComponentLoadContext,
    ComponentTypeSpec,
    Definitions,
    Model,
    Resolvable,
    in_process_executor,
    scaffold_with,
)
from dagster_deltalake import AzureConfig, GcsConfig, LocalConfig, S3Config
from pydantic import ConfigDict, Field, ValidationError, field_validator

from dicom_assets.delta.lake import check_schema_name
from dicom_assets.errors import UserError
from dicom_assets.extract.headers import HeaderExtractor
from dicom_assets.extract.installed import named_extractor, offered_extractors
from dicom_assets.extract.metadata import MetadataExtractor
from dicom_assets.extract.own_columns import columns_of
from dicom_assets.extract.pixel_hashes import PixelHashExtractor
from dicom_assets.extract.thumbnails import ThumbnailExtractor
from dicom_assets.orchestration.component_settings import (
    CheckSettings,
    SensorSettings,
    SparkSettings,
    ThumbnailSettings,
)
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.maintenance import NIGHTLY
from dicom_assets.orchestration.naming import CatalogNames
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.secrets import Storage
from dicom_assets.orchestration.scaffold import DicomCatalogScaffolder
from dicom_assets.storage.addresses import absolute, is_remote

_STORES: Mapping[str, type[Storage]] = {"azure": AzureConfig, "gcs": GcsConfig, "local": LocalConfig, "s3": S3Config}


class ComponentConfigError(UserError, ValueError):
    """Attributes of a component cannot be, or two components of a project cannot be side by side."""


@scaffold_with(DicomCatalogScaffolder)
class DicomCatalogComponent(Component, Model, Resolvable):
    """A catalog of a DICOM archive: every file with its header and a thumbnail, queryable, kept up to date.

    Brings the assets `file_index`, `file_metadata`, `dicom_headers`, `thumbnails`, `object_catalog`, `series` and
    `studies`, partitioned by the prefixes (folders) of the archive, with their checks, a sensor that follows the
    archive, and a schedule that keeps the Delta tables fit. All names begin with the name of the catalog, so a project
    may have several.
    """

    # Errors show no values: there are secrets among them.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(
        default="dicom",
        description="What the catalog is called. Asset keys begin with it (`dicom/object_catalog`), and the names of "
        "its partitions, sensors, jobs and resources. Empty for plain names, as `build_definitions()` has them.",
    )
    source: str = Field(
        description="Folder or bucket URI of the DICOM files. A relative folder counts from the root of the project. "
        "`{{ env.X }}` stands for an environment variable, here and in every other value."
    )
    lake: str = Field(
        description="Folder or bucket URI of the tables, which are at `{lake}/{schema_name}/<table>`. A relative "
        "folder counts from the root of the project."
    )
    schema_name: str = Field(
        default="",
        description="Folder of the catalog in the lake: several catalogs may share a lake, each with its own. By "
        "default the name of the catalog.",
    )
    prefix_depth: int = Field(
        default=1, description="How many directories below the source make a prefix, and so a partition."
    )
    prefix_chars: int = Field(
        default=0,
        description="How many characters of the last of these directories count, 0 for all: then all folders that "
        "begin alike make one prefix.",
    )
    follow_outside_links: bool = Field(
        default=False, description="Whether symbolic links are followed that lead out of the source."
    )
    containers: bool = Field(default=True, description="Whether the files in ZIP and TAR files are cataloged.")
    source_options: dict[str, str] = Field(
        default_factory=dict,
        description="Access to the object store of the source; without any, its usual environment variables count. "
        "Take `{{ env.X }}` for secrets.",
    )
    lake_options: dict[str, str] = Field(
        default_factory=dict,
        description="Access to the object store of the lake: `provider` (`s3`, `azure`, `gcs`) and its options; "
        "without any, its usual environment variables count. Take `{{ env.X }}` for secrets.",
    )
    extractors: list[str] | None = Field(
        default=None,
        description="Extractors beside those of this package, each a table: the name of an installed one (entry point "
        "`dicom_assets.extractors`) or a dotted path to a class (`my_project.extractors.PdfText`). By default all that "
        "are installed.",
    )
    sha256: bool = Field(
        default=False,
        description="Whether `file_metadata` has the SHA-256 of every file, for which each is read whole.",
    )
    columns: list[str] = Field(
        default_factory=list,
        description="More attributes of the header with a column of their own, as `Weight=PatientWeight:number`: a "
        "name, a keyword, tag, private element or path, and a type. A catalog keeps those that it has, also where they "
        "are not given here.",
    )
    pixel_hash: bool = Field(
        default=False,
        description="Whether there is a table `pixel_hashes`, for which the pixel data of each file is read whole: it "
        "tells which files hold the same image.",
    )
    thumbnails: ThumbnailSettings = Field(default_factory=ThumbnailSettings, description="How thumbnails look.")
    previews: int = Field(
        default=0,
        description="How many thumbnails of each prefix its materialization shows. Whoever may open the UI sees them, "
        "and they are patient data.",
    )
    sensor: SensorSettings = Field(
        default_factory=SensorSettings, description="How changes of the archive are looked for."
    )
    maintenance_cron: str = Field(
        default=NIGHTLY, description="When the tables are compacted and cleaned: a cron expression, in UTC."
    )
    checks: CheckSettings = Field(
        default_factory=CheckSettings, description="What the checks of the tables still take for well."
    )
    spark: SparkSettings = Field(default_factory=SparkSettings, description="Where the work is done.")
    in_process: bool = Field(
        default=True,
        description="Whether all steps of a run share one process, and so one Spark session. It holds for every job of "
        "the project that names no executor; turn it off where the project has an executor of its own.",
    )

    @classmethod
    def get_spec(cls) -> ComponentTypeSpec:
        """Return what lists of components show."""
        return ComponentTypeSpec(
            tags=["dicom", "deltalake", "spark"],
            produces=["asset", "asset_check", "job", "resource", "schedule", "sensor"],
        )

    @field_validator("source", "lake", mode="before")
    @classmethod
    def _given(cls, value: object) -> str:
        # Dagster makes None of a variable that is not set, and a number of a folder that is called one.
        if value is None or not str(value).strip():
            raise ValueError(
                "nothing is given: write a folder or a bucket URI; where the YAML names an environment variable, set "
                "it (a file .env in the root of the project will do)"
            )
        return str(value)

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        return CatalogNames(value).name

    @field_validator("schema_name")
    @classmethod
    def _schema_name(cls, value: str) -> str:
        if value:
            check_schema_name(value)
        return value

    @field_validator("columns")
    @classmethod
    def _columns(cls, value: list[str]) -> list[str]:
        columns_of(value)
        return value

    @field_validator("prefix_depth", "prefix_chars", "previews")
    @classmethod
    def _not_negative(cls, value: int) -> int:
        if value < 0:
            raise ValueError(f"{value} is too small: take 0 or more")
        return value

    @field_validator("lake_options")
    @classmethod
    def _storage(cls, value: dict[str, str]) -> dict[str, str]:
        _storage(value)
        return value

    @property
    def schema_folder(self) -> str:
        """Folder of the catalog in its lake."""
        return self.schema_name or CatalogNames(self.name).schema

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """Return the definitions of the catalog.

        Raises
        ------
        ComponentConfigError
            Another component of the project has the same name, or the same tables.

        """
        lake = _located(self.lake, context.project_root)
        self._check_neighbours(context, lake)
        return build_definitions(
            ArchiveResource(
                source=_located(self.source, context.project_root),
                prefix_depth=self.prefix_depth,
                prefix_chars=self.prefix_chars,
                follow_outside_links=self.follow_outside_links,
                containers=self.containers,
                storage_options=self.source_options,
            ),
            LakeResource(root_uri=lake, schema_name=self.schema_folder, storage_options=_storage(self.lake_options)),
            self.spark.resource(),
            self._extractors(),
            self.sensor.options(),
            self.previews,
            name=self.name,
            maintenance_cron=self.maintenance_cron,
            executor=in_process_executor if self.in_process else None,
            checks=self.checks.options(),
            columns=self.columns,
        )

    def _extractors(self) -> list[Any]:
        own = [
            MetadataExtractor(self.sha256),
            HeaderExtractor(),
            ThumbnailExtractor(self.thumbnails.options()),
            *((PixelHashExtractor(),) if self.pixel_hash else ()),
        ]
        if self.extractors is None:
            return [*own, *offered_extractors()]
        return [*own, *map(named_extractor, self.extractors)]

    def _check_neighbours(self, context: ComponentLoadContext, lake: str) -> None:
        """Refuse what Dagster would merge to an error of its own, or would let two catalogs do to each other."""
        others = [one for one in context.component_tree.get_all_components(DicomCatalogComponent) if one is not self]
        if any(one.name == self.name for one in others):
            raise ComponentConfigError(
                f"two catalogs of this project are called {self.name!r}: give each a `name` of its own"
            )
        for one in others:
            if (_located(one.lake, context.project_root), one.schema_folder) == (lake, self.schema_folder):
                raise ComponentConfigError(
                    f"the catalogs {self.name!r} and {one.name!r} would share the tables in {self.schema_folder!r} of "
                    "one lake: give each a `schema_name` of its own"
                )


def _located(address: str, root: Path) -> str:
    """Return an address of which a relative folder counts from the root of the project."""
    if is_remote(address) or address.startswith("file:") or Path(address).expanduser().is_absolute():
        return absolute(address)
    return absolute(str(root / address))


def _storage(options: Mapping[str, str]) -> Storage:
    """Return the access to an object store."""
    if not options:
        return LocalConfig()
    rest = {name: value for name, value in options.items() if name != "provider"}
    kind = _STORES.get(options.get("provider", ""))
    if kind is None:
        raise ComponentConfigError(f"lake_options need a `provider`, one of {', '.join(sorted(_STORES))}")
    if strange := sorted(set(rest) - set(kind.model_fields)):
        raise ComponentConfigError(
            f"lake_options of {options['provider']} know no {', '.join(strange)}; there are "
            f"{', '.join(sorted(set(kind.model_fields) - {'provider'}))}"
        )
    try:
        return kind(**rest)
    except ValidationError as error:
        lacking = ", ".join(str(one["loc"][-1]) for one in error.errors())
        raise ComponentConfigError(f"lake_options of {options['provider']} do not do: look at {lacking}") from None
