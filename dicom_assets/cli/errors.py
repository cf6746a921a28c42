"""Nothing was done, and why: one clear line on standard error, and exit code 2."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console

from dicom_assets.errors import DicomAssetsError
from dicom_assets.query.visible import visible

BAD_USE = 2

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
    """Turn an error of this package into one line; any other is a fault of the program and keeps its traceback."""
    try:
        yield
    except DicomAssetsError as error:
        refuse(str(error))
