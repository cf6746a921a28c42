"""How every asset of the catalog runs: its run config, retries, backfills, and when it follows what it is made of."""

from dagster import AutomationCondition, BackfillPolicy, Backoff, Config, Jitter, RetryPolicy
from pydantic import Field

from dicom_assets.pipeline.difference import UpdateMode

TABLE = "dicom_assets/table"
"""Metadata of an asset: the name of its table in the schema. The key of an asset has more parts in a named catalog."""
PREFIXES_PER_RUN = 50
"""How many prefixes one run takes: one Spark job and one commit per table for all of them."""

BACKFILL = BackfillPolicy.multi_run(max_partitions_per_run=PREFIXES_PER_RUN)
RETRIES = RetryPolicy(max_retries=2, delay=10, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS)
"""For faults of the infrastructure, which are all that fails a step: a bad file is a row."""


_UPSTREAM_UPDATED = AutomationCondition.any_deps_match(AutomationCondition.newly_updated())

FOLLOW_UPSTREAM = (
    _UPSTREAM_UPDATED.since(AutomationCondition.newly_updated()).with_label("upstream is newer")
    & ~_UPSTREAM_UPDATED.with_label("upstream was just updated")
    & ~AutomationCondition.newly_requested().since(_UPSTREAM_UPDATED).with_label("asked for already")
    & ~AutomationCondition.any_deps_in_progress()
    & ~AutomationCondition.in_progress()
).with_label("follow upstream")
"""Update a partition whose upstream tables were materialized after it, once, when no run is busy with them.

Dagster's ``eager`` would wait for upstream partitions that were never materialized (a catalog of headers without
thumbnails is of use), and like all conditions that end in ``since_last_handled`` it forgets an upstream update that
falls into one tick with an earlier update of the asset itself: only conditions that are not joined by "and" or "or"
are compared by the time of their events.

What was updated just now waits for one more tick. A tick looks at events up to its beginning and at runs as they are a
while later, so that of a run over all tables that ends in between it sees the first tables and neither the catalog nor
the run.
"""


class UpdateConfig(Config):
    """Run config of an asset."""

    mode: UpdateMode = Field(
        default=UpdateMode.SYNC,
        description="`sync` mirrors the archive, `append` keeps rows of removed files, `overwrite` makes all anew.",
    )
