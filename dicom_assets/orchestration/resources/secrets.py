"""Secrets in the configuration of resources: they are kept from Dagster, which stores and shows what it is given.

Dagster masks a field that is marked as secret on the page of its resource, unless it is one of several classes. The
same value stands in the defaults of the config schema of every job, and in the snapshots that each run leaves in the
instance's database, in clear. So a secret literal is put into the environment of this process, and Dagster gets the
variable's name.
"""

import os
import re
import warnings
from collections.abc import Mapping
from typing import Any

from dagster import EnvVar
from dagster_deltalake import AzureConfig, GcsConfig, LocalConfig, S3Config
from pydantic import BaseModel

from dicom_assets.errors import UserError

SECRET: dict[str, Any] = {"dagster__is_secret": True}
"""Marks a field for Dagster: ``Field(json_schema_extra=SECRET)``."""

Storage = AzureConfig | S3Config | LocalConfig | GcsConfig

_VARIABLE = "DICOM_ASSETS_LITERAL_"
_NAME = re.compile(
    r"secret|passw|passphrase|token|credential|signature|private|bearer|authorization|(?<![a-z])sas(?![a-z])|api_?key"
    r"|(account|access|shared|storage|master|sas|encryption|service_account)[._-]?key(?!_?id$|[._-]?id$)",
    re.IGNORECASE,
)
"""Of options that hold secrets, as delta-rs, object_store and Hadoop name them."""
_VALUE = re.compile(
    r"://[^/@\s]*:[^/@\s]+@|(password|passwd|secret|token|accountkey|\bsig|signature)=[^\s&]|BEGIN [A-Z ]*PRIVATE KEY"
    r"|\bX-Amz-Signature=|\"private_key\"",
    re.IGNORECASE,
)
"""What a secret looks like under any name: a URL with a password, a signed one, a key file."""
_PATHS = re.compile(r"(file|path|location|uri|endpoint|credentials)$", re.IGNORECASE)
"""Options that say where the secret is."""


class SecretLiteralWarning(UserWarning):
    """A secret stands in the definitions as a literal."""


class SecretNotSetError(UserError, ValueError):
    """An environment variable that is to hold an option is not set."""


def looks_secret(name: str, value: str) -> bool:
    """Return whether an option holds a secret, by its name or by what it looks like."""
    return bool(_VALUE.search(value)) or bool(_NAME.search(name) and not _PATHS.search(name))


def hidden(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a resource with each secret literal replaced by an environment variable.

    Warns once of each option that holds one.

    Parameters
    ----------
    data
        By field name: text, mappings of text, and configurations of storage.

    """
    return {name: _hidden(name, value) for name, value in data.items()}


def _hidden(name: str, value: Any) -> Any:
    match value:
        case EnvVar():
            return value
        case str():
            return _variable(name, value) if value and looks_secret(name, value) else value
        case Mapping():
            return {key: _hidden(str(key), entry) for key, entry in value.items()}
        case AzureConfig() | S3Config() | GcsConfig():
            fields = {key: getattr(value, key) for key in type(value).model_fields if key != "provider"}
            return type(value)(**{key: _hidden(key, entry) for key, entry in fields.items()})
    return value


def _variable(name: str, value: str) -> EnvVar:
    """Return a variable that holds a value: the one it came from, or one of ours."""
    for variable, held in os.environ.items():
        if held == value:
            return EnvVar(variable)
    number = 1 + sum(variable.startswith(_VARIABLE) for variable in os.environ)
    os.environ[f"{_VARIABLE}{number}"] = value
    warnings.warn(
        f"the option {name} is a secret and stands in the definitions as a literal; take dagster.EnvVar for it",
        SecretLiteralWarning,
        stacklevel=1,  # a warning shows the line it names, and the line of the caller holds the secret
    )
    return EnvVar(f"{_VARIABLE}{number}")


def revealed(value: Any) -> Any:
    """Return text, or options with text in them, with each environment variable replaced by what it holds.

    Raises
    ------
    SecretNotSetError
        A variable is not set.

    """
    match value:
        case EnvVar():
            held = value.get_value()
            if held is None:
                raise SecretNotSetError(f"the environment variable {value.env_var_name} is not set")
            return held
        case Mapping():
            return {key: revealed(entry) for key, entry in value.items()}
        case BaseModel():
            return {key: revealed(getattr(value, key)) for key in type(value).model_fields}
    return value
