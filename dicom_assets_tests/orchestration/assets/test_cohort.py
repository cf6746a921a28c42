"""A cohort as an asset: lineage, data versions, and what is built on it."""

import dagster as dg
import pandas as pd
import pytest

from dicom_assets import build_cohort, build_definitions
from dicom_assets.cohorts.cohort import open_cohort
from dicom_assets.cohorts.errors import CohortError, CohortNameError
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.query.database import Catalog
from dicom_assets_tests.support.patients import catalog_of, fill
from dicom_assets_tests.support.whole import put


@pytest.fixture
def place(tmp_path):
    fill(tmp_path / "archive", patients=4)
    catalog_of(tmp_path / "archive", tmp_path / "lake")
    return tmp_path


def definitions(place, *assets):
    own = build_definitions(ArchiveResource(source=str(place / "archive")), LakeResource(root_uri=str(place / "lake")))
    return dg.Definitions.merge(own, dg.Definitions(assets=list(assets)))


def materialize(defs, instance, *keys):
    job = defs.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey(key) for key in keys])


def data_version(instance, key):
    event = instance.get_latest_materialization_event(dg.AssetKey(key))
    return event.asset_materialization.tags["dagster/data_version"]


def test_the_data_version_changes_with_the_members_alone(place):
    defs = definitions(place, build_cohort("ct", "Modality = 'CT'", split={"train": 0.5, "test": 0.5}, seed=2))
    with dg.DagsterInstance.ephemeral() as instance:
        run = materialize(defs, instance, "ct")
        first = data_version(instance, "ct")
        catalog = Catalog(LakeResource(root_uri=str(place / "lake")).open())
        record = open_cohort(catalog, "ct").record
        assert (first, record.run_id) == (record.digest, run.run_id)
        materialize(defs, instance, "ct")
        assert data_version(instance, "ct") == first
        assert open_cohort(catalog, "ct").record.version == 0
        put(place / "archive" / "p1" / "new.dcm", 7, PatientID="P1", SOPInstanceUID="7", Modality="CT")
        put(place / "archive" / "p0" / "new.dcm", 8, PatientID="P0", SOPInstanceUID="8", Modality="MR")
        catalog_of(place / "archive", place / "lake")
        materialize(defs, instance, "ct")
        assert data_version(instance, "ct") != first
        assert open_cohort(catalog, "ct").record.version == 1


def test_it_tells_counts_and_neither_condition_nor_members(place):
    defs = definitions(place, build_cohort("p1", "PatientID = 'P1'"))
    with dg.DagsterInstance.ephemeral() as instance:
        materialize(defs, instance, "p1")
        event = instance.get_latest_materialization_event(dg.AssetKey("p1")).asset_materialization
    told = {name: value.value for name, value in event.metadata.items()}
    assert told["files"] == told["dagster/row_count"] == 4
    assert told["patients"] == 1
    assert told["made_from/object_catalog"] >= 1
    assert "P1" not in str(told)
    spec = next(iter(build_cohort("p1", "PatientID = 'P1'").specs))
    assert "P1" not in str(spec)


def test_it_follows_the_catalog(place):
    (spec,) = build_cohort("ct").specs
    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey("object_catalog")]
    assert spec.automation_condition is not None
    (named,) = build_cohort("chest-ct", catalog="ct").specs
    assert named.key == dg.AssetKey(["ct", "chest_ct"])
    assert [dep.asset_key for dep in named.deps] == [dg.AssetKey(["ct", "object_catalog"])]


def test_assets_downstream_load_its_members(place):
    @dg.asset
    def sizes(ct: pd.DataFrame) -> pd.DataFrame:
        return ct.groupby("PatientID", as_index=False)["size"].sum()

    defs = definitions(place, build_cohort("ct", "Modality = 'CT'"), sizes)
    with dg.DagsterInstance.ephemeral() as instance:
        materialize(defs, instance, "ct", "sizes")
    catalog = Catalog(LakeResource(root_uri=str(place / "lake")).open())
    assert catalog.sql("SELECT count(*) FROM sizes").fetchall() == [(2,)]


def test_mistakes_are_told_when_definitions_are_loaded():
    with pytest.raises(CohortNameError):
        build_cohort("a b")
    with pytest.raises(CohortError, match="is no level"):
        build_cohort("a", level="patient")
    with pytest.raises(CohortError, match="add up"):
        build_cohort("a", split={"train": 0.1})


def test_a_cohort_of_nothing_fails_without_being_tried_again(place):
    defs = definitions(place, build_cohort("none", "Modality = 'XX'"))
    job = defs.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("none")], raise_on_error=False)
        assert not done.success
        assert "no file meets the condition" in str(done.all_events)
        assert not any(event.is_step_up_for_retry for event in done.all_events)
