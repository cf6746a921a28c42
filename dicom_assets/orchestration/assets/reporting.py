"""What a materialization says of itself: counts, versions, times and places; nothing of a patient.

Dagster shows one event for each partition of a run. What is said of a partition stands under plain names; what is said
of the run as a whole, which all its events repeat, begins with ``run/``. Numbers are numbers, so that Dagster draws
them over time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dagster import (
    AssetExecutionContext,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
)

from dicom_assets.delta.lake import Lake
from dicom_assets.delta.origin import DAGSTER_RUN
from dicom_assets.extract.extractor import ExtractedTable
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.extract.rollups import RollupStatus, RollupTable
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.pipeline.counts import StatusCount, by_status, count_statuses, extent, most_frequent
from dicom_assets.pipeline.plan import Outcome
from dicom_assets.storage.addresses import without_secrets
from dicom_assets.tables import Table

_STATUS = "status"
_PROBLEMS_SHOWN = 10
_MOST_PREFIXES_NAMED = 5
_FINE = frozenset({str(CatalogStatus.OK), str(CatalogStatus.NO_IMAGE)})
_PROBLEM_COLUMNS = TableSchema([TableColumn(_STATUS), TableColumn("reason"), TableColumn("files", type="int")])

Counts = Mapping[str, int]
"""By prefix."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Says what a run did to tables.

    Attributes
    ----------
    context, lake, prefixes
        Of the run.
    names
        What the catalog is called.
    seen
        What else there is to count of each prefix, by name.

    """

    context: AssetExecutionContext
    lake: Lake
    prefixes: Sequence[str]
    names: CatalogNames = ALONE
    seen: Mapping[str, Counts] = field(default_factory=dict)

    def report(self, outcome: Outcome, **metadata: Any) -> MaterializeResult[None]:
        """Attach what happened to each partition, log it, and return the materialization of one table.

        Parameters
        ----------
        outcome
            What was done to the table.
        **metadata
            What else is said of the run.

        """
        table, key = outcome.table, self.names.key(outcome.table.name)
        held = self.lake.snapshot(table)
        counts = count_statuses(held, self.prefixes) if _STATUS in table.schema.names else []
        statuses = by_status(counts)
        for prefix in self.prefixes:
            said = {**self._of_prefix(outcome, prefix), **_statuses(table, statuses.get(prefix, {}))}
            self.context.add_asset_metadata(
                {name: MetadataValue.int(count) for name, count in said.items()}, asset_key=key, partition_key=prefix
            )
        self.context.log.info(_line(outcome))
        whole = extent(held)
        rows = {} if whole.rows is None else {"dagster/row_count": MetadataValue.int(whole.rows)}
        return MaterializeResult(
            asset_key=key,
            metadata={
                **rows,
                "dagster/size_bytes": MetadataValue.int(whole.size),
                "dagster/uri": without_secrets(self.lake.location(table).uri),
                "dagster/table_name": f"{self.lake.schema}.{table.name}",
                "delta_version": outcome.version,
                "committed": outcome.committed,
                **_run(outcome, len(self.prefixes)),
                **(_problems(counts, self.prefixes) if _means_files(table) else {}),
                **metadata,
            },
        )

    def _of_prefix(self, outcome: Outcome, prefix: str) -> dict[str, int]:
        added, changed = outcome.added.get(prefix, 0), outcome.changed.get(prefix, 0)
        effort = outcome.effort
        # Where all rows were made of what the table held, none was read.
        files = added + changed if prefix in effort.bytes_read else 0
        read = {"files_read": files, "bytes_read": effort.bytes_read.get(prefix, 0)}
        return {
            "dagster/partition_row_count": outcome.rows(prefix),
            "added": added,
            "changed": changed,
            "removed": outcome.removed.get(prefix, 0),
            "kept": outcome.kept.get(prefix, 0),
            "bytes_written": effort.bytes_written.get(prefix, 0),
            **(read if isinstance(outcome.table, ExtractedTable) else {}),
            **{name: counts.get(prefix, 0) for name, counts in self.seen.items()},
        }


def run_metadata(context: AssetExecutionContext) -> dict[str, str]:
    """Return what the commits of a run say of it."""
    return {DAGSTER_RUN: context.run.run_id}


def _means_files(table: Table) -> bool:
    """Return whether the status of a row is the status of its file as a whole."""
    return table.name == CATALOG_NAME


def _statuses(table: Table, found: Counts) -> dict[str, int]:
    """Return the number of rows of each state that there is, those without rows included: a trend has no gaps."""
    known = [str(status) for status in _declared(table)]
    others = sorted(found.keys() - set(known))
    return {f"{_STATUS}/{name}": found.get(name, 0) for name in (*known, *others)}


def _declared(table: Table) -> Iterable[str]:
    """Return the states that rows of a table may have."""
    if isinstance(table, ExtractedTable):
        return table.meanings
    if isinstance(table, RollupTable):
        return RollupStatus
    return CatalogStatus if _means_files(table) else ()


def _run(outcome: Outcome, prefixes: int) -> dict[str, Any]:
    """Return what is said of the run as a whole."""
    effort, seconds = outcome.effort, outcome.effort.seconds
    times = {
        "run/seconds": seconds.total,
        "run/seconds/plan": seconds.plan,
        "run/seconds/stage": seconds.stage,
        "run/seconds/rewrite": seconds.rewrite,
        "run/seconds/commit": seconds.commit,
    }
    if outcome.made and seconds.total:
        times["run/files_per_second"] = outcome.made / seconds.total
    tasks = effort.tasks
    if tasks.count and seconds.stage:
        times["run/longest_task/seconds"] = tasks.longest
        times["run/longest_task/share"] = min(1.0, tasks.longest / seconds.stage)
    return {
        "run/prefixes": MetadataValue.int(prefixes),
        "run/rows_made": MetadataValue.int(outcome.made),
        "run/bytes_written": MetadataValue.int(sum(effort.bytes_written.values())),
        **{name: MetadataValue.float(round(value, 3)) for name, value in times.items()},
        **({"run/tasks": MetadataValue.int(tasks.count)} if tasks.count else {}),
        **({"engine": effort.engine} if effort.engine else {}),
        **({"spark_ui": MetadataValue.url(effort.url)} if effort.url else {}),
    }


def _problems(counts: Sequence[StatusCount], prefixes: Sequence[str]) -> dict[str, Any]:
    """Return what is not well with the files of a run: the most frequent states and reasons, and the SQL for the rest.

    Reasons carry no patient data, and no path is shown.
    """
    worst = most_frequent(counts, _PROBLEMS_SHOWN, _FINE)
    records = [
        TableRecord({_STATUS: status, "reason": reason or "", "files": rows})
        for (status, reason), rows in worst.items()
    ]
    shown = MetadataValue.table(records, _PROBLEM_COLUMNS) if records else "none"
    return {"run/problems": shown, "run/problems_sql": MetadataValue.md(f"```sql\n{_problems_sql(prefixes)}\n```")}


def _problems_sql(prefixes: Sequence[str]) -> str:
    """Return the SQL that lists the files with problems; of many prefixes it names none."""
    fine = ", ".join(f"'{status}'" for status in sorted(_FINE))
    names = ", ".join("'" + prefix.replace("'", "''") + "'" for prefix in prefixes)
    where = f"\n  AND prefix IN ({names})" if len(prefixes) <= _MOST_PREFIXES_NAMED else ""
    return (
        "SELECT status, error, relative_path\n"
        f"FROM object_catalog\nWHERE status NOT IN ({fine}){where}\nORDER BY status, error, relative_path"
    )


def _line(outcome: Outcome) -> str:
    """Return what was done, for the log."""
    added, changed, removed = (sum(part.values()) for part in (outcome.added, outcome.changed, outcome.removed))
    end = f"version {outcome.version}" if outcome.committed else "nothing to commit"
    end += f"; rows made by: {outcome.engine}" if outcome.engine else ""
    seconds = outcome.effort.seconds.total
    return f"{outcome.table.name}: {added} rows added, {changed} changed, {removed} removed in {seconds:.1f} s; {end}"
