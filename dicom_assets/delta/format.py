"""The version of the format of a catalog's tables, and which versions this package takes.

The format is what a reader or writer has to know beyond the columns: what a key is, how a prefix is stored, what the
properties mean. It is a number, one higher with each change that an older package would misread or damage. Columns that
are added do not change it: readers ask for columns by name, and writers add those that are missing.

Each table states its format in a property. Tables of the first release state none; their format is 0. Format 1 is a
table of files, by their path; format 2 one of another key, which a property names; format 3 an index of files whose
prefixes are cut through names of folders.
"""

from collections.abc import Mapping

from dicom_assets.errors import UserError
from dicom_assets.tables import KEY, Table

FORMAT = "dicom_assets.formatVersion"
"""Property of a table: the format that it is written in."""
FORMAT_VERSION = 3
"""The newest format that this version of the package knows. It reads all lower ones, and upgrades them in place."""
KEY_COLUMN = "dicom_assets.key"
"""Property of a table: the column that is its key, where that is not the path of a file."""

CUT_NAMES = 3
"""Format of an index whose prefixes are cut through names: an older package would take them for names of folders."""

_BY_PATH, _BY_OTHER_KEY = 1, 2


class LakeFormatError(UserError, ValueError):
    """A table was written by a newer version of this package, in a format that this one does not know."""


def format_for(table: Table) -> int:
    """Return the format that a table is written in: the oldest that says all, so that older packages read most."""
    return _BY_PATH if table.key == KEY else _BY_OTHER_KEY


def format_of(properties: Mapping[str, str], uri: str) -> int:
    """Return the format that the properties of a table state.

    Parameters
    ----------
    properties
        Of the table, ours and Delta's.
    uri
        Where the table is, for the message.

    Raises
    ------
    LakeFormatError
        This version of the package does not know it.

    """
    stated = properties.get(FORMAT, "0")
    if stated.isdecimal() and int(stated) <= FORMAT_VERSION:
        return int(stated)
    raise LakeFormatError(
        f"the table at {uri} has the format {stated!a}, and this version of dicom-assets knows formats up to "
        f"{FORMAT_VERSION}: it was written by a newer one. Upgrade with `pip install --upgrade dicom-assets`, here and "
        "on the workers"
    )
