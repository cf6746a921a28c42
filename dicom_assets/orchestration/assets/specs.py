"""How every asset of the catalog runs: its run config, retries, backfills, and when it follows what it is made of."""

from enum import Enum

from dagster import AutomationCondition, BackfillPolicy, Backoff, Config, Jitter, RetryPolicy
from pydantic import Field

from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.update import PREFIXES_PER_UPDATE

TABLE = "dicom_assets/table"
"""Metadata of an asset: the name of its table in the schema. The key of an asset has more parts in a named catalog."""
COHORT = "dicom_assets/is_cohort"
"""Metadata of an asset: whether its table is one of a cohort, which stands in the schema of cohorts."""
PREFIXES_PER_RUN = PREFIXES_PER_UPDATE
"""How many prefixes one run takes: one Spark job and one commit per table for all of them."""

BACKFILL = BackfillPolicy.multi_run(max_partitions_per_run=PREFIXES_PER_RUN)
RETRIES = RetryPolicy(max_retries=2, delay=10, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS)
"""For faults of the infrastructure, which are all that fails a step: a bad file is a row."""
SPARK_POOL = "spark"
"""Pool of the steps that may start Spark: how many runs may have one at once is a setting of the instance."""


_UPSTREAM_UPDATED = AutomationCondition.any_deps_match(AutomationCondition.newly_updated())

FOLLOW_UPSTREAM = (
    _UPSTREAM_UPDATED.since(AutomationCondition.newly_updated()).with_label("upstream is newer")
    & ~_UPSTREAM_UPDATED.with_label("upstream was just updated")
    & ~AutomationCondition.newly_requested().since(_UPSTREAM_UPDATED).with_label("asked for already")
    & ~AutomationCondition.any_deps_match(AutomationCondition.execution_failed()).with_label("an upstream failed")
    & ~AutomationCondition.any_deps_in_progress()
    & ~AutomationCondition.in_progress()
).with_label("follow upstream")
"""Update a partition whose upstream tables were materialized after it, once, when no run is busy with them.

Dagster's ``eager`` would wait for upstream partitions that were never materialized (a catalog of headers without
thumbnails is of use), and like all conditions that end in ``since_last_handled`` it forgets an upstream update that
falls into one tick with an earlier update of the asset itself: only conditions that are not joined by "and" or "or"
are compared by the time of their events.

Where the latest run of an upstream table failed, the partition waits until one succeeds: the sensor asks for that run
again, and it makes the catalog itself.

What was updated just now waits for one more tick. A tick looks at events up to its beginning and at runs as they are a
while later, so that of a run over all tables that ends in between it sees the first tables and neither the catalog nor
the run.
"""


class RunMode(Enum):
    """An update mode as run config has it: Dagster takes an enum by the names of its members.

    So the names are the words of the command line. Those in capitals were the only ones before, and stay valid.
    """

    sync = "sync"
    append = "append"
    overwrite = "overwrite"
    SYNC = "SYNC"
    APPEND = "APPEND"
    OVERWRITE = "OVERWRITE"


class UpdateConfig(Config):
    """Run config of an asset."""

    mode: RunMode = Field(
        default=RunMode.sync,
        description="`sync` mirrors the archive, `append` keeps rows of removed files, `overwrite` makes all anew.",
    )

    @property
    def update_mode(self) -> UpdateMode:
        """Return the mode of the update."""
        return UpdateMode(self.mode.value.lower())
