"""Kept connections change what a command costs, and nothing of what is stored."""

import json

import dagster as dg
import pytest

from dicom_assets.orchestration.dagster_internals import InstanceRef, SqliteRunStorage
from dicom_assets.orchestration.instance import open_instance
from dicom_assets.orchestration.kept_storage import KeptSqliteStorage, with_kept_connections


@dg.asset(check_specs=[dg.AssetCheckSpec("whole", asset="table")])
def table():
    yield dg.AssetCheckResult(passed=False, metadata={"found": 3})
    yield dg.MaterializeResult(metadata={"rows": 7})


def stored(instance, run_id):
    """Return all that an instance tells of a run of the asset."""
    run = instance.get_run_by_id(run_id)
    events = [entry.dagster_event_type for entry in instance.all_logs(run_id)]
    [check] = instance.event_log_storage.get_asset_check_execution_history(next(iter(table.check_keys)), 1)
    materialized = instance.get_latest_materialization_event(table.key).asset_materialization
    return run.status, events, check.status, check.evaluation.metadata, materialized.metadata["rows"].value


@pytest.fixture
def lake(tmp_path, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return tmp_path / "lake"


def run(instance):
    return dg.materialize([table], instance=instance, raise_on_error=False).run_id


def test_dagster_reads_what_was_stored_while_the_command_runs_and_afterwards(lake):
    with open_instance(str(lake)) as kept:
        assert kept.get_ref().storage_data.class_name == KeptSqliteStorage.__name__
        run_id = run(kept)
        with dg.DagsterInstance.from_config(str(lake / ".dagster")) as plain:
            meanwhile = stored(plain, run_id)
            assert meanwhile == stored(kept, run_id)
            other = run(plain)
        # What others write is seen, though the connection was open before.
        assert stored(kept, other)[0] is dg.DagsterRunStatus.SUCCESS
    with dg.DagsterInstance.from_config(str(lake / ".dagster")) as plain:
        assert stored(plain, run_id)[:2] == meanwhile[:2]


def test_few_databases_are_open_however_many_runs_there_are(lake):
    with open_instance(str(lake)) as kept:
        runs = [run(kept) for _ in range(4)]
        open_ones = kept.event_log_storage._engines
        assert set(open_ones) == {"index", *runs[-2:]}
        # One that was let go is opened again.
        assert kept.all_logs(runs[0])


def test_nothing_is_left_open_and_no_log_of_sqlite_remains(lake):
    with open_instance(str(lake)) as kept:
        run(kept)
        assert list(lake.rglob("*.db-wal"))
    assert not list(lake.rglob("*.db-wal"))


def test_another_database_stays(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    storage = {"module": "dagster._core.storage.event_log", "class": "ConsolidatedSqliteEventLogStorage"}
    settings = {"event_log_storage": {**storage, "config": {"base_dir": str(home / "events")}}}
    (home / "dagster.yaml").write_text(json.dumps(settings))
    reference = InstanceRef.from_dir(str(home))
    assert with_kept_connections(reference) == reference


def test_postgres_stays(tmp_path):
    address = {"env": "DAGSTER_PG_URL"}
    (tmp_path / "dagster.yaml").write_text(json.dumps({"storage": {"postgres": {"postgres_url": address}}}))
    reference = InstanceRef.from_dir(str(tmp_path))
    assert reference.storage_data.class_name == "DagsterPostgresStorage"
    assert with_kept_connections(reference) == reference


def test_runs_are_still_told_to_be_of_one_machine(lake):
    with open_instance(str(lake)) as kept:
        assert isinstance(kept.run_storage, SqliteRunStorage)


def test_no_transaction_waits_for_the_disk_and_the_databases_are_ones_that_bear_it(lake):
    with open_instance(str(lake)) as kept:
        run_id = run(kept)
        with kept.event_log_storage.run_connection(run_id) as events, kept.run_storage.connect() as runs:
            for connection in (events, runs):
                settings = [
                    connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode")
                ]
                assert settings == [1, "wal"]  # 1 is NORMAL


@dg.asset(
    partitions_def=dg.StaticPartitionsDefinition([f"p{number}" for number in range(40)]),
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def parts() -> None:
    pass


def run_all(instance):
    tags = {"dagster/asset_partition_range_start": "p0", "dagster/asset_partition_range_end": "p39"}
    return dg.materialize([parts], instance=instance, tags=tags).run_id


def test_the_events_of_many_partitions_are_one_transaction_and_the_same_as_in_dagsters_own(lake, tmp_path, monkeypatch):
    sizes = []
    (tmp_path / "plain").mkdir()
    with open_instance(str(lake)) as kept, dg.DagsterInstance.local_temp(str(tmp_path / "plain")) as plain:
        store = kept.event_log_storage.store_event_batch
        counted = lambda events: (sizes.append(len(events)), store(events))  # noqa: E731
        monkeypatch.setattr(kept.event_log_storage, "store_event_batch", counted)
        told = []
        for instance in (kept, plain):
            run_id = run_all(instance)
            records = instance.fetch_materializations(parts.key, limit=100).records
            told.append(
                (
                    [entry.dagster_event_type for entry in instance.all_logs(run_id)],
                    sorted(record.partition_key for record in records),
                    instance.get_materialized_partitions(parts.key),
                )
            )
    assert told[0] == told[1]
    assert 40 in sizes


def test_a_batch_that_fails_is_stored_event_by_event(lake, monkeypatch, capsys):
    with open_instance(str(lake)) as kept:
        run_all(kept)
        log = kept.event_log_storage
        store, calls = log.store_event, []

        def fails_once(event):
            calls.append(event)
            if len(calls) == 20:
                raise OSError("disk full")
            store(event)

        monkeypatch.setattr(log, "store_event", fails_once)
        run_id = run_all(kept)
        assert len({record.partition_key for record in kept.fetch_materializations(parts.key, limit=200).records}) == 40
        stored_events = [entry for entry in kept.all_logs(run_id) if entry.dagster_event_type]
    keys = [entry.dagster_event.partition for entry in stored_events if entry.dagster_event.is_step_materialization]
    assert sorted(keys) == sorted(f"p{number}" for number in range(40))
    assert "disk full" in capsys.readouterr().err
