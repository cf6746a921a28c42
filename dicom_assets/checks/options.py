"""The bounds of checks: what is still well."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from dicom_assets.errors import UserError


class CheckOptionsError(UserError, ValueError):
    """A bound of a check cannot be meant, or is of a table that the catalog does not have."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What share of the rows of an extracted table may be of no use.

    Attributes
    ----------
    errors
        Share of rows with the status ``error``, from 0 to 1.
    damaged
        Share of rows with another status that means a damaged file: ``truncated``, ``partial``.

    """

    errors: float = 0.01
    damaged: float = 0.05

    def __post_init__(self) -> None:
        _check_share("errors", self.errors)
        _check_share("damaged", self.damaged)


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """Bounds of the checks.

    Attributes
    ----------
    bounds
        Of every extracted table.
    of_table
        By the name of a table, bounds of its own.
    flat_thumbnails
        Share of the thumbnails looked at that may be one grey level. The default leaves room for slices of air.
    thumbnails_per_prefix
        How many thumbnails of a prefix are looked at.
    newest_file
        How old the newest file of the archive may be. By default there is no such check: archives at rest are common.

    Raises
    ------
    CheckOptionsError
        A bound cannot be meant.

    """

    bounds: Bounds = field(default_factory=Bounds)
    of_table: Mapping[str, Bounds] = field(default_factory=dict)
    flat_thumbnails: float = 0.05
    thumbnails_per_prefix: int = 10
    newest_file: timedelta | None = None

    def __post_init__(self) -> None:
        _check_share("flat_thumbnails", self.flat_thumbnails)
        if self.thumbnails_per_prefix < 1:
            raise CheckOptionsError(f"thumbnails_per_prefix is {self.thumbnails_per_prefix}; give 1 or more")
        if self.newest_file is not None and self.newest_file <= timedelta():
            raise CheckOptionsError(f"newest_file is {self.newest_file}; give a time of more than nothing, or None")


def _check_share(name: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise CheckOptionsError(f"{name} is {share}; it is a share of the rows: give a number from 0 to 1")
