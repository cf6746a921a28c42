"""The lake as a Dagster resource: where the Delta tables are."""

from typing import Any

from dagster import ConfigurableResource
from dagster_deltalake import AzureConfig, GcsConfig, LocalConfig, S3Config
from pydantic import Field

from dicom_assets.delta.lake import Lake
from dicom_assets.errors import UserError
from dicom_assets.orchestration.resources.secrets import hidden, revealed
from dicom_assets.storage.addresses import absolute


class LakeConfigError(UserError, ValueError):
    """The lake is not configured."""


class LakeResource(ConfigurableResource):  # type: ignore[type-arg]
    """Delta tables at ``{root_uri}/{schema}/<asset>``.

    ``dagster.EnvVar`` is taken for every value, those of the storage options among them, and is the place for secrets.
    """

    root_uri: str = Field(description="Folder, or URI of an object store, that holds the tables.")
    schema_name: str = Field(default="dicom", description="Folder of this catalog in the lake.")
    storage_options: AzureConfig | S3Config | LocalConfig | GcsConfig = Field(
        default_factory=LocalConfig,
        discriminator="provider",
        description="Access to the storage; what is not given comes from its usual environment variables.",
    )

    def __init__(self, **data: Any) -> None:
        super().__init__(**hidden(data))

    def open(self) -> Lake:
        """Return the lake.

        Raises
        ------
        AddressError
            The lake is a folder of another machine.
        LakeConfigError
            No lake is configured.
        SchemaNameError
            The schema is not the name of a folder.
        SecretNotSetError
            A value is to come from an environment variable that is not set.

        """
        root = revealed(self.root_uri)
        if not root:
            raise LakeConfigError("no lake is configured: set DICOM_ASSETS_LAKE to a folder or bucket URI")
        given = revealed(self.storage_options)
        options = {name: str(value) for name, value in given.items() if value is not None and name != "provider"}
        return Lake(absolute(root), revealed(self.schema_name), options)
