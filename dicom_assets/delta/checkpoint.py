"""Checkpoints of young tables: without one, every reader parses every commit that there has ever been.

delta-rs writes one every hundred commits. A run over fifty prefixes writes up to half a megabyte of log, so that by
then a table is read from tens of megabytes of JSON: of a million files, each look at a table took 0.18 s before its
first checkpoint and 0.07 s after it, and to ask what fifty prefixes have seen 0.5 s and 0.03 s. Old tables are left to
delta-rs: a checkpoint grows with its table, and all of them together are to stay in proportion to the log.
"""

import logging

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

_LOG = logging.getLogger(__name__)

_OF_YOUNG_TABLES = ((100, 10), (200, 20), (500, 50))
"""Up to how many commits a table is that young, and for how many of them it gets a checkpoint: about a tenth."""


def is_due(version: int) -> bool:
    """Return whether a table gets a checkpoint at a version, before delta-rs writes them by itself."""
    commits = version + 1
    every = next((every for bound, every in _OF_YOUNG_TABLES if commits <= bound), None)
    return every is not None and commits % every == 0


def write_checkpoint(delta: DeltaTable) -> None:
    """Write a checkpoint of the version that is loaded.

    What was committed stays committed where it cannot be written: readers take longer then, and the next is not far.
    """
    try:
        delta.create_checkpoint()
    except (DeltaError, OSError) as error:
        _LOG.warning("no checkpoint of version %d: %s", delta.version(), type(error).__name__)
