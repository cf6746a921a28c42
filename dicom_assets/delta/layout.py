"""Names of data files: laid out exactly as delta-rs does, so that every reader finds its partition values.

A partition folder is the percent-encoded value (``prefix=2024%2F01``); the log holds that path percent-encoded
once more (``prefix=2024%252F01``), as the Delta protocol asks of paths ("Add File and Remove File"). delta-rs encodes
the paths of actions when it writes them, and hands them out as they are in the log.
"""

import hashlib
import uuid
from urllib.parse import quote, unquote

from dicom_assets.tables import PARTITION

_MAX_FOLDER_BYTES = 255


def partition_folder(value: str) -> str:
    """Return the folder of a partition value.

    A name longer than file systems take (255 bytes) is cut and made unique by a digest: legal, for the value that
    counts is the one in the log.
    """
    folder = f"{PARTITION}={quote(value, safe='')}"
    if len(folder) <= _MAX_FOLDER_BYTES:
        return folder
    digest = hashlib.sha256(value.encode()).hexdigest()[:32]
    return f"{folder[: _MAX_FOLDER_BYTES - 33]}~{digest}"


def new_data_file(value: str) -> str:
    """Return a fresh data file path, relative to the table, as it is on storage."""
    return f"{partition_folder(value)}/part-{uuid.uuid4()}.zstd.parquet"


def from_log(path: str) -> str:
    """Return the storage path of a path in the log."""
    return unquote(path)
