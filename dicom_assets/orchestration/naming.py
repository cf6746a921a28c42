"""What a catalog is called in its code location, so that several of them share nothing by accident.

Belongs here: every name that Dagster wants to be unique in a code location or an instance: asset keys, ops, jobs,
sensors, schedules, resources, partitions. One value is made of them when definitions are built, and handed down.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import isgeneratorfunction, signature
from typing import Any, TypeVar

from dagster import AssetKey, DynamicPartitionsDefinition

from dicom_assets.errors import UserError
from dicom_assets.orchestration.partitions import PREFIX_PARTITIONS
from dicom_assets.tables import Table

RESOURCES = ("archive", "lake", "spark", "io_manager")
"""Keys of the resources of a catalog without a name."""

NAMED_CATALOG_TAG = "dicom_assets/named_catalog"
"""Tag of the assets of a catalog with a name, which has an automation sensor of its own."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")

_Function = TypeVar("_Function", bound=Callable[..., Any])


class CatalogNameError(UserError, ValueError):
    """A catalog cannot be called that."""


@dataclass(frozen=True, slots=True)
class CatalogNames:
    """The names of one catalog.

    Attributes
    ----------
    name
        First part of its asset keys, and what the names of all else begin with. Empty for a catalog that is alone in
        its code location: then keys are the names of tables, ``object_catalog`` and so on.

    Raises
    ------
    CatalogNameError
        The name has other characters than Dagster takes in all these places.

    """

    name: str = ""

    def __post_init__(self) -> None:
        if self.name and not _NAME.fullmatch(self.name):
            raise CatalogNameError(
                f"a catalog cannot be called {self.name!r}: take letters and digits, begin with a letter, and put "
                "single underscores between words, such as 'ct' or 'chest_ct'"
            )

    @property
    def key_prefix(self) -> Sequence[str]:
        """What stands before the name of a table in its asset key."""
        return [self.name] if self.name else []

    @property
    def partitions(self) -> str:
        """Name under which an instance keeps the partition keys."""
        return self.of(PREFIX_PARTITIONS)

    @property
    def partitions_def(self) -> DynamicPartitionsDefinition:
        """The partitions of all assets of the catalog, and of those that are built on it."""
        return DynamicPartitionsDefinition(name=self.partitions)

    @property
    def group(self) -> str:
        """Asset group."""
        return self.name or "dicom"

    @property
    def schema(self) -> str:
        """Folder of the catalog in its lake, unless another one is named."""
        return self.name or "dicom"

    @property
    def io_manager(self) -> str:
        """Resource key of the IO manager that loads the catalog's tables."""
        return self.of("io_manager")

    @property
    def archive_sensor(self) -> str:
        """Name of the sensor that follows the archive."""
        return self.of("archive_sensor")

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the assets."""
        return {NAMED_CATALOG_TAG: ""} if self.name else {}

    def of(self, plain: str) -> str:
        """Return the name of a job, sensor, schedule or resource, from that of a catalog without a name."""
        return f"{self.name}_{plain}" if self.name else plain

    def key(self, table: str) -> AssetKey:
        """Return the asset key of a table."""
        return AssetKey([*self.key_prefix, table])

    def keys(self, tables: Iterable[Table]) -> list[AssetKey]:
        """Return the asset keys of tables."""
        return [self.key(table.name) for table in tables]

    def op(self, plain: str) -> str:
        """Return the name of an op, as Dagster makes it of an asset key."""
        return "__".join([*self.key_prefix, plain])

    def takes_resources(self, function: _Function) -> _Function:
        """Let the parameters ``archive``, ``lake``, ``spark`` of a function stand for the resources of this catalog.

        Dagster finds resources by the names of parameters, and those of two catalogs are under different keys. The
        function that is returned has parameters of those names.
        """
        shape = signature(function)
        given_as = {self.of(plain): plain for plain in RESOURCES if plain in shape.parameters}
        if not self.name or not given_as:
            return function

        def ours(named: dict[str, Any]) -> dict[str, Any]:
            return {given_as.get(name, name): value for name, value in named.items()}

        @wraps(function)
        def called(*arguments: Any, **named: Any) -> Any:
            return function(*arguments, **ours(named))

        @wraps(function)
        def generated(*arguments: Any, **named: Any) -> Any:
            yield from function(*arguments, **ours(named))

        # What yields has to look like it: Dagster takes what other functions are annotated to return at their word.
        wrapper = generated if isgeneratorfunction(function) else called
        renamed = [
            parameter.replace(name=self.of(name)) if name in RESOURCES else parameter
            for name, parameter in shape.parameters.items()
        ]
        # Both are what Dagster looks at: parameters in the signature, their types in either.
        wrapper.__signature__ = shape.replace(parameters=renamed)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {
            self.of(name) if name in RESOURCES else name: kind for name, kind in function.__annotations__.items()
        }
        return wrapper  # type: ignore[return-value]


ALONE = CatalogNames()
"""The names of a catalog that is alone in its code location."""
