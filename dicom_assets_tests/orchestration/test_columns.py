"""Columns of one's own in Dagster: configured, kept where they are not, and checked."""

import dagster as dg
import pytest

from dicom_assets.errors import UserError
from dicom_assets.orchestration import definitions as module
from dicom_assets.orchestration.definitions import build_definitions, definitions_from_environment
from dicom_assets.pipeline.own_columns import saved_columns
from dicom_assets.query.opening import open_catalog
from dicom_assets_tests.support.scratch import IN_PROCESS, build
from dicom_assets_tests.support.whole import put


def numbers(deployment):
    return open_catalog(deployment.root).sql("SELECT Number FROM object_catalog ORDER BY path").fetchall()


def test_a_run_fills_them_and_one_without_them_keeps_them(deployment):
    build(deployment.lake, deployment.archive.open(), engine=IN_PROCESS)
    plain = deployment.definitions
    deployment.definitions = build_definitions(
        deployment.archive, deployment.lake_resource, columns=["Number=InstanceNumber:number"]
    )
    result = deployment.run_all()
    assert numbers(deployment) == [(0.0,), (1.0,), (2.0,)]
    (headers,) = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("dicom_headers")
    ]
    assert headers.metadata["run/rows_made"].value == 3
    assert all(evaluation.passed for evaluation in result.get_asset_check_evaluations())

    deployment.definitions = plain
    put(deployment.source / "a" / "3.dcm", 3)
    again = deployment.run_all()
    assert numbers(deployment) == [(0.0,), (1.0,), (2.0,), (3.0,)]
    assert [one.name for one in saved_columns(deployment.lake)] == ["Number"]
    failed = [one.check_name for one in again.get_asset_check_evaluations() if not one.passed]
    assert failed == []


def test_the_environment_names_columns(monkeypatch):
    monkeypatch.setenv(module.COLUMNS, 'PatientWeight; Product=(0009,"GEMS_IDEN_01",01)')
    specs = {spec.key.path[-1]: spec for spec in definitions_from_environment().resolve_all_asset_specs()}
    shown = [column.name for column in specs["dicom_headers"].metadata["dagster/column_schema"].columns]
    assert shown[-2:] == ["PatientWeight", "Product"]
    monkeypatch.setenv(module.COLUMNS, "PatientWieght")
    with pytest.raises(UserError, match="PatientWeight"):
        definitions_from_environment()
