"""What Dagster makes of checks with partitions: why ours have none, so that a change upstream is noticed."""

import warnings

import dagster as dg

from dicom_assets.orchestration.runs import range_tags


def test_a_run_over_a_range_leaves_the_checks_of_its_partitions_planned_for_ever():
    parts = dg.DynamicPartitionsDefinition(name="parts")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec = dg.AssetCheckSpec("sound", asset="table", partitions_def=parts)

        @dg.asset(partitions_def=parts, backfill_policy=dg.BackfillPolicy.single_run())
        def table(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            return dg.MaterializeResult(metadata={"partitions": len(context.partition_keys)})

        @dg.multi_asset_check(specs=[spec], can_subset=True)
        def checks():
            yield dg.AssetCheckResult(asset_key="table", check_name="sound", passed=True)

    definitions = dg.Definitions(assets=[table], asset_checks=[checks])
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("parts", ["a", "b"])
        job = definitions.resolve_implicit_global_asset_job_def()
        keys = [dg.AssetKey("table")]
        assert job.execute_in_process(instance=instance, tags=range_tags("a", "b"), asset_selection=keys).success
        key = dg.AssetCheckKey(dg.AssetKey("table"), "sound")
        records = instance.event_log_storage.get_asset_check_execution_history(key, limit=9)
        assert sorted((record.partition or "-", record.status.value) for record in records) == [
            ("-", "SUCCEEDED"),
            ("a", "PLANNED"),
            ("b", "PLANNED"),
        ]
