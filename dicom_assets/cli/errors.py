"""Bad use: one clear line on standard error, and exit code 2."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console

from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.listing import ListingError
from dicom_assets.archive.prefixes import PrefixError
from dicom_assets.delta.location import LakeError, TableSchemaError
from dicom_assets.pipeline.deletions import MassDeletionError
from dicom_assets.pipeline.ownership import SourceMismatchError
from dicom_assets.query.errors import CatalogError
from dicom_assets.query.visible import visible
from dicom_assets.spark.java import JavaNotFoundError

BAD_USE = 2

_EXPECTED = (
    ArchiveError,
    ListingError,
    PrefixError,
    LakeError,
    CatalogError,
    TableSchemaError,
    JavaNotFoundError,
    MassDeletionError,
    SourceMismatchError,
)

stderr = Console(stderr=True)


def tell(message: str, style: str = "red") -> None:
    """Write one line to standard error; it may quote names of files, and values."""
    stderr.print(visible(message), style=style, markup=False, highlight=False, soft_wrap=True)


def refuse(message: str) -> NoReturn:
    """End the command because of how it was called."""
    tell(f"Error: {message}")
    raise typer.Exit(BAD_USE)


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn the errors that a user can do something about into one line."""
    try:
        yield
    except _EXPECTED as error:
        refuse(str(error))
