"""An extractor that raises, hangs, crashes or eats memory costs its own rows, and nothing else."""

import dagster as dg
import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.extract import DEFAULT_EXTRACTORS
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.partitions import register_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.query.database import Catalog
from dicom_assets_tests.support.misbehaving import Misbehaving
from dicom_assets_tests.support.scratch import IN_PROCESS, clean
from dicom_assets_tests.support.whole import contents, put

HARM = {
    "raises-1.dcm": "the call failed: ValueError",
    "raises-2.dcm": "the call failed: ValueError",
    "raises-3.dcm": "the call failed: ValueError",
    "hangs-1.dcm": "the call took longer than 3 seconds",
    "eats-1.dcm": "the call asked for more memory than the limit",
    "crashes-1.dcm": "the child process died of SIGABRT",
    "lies-1.dcm": "the extractor returned a column that its table does not declare: 'patient'",
}
GOOD = [f"good-{number}.dcm" for number in range(40)]


@pytest.mark.parametrize("small_files", [0, 1000], ids=["Spark", "in process"])
def test_harm_costs_rows_and_leaves_the_run_green_and_every_other_row_right(spark, tmp_path, small_files):
    for number, name in enumerate([*HARM, *GOOD]):
        put(tmp_path / "source" / "a" / name, number)
    lake_resource = LakeResource(root_uri=str(tmp_path / "lake"))
    definitions = build_definitions(
        ArchiveResource(source=str(tmp_path / "source")),
        lake_resource,
        SparkResource(small_files=small_files),
        extractors=[*DEFAULT_EXTRACTORS, Misbehaving()],
    )
    with dg.DagsterInstance.ephemeral() as instance:
        register_prefixes(instance, ["a"])
        job = definitions.resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=instance, partition_key="a").success
    catalog = Catalog(lake_resource.open())
    failed = "SELECT regexp_extract(path, '[^/]+$'), error FROM misbehaving WHERE status = 'error'"
    assert dict(catalog.sql(failed).fetchall()) == HARM
    others = "SELECT regexp_extract(path, '[^/]+$'), first_bytes FROM misbehaving WHERE status = 'ok'"
    assert dict(catalog.sql(others).fetchall()) == dict.fromkeys(GOOD, b"DICM")
    seen = (
        "SELECT header_status, thumbnail_status, misbehaving_status, status, count(*) FROM object_catalog GROUP BY ALL"
    )
    assert sorted(catalog.sql(seen).fetchall()) == [
        ("ok", "ok", "error", "issues", len(HARM)),
        ("ok", "ok", "ok", "ok", len(GOOD)),
    ]
    plain = contents(clean(LocalArchive(str(tmp_path / "source"), 1), tmp_path / "plain", engine=IN_PROCESS))
    with_harm = contents(lake_resource.open())
    for table in DEFAULT_MODEL.extracted:
        assert with_harm[table.name] == plain[table.name], "as without the extractor"
