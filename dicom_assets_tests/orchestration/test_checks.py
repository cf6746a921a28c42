"""Asset checks in Dagster: which run looks where, what a result says, and what it holds up."""

import dagster as dg
import pyarrow as pa
import pytest
from deltalake import Field
from deltalake.schema import PrimitiveType

from dicom_assets.archive.local import LocalArchive
from dicom_assets.checks.declared import checks_of
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.extract.thumbnails import THUMBNAILS
from dicom_assets.orchestration.checks import build_checks
from dicom_assets.orchestration.partitions import PREFIXES
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.runs import range_tags
from dicom_assets.query import Catalog
from dicom_assets_tests.support.instances import instance_below
from dicom_assets_tests.support.made_up import follow, replace, write
from dicom_assets_tests.support.rows import append, index_rows
from dicom_assets_tests.support.whole import Deployment, put


@pytest.fixture
def source(tmp_path):
    for name in ("a/1", "a/2", "b/1"):
        write(tmp_path / "source" / name)
    return tmp_path / "source"


@pytest.fixture
def followed(source, lake):
    """Made up tables: what their rows say of each other is not what a join would give."""
    follow(lake, LocalArchive(str(source), 1), ["a", "b"])
    return lake


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(PREFIXES.name, ["a", "b"])
        yield instance


def check(instance, lake, first=None, last=None, raises=False):
    """Run all checks, over a range of prefixes or all; returns those that failed."""
    assets = [dg.AssetSpec(table.name, partitions_def=PREFIXES) for table in DEFAULT_MODEL.tables]
    definitions = dg.Definitions(
        assets=assets, asset_checks=build_checks(DEFAULT_MODEL), resources={"lake": LakeResource(root_uri=lake.root)}
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    tags = range_tags(first, last) if first else {}
    result = job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    evaluations = result.get_asset_check_evaluations()
    assert len(evaluations) == len(checks_of(DEFAULT_MODEL)) == 35, "all were evaluated"
    assert result.success is not raises
    return {
        (evaluation.asset_key.path[-1], evaluation.check_name): evaluation
        for evaluation in evaluations
        # The rows are made up: no join would give them.
        if not evaluation.passed and evaluation.check_name != "equals_its_parents"
    }


def said(evaluation):
    return {name: value.value for name, value in evaluation.metadata.items() if name != "sql"}


def test_tables_that_follow_pass(instance, followed):
    assert check(instance, followed) == {}


def test_a_row_that_is_missing_and_one_too_many_are_told(instance, followed):
    rows = pa.table({"prefix": ["a"] * 2, "path": ["/gone", "/gone too"], "fingerprint": ["1"] * 2})
    replace(followed, THUMBNAILS, ["a"], rows)
    found = check(instance, followed)
    assert list(found) == [("thumbnails", "one_row_per_indexed_file")]
    (evaluation,) = found.values()
    assert evaluation.severity is dg.AssetCheckSeverity.WARN
    assert evaluation.description == "found 4, bound 0"
    assert said(evaluation) == {
        "found": 4,
        "bound": "0",
        "looked at": 3,
        "files without a row": 2,
        "rows without a file": 2,
        "prefixes": ["a"],
    }
    rows = Catalog(followed).sql(evaluation.metadata["sql"].value).fetchall()
    assert len(rows) == 4, "the SQL lists what was counted"


def test_a_run_checks_its_own_prefixes(instance, followed):
    replace(followed, DICOM_HEADERS, ["a"], DICOM_HEADERS.schema.empty_table())
    assert check(instance, followed, "b", "b") == {}
    assert list(check(instance, followed, "a", "b")) == [("dicom_headers", "one_row_per_indexed_file")]


def test_a_failure_stays_until_it_is_mended_whatever_other_prefixes_run(instance, followed):
    rows = followed.snapshot(DICOM_HEADERS, ["a"]).keys(["fingerprint"])
    replace(followed, DICOM_HEADERS, ["a"], DICOM_HEADERS.schema.empty_table())
    missing = ("dicom_headers", "one_row_per_indexed_file")
    assert said(check(instance, followed, "a", "a")[missing])["files without a row"] == 2
    later = check(instance, followed, "b", "b")[missing]
    assert later.description == "Still in prefixes of earlier runs: found 2, bound 0"
    assert said(later)["prefixes"] == ["a"]
    assert said(check(instance, followed, "b", "b")[missing])["prefixes"] == ["a"], "also the time after that"
    replace(followed, DICOM_HEADERS, ["a"], rows)
    assert check(instance, followed, "b", "b") == {}, "and it is over when it is mended"


def test_a_key_that_stands_twice_is_an_error_and_fails_the_run(instance, followed):
    for _ in range(2):
        append(followed, index_rows("b", ["9"]))
    found = check(instance, followed, raises=True)
    twice = found["file_index", "key_is_unique"]
    assert twice.severity is dg.AssetCheckSeverity.ERROR
    assert twice.blocking
    assert said(twice) == {"found": 1, "bound": "0", "looked at": 5, "prefixes": ["b"]}


def test_an_error_of_another_prefix_does_not_stop_a_run(instance, followed):
    for _ in range(2):
        append(followed, index_rows("b", ["9"]))
    check(instance, followed, "b", "b", raises=True)
    still = check(instance, followed, "a", "a")["file_index", "key_is_unique"]
    assert still.severity is dg.AssetCheckSeverity.WARN
    assert said(still)["in prefixes of earlier runs"] == "1"


def test_a_column_that_is_not_declared_is_told(instance, followed):
    column = Field("owner", PrimitiveType("string"))
    followed.location(OBJECT_CATALOG).open().alter.add_columns([column])
    found = check(instance, followed)
    assert list(found) == [("object_catalog", "schema_is_as_declared")]
    assert said(found["object_catalog", "schema_is_as_declared"])["differences"] == ["owner is not declared"]


def test_results_hold_no_path_of_a_file(instance, followed, source):
    replace(followed, THUMBNAILS, ["a"], THUMBNAILS.schema.empty_table())
    for evaluation in check(instance, followed).values():
        assert str(source) not in repr(evaluation)


def test_a_blocking_check_that_fails_stops_the_tables_that_follow(tmp_path):
    """The index heals its own rows, so that its check fails only where the index does not run."""
    with instance_below(tmp_path) as instance:
        deployment = Deployment(instance, tmp_path / "source", str(tmp_path / "lake"))
        for number in range(2):
            put(deployment.source / "a" / f"{number}.dcm", number)
        deployment.run_all()
        append(deployment.lake, index_rows("a", ["9"]))
        append(deployment.lake, index_rows("a", ["9"]))
        key = dg.AssetCheckKey(dg.AssetKey("file_index"), "key_is_unique")
        job = deployment.definitions.resolve_implicit_global_asset_job_def().get_subset(
            asset_selection={dg.AssetKey("dicom_headers"), dg.AssetKey("object_catalog")}, asset_check_selection={key}
        )
        result = job.execute_in_process(instance=instance, tags=range_tags("a", "a"), raise_on_error=False)
        assert not result.success
        failures = [event.step_key for event in result.all_events if event.is_step_failure]
        assert failures == ["file_index_checks"], "and it is not tried again"
        assert not result.get_asset_materialization_events(), "nothing was built on it"
        assert deployment.run_all().success, "a whole run heals the index, and passes"
