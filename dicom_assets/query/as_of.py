"""Which version of a table was the one at some time."""

import re
from datetime import UTC, datetime

from dicom_assets.delta.history import CommitLog
from dicom_assets.query.errors import CatalogError

_VERSION = re.compile(r"\d+")


class VersionError(CatalogError):
    """A table has no such version, or its data is no longer kept."""


def read_moment(asked: str) -> int | datetime:
    """Return what a user means by a version or a time.

    Parameters
    ----------
    asked
        A number, or a date or date and time in ISO 8601, in UTC where it states no offset.

    Raises
    ------
    VersionError
        It is neither.

    """
    if _VERSION.fullmatch(asked):
        return int(asked)
    try:
        moment = datetime.fromisoformat(asked)
    except ValueError as error:
        raise VersionError(
            f"{asked!r} is neither a version nor a time such as 2024-01-31 or 2024-01-31T12:00"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def version_at(log: CommitLog, moment: int | datetime, newest: int) -> int | None:
    """Return a version of a table.

    Not delta-rs's own look-up by time: it takes a time before the oldest commit that the log keeps for that commit.

    Parameters
    ----------
    log
        Of the table.
    moment
        A version, or a time: that of the last commit until then.
    newest
        The present version.

    Returns
    -------
    ``None`` for a time before there was the table.

    Raises
    ------
    VersionError
        There is no such version, or the log does not reach so far back.

    """
    if isinstance(moment, int):
        if moment > newest:
            raise VersionError(f"there is no version {moment} yet; the newest is {newest}")
        if moment < log.oldest:
            raise VersionError(f"the log does not tell of version {moment} any more; it begins with {log.oldest}")
        return moment
    oldest = None
    for commit in log:
        if commit.at <= moment:
            return commit.version
        oldest = commit
    if oldest is None or log.oldest:
        since = "nothing" if oldest is None else f"{oldest.at:%Y-%m-%d %H:%M:%S} UTC"
        raise VersionError(f"the log does not reach back to {moment:%Y-%m-%d %H:%M:%S%z}; it begins at {since}")
    return None
