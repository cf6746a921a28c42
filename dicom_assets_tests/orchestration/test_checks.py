"""Asset checks tell what is wrong, and where."""

import dagster as dg
import pyarrow as pa
import pytest
from deltalake import Field
from deltalake.schema import PrimitiveType

from dicom_assets.archive.local import LocalArchive
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.extract.thumbnails import THUMBNAILS
from dicom_assets.orchestration.checks import build_checks
from dicom_assets.orchestration.partitions import PREFIXES
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.runs import range_tags
from dicom_assets_tests.support.made_up import follow, replace, write
from dicom_assets_tests.support.rows import append, index_rows


@pytest.fixture
def followed(tmp_path, lake):
    for name in ("a/1", "a/2", "b/1"):
        write(tmp_path / "source" / name)
    follow(lake, LocalArchive(str(tmp_path / "source"), 1), ["a", "b"])
    return lake


def check(lake, first=None, last=None):
    """Run all checks, over a range of prefixes or all; returns those that failed."""
    assets = [dg.AssetSpec(table.name, partitions_def=PREFIXES) for table in DEFAULT_MODEL.tables]
    definitions = dg.Definitions(
        assets=assets, asset_checks=build_checks(DEFAULT_MODEL), resources={"lake": LakeResource(root_uri=lake.root)}
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(PREFIXES.name, ["a", "b"])
        result = job.execute_in_process(instance=instance, tags=range_tags(first, last) if first else {})
    evaluations = result.get_asset_check_evaluations()
    assert len(evaluations) == 14, "all were evaluated"
    return {
        (evaluation.asset_key.path[-1], evaluation.check_name): {
            name: value.value for name, value in evaluation.metadata.items()
        }
        for evaluation in evaluations
        if not evaluation.passed
    }


def test_tables_that_follow_pass(followed):
    assert check(followed) == {}


def test_a_row_that_is_missing_and_one_too_many_are_told(followed):
    rows = pa.table({"prefix": ["a"] * 2, "path": ["/gone", "/gone too"], "fingerprint": ["1"] * 2})
    replace(followed, THUMBNAILS, ["a"], rows)
    assert check(followed) == {
        ("thumbnails", "one_row_per_indexed_file"): {
            "files without a row": 2,
            "rows without a file": 2,
            "prefixes": ["a"],
        }
    }


def test_a_run_checks_its_own_prefixes(followed):
    replace(followed, DICOM_HEADERS, ["a"], DICOM_HEADERS.schema.empty_table())
    assert check(followed, "b", "b") == {}
    assert list(check(followed, "a", "b")) == [("dicom_headers", "one_row_per_indexed_file")]


def test_a_key_that_stands_twice_is_told(followed):
    for _ in range(2):
        append(followed, index_rows("b", ["9"]))
    found = check(followed)
    assert found["file_index", "key_is_unique"] == {"rows too many": 1, "prefixes": ["b"]}


def test_a_column_that_is_not_declared_is_told(followed):
    column = Field("owner", PrimitiveType("string"))
    followed.location(OBJECT_CATALOG).open().alter.add_columns([column])
    assert check(followed) == {("object_catalog", "schema_is_as_declared"): {"differences": ["owner is not declared"]}}
