"""The lake as a Dagster resource: where the Delta tables are."""

from dagster import ConfigurableResource
from dagster_deltalake import AzureConfig, GcsConfig, LocalConfig, S3Config
from pydantic import Field

from dicom_assets.archive.opening import absolute
from dicom_assets.delta.lake import Lake


class LakeConfigError(ValueError):
    """The lake is not configured."""


class LakeResource(ConfigurableResource):  # type: ignore[type-arg]
    """Delta tables at ``{root_uri}/{schema}/<asset>``."""

    root_uri: str = Field(description="Folder, or URI of an object store, that holds the tables.")
    schema_name: str = Field(default="dicom", description="Folder of this catalog in the lake.")
    storage_options: AzureConfig | S3Config | LocalConfig | GcsConfig = Field(
        default_factory=LocalConfig,
        discriminator="provider",
        description="Access to the storage; what is not given comes from its usual environment variables.",
    )

    def open(self) -> Lake:
        """Return the lake.

        Raises
        ------
        LakeConfigError
            No lake is configured.

        """
        if not self.root_uri:
            raise LakeConfigError("no lake is configured: set DICOM_ASSETS_LAKE to a folder or bucket URI")
        options = {name: value for name, value in self.storage_options.str_dict().items() if name != "provider"}
        return Lake(absolute(self.root_uri), self.schema_name, options)
