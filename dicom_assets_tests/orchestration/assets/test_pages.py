"""What the asset pages show: of definitions, and of materializations by real runs."""

import shutil
from datetime import timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow as pa
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from deltalake import DeltaTable

from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.extract.thumbnails import THUMBNAILS
from dicom_assets.orchestration.assets.look import AssetLabels
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.whole import Deployment

TEAM = AssetLabels(owners=["team:imaging"], tags={"site": "north"})


def _specs(**options):
    definitions = build_definitions(
        ArchiveResource(source="/data/archive"), LakeResource(root_uri="s3://bucket/lake"), **options
    )
    return {spec.key.path[-1]: spec for spec in definitions.resolve_all_asset_specs()}


def test_owners_and_tags_are_those_that_are_given_and_the_layer_is_known():
    bare, owned = _specs(), _specs(labels=TEAM)
    assert {spec.owners and tuple(spec.owners) for spec in owned.values()} == {("team:imaging",)}
    assert not any(spec.owners for spec in bare.values())
    assert {spec.tags["site"] for spec in owned.values()} == {"north"}
    assert {name: spec.tags["dicom_assets/layer"] for name, spec in bare.items()} == {
        "archive": "source",
        "file_index": "index",
        "file_metadata": "extracted",
        "dicom_headers": "extracted",
        "thumbnails": "extracted",
        "object_catalog": "catalog",
        "series": "rollup",
        "studies": "rollup",
    }


def test_what_is_no_owner_is_refused_when_definitions_are_loaded():
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="imaging"):
        _specs(labels=AssetLabels(owners=["imaging people"]))


def test_places_are_shown_where_they_are_known_and_secrets_never(monkeypatch):
    specs = _specs()
    assert specs["archive"].metadata["dagster/uri"] == "/data/archive"
    assert specs["object_catalog"].metadata["dagster/uri"] == "s3://bucket/lake/dicom/object_catalog"
    assert specs["object_catalog"].metadata["dagster/table_name"] == "dicom.object_catalog"
    monkeypatch.delenv("SOME_LAKE", raising=False)
    later = build_definitions(
        ArchiveResource(source=dg.EnvVar("SOME_SOURCE")), LakeResource(root_uri=dg.EnvVar("SOME_LAKE"))
    )
    for spec in later.resolve_all_asset_specs():
        assert "dagster/uri" not in spec.metadata
    monkeypatch.setenv("SOME_LAKE", "s3://user:hunter2@bucket/lake?sig=hunter2")
    named = build_definitions(
        ArchiveResource(source=dg.EnvVar("SOME_SOURCE")), LakeResource(root_uri=dg.EnvVar("SOME_LAKE"))
    )
    assert "hunter2" not in str([spec.metadata for spec in named.resolve_all_asset_specs()])


def test_columns_have_descriptions_and_those_of_attributes_their_tag():
    columns = {column.name: column for column in _specs()["dicom_headers"].metadata["dagster/column_schema"].columns}
    assert all(column.description for column in columns.values())
    assert columns["PatientID"].tags == {"dicom/tag": "0010,0020", "dicom/vr": "LO"}
    assert not columns["path"].constraints.nullable
    assert columns["path"].tags == {}


def test_every_column_of_the_catalog_comes_from_columns_that_there_are():
    specs = _specs()
    lineage = specs["object_catalog"].metadata["dagster/column_lineage"].deps_by_column
    assert set(lineage) == set(OBJECT_CATALOG.schema.names) - {"run_id", "made_at"}, "these are made of no column"
    for deps in lineage.values():
        for dep in deps:
            assert dep.column_name in DEFAULT_MODEL.table(dep.asset_key.path[-1]).schema.names
    assert [(dep.asset_key.path[-1], dep.column_name) for dep in lineage["thumbnail_status"]] == [
        ("thumbnails", "status")
    ]
    assert [dep.asset_key.path[-1] for dep in lineage["size"]] == ["file_index"]
    parents = {dep.asset_key.path[-1] for deps in lineage.values() for dep in deps}
    assert parents == {dep.asset_key.path[-1] for dep in specs["object_catalog"].deps}


def test_code_references_lead_to_the_code_and_can_be_turned_to_a_repository():
    references = {
        name: spec.metadata["dagster/code_references"].code_references
        for name, spec in _specs().items()
        if name != "archive"
    }
    for name, (reference,) in references.items():
        lines = Path(reference.file_path).read_text().splitlines()
        assert reference.label.rpartition(".")[2] in lines[reference.line_number - 1], name
    assert references["thumbnails"][0].label == "ThumbnailExtractor.extract"
    root = Path(__file__).parents[3]
    assets = build_definitions().assets
    linked = dg.link_code_references_to_git(
        [one for one in assets if isinstance(one, dg.AssetsDefinition)],
        git_url="https://github.com/you/yours",
        git_branch="main",
        file_path_mapping=dg.AnchorBasedFilePathMapping(root / "dicom_assets/__init__.py", "dicom_assets/__init__.py"),
    )
    (headers,) = [spec for one in linked for spec in one.specs if spec.key.path == ["dicom_headers"]]
    (reference,) = headers.metadata["dagster/code_references"].code_references
    assert reference.url.startswith("https://github.com/you/yours/tree/main/dicom_assets/extract/headers.py#L")


def test_the_archive_stands_at_the_head_of_the_graph():
    graph = build_definitions(ArchiveResource(source="/data/archive")).resolve_asset_graph()
    (head,) = [node.key for node in graph.asset_nodes if not node.parent_keys]
    assert head == dg.AssetKey("archive")
    assert not graph.get(head).is_materializable
    assert graph.get(head).kinds == {"dicom"}
    assert graph.get(dg.AssetKey("file_index")).parent_keys == {head}


def test_there_is_a_freshness_policy_where_one_is_given():
    assert not any(spec.freshness_policy for spec in _specs().values())
    daily = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26), warn_window=timedelta(hours=25))
    policies = {name: spec.freshness_policy for name, spec in _specs(labels=AssetLabels(freshness=daily)).items()}
    assert policies.pop("archive") is None, "which is observed, and never materialized"
    assert set(policies.values()) == {daily}


ROWS = {
    "path": {"a": 2, "b": 3},
    "SeriesInstanceUID": {"a": 2, "b": 1},
    "StudyInstanceUID": {"a": 2, "b": 1},
}
"""By the key of a table: one of the files of `b` is no DICOM, and the damaged one is of the series of the whole one."""


def _put_two(source):
    """Put prefixes of two and of three files, one of which is text and one damaged."""
    for prefix, names in {"a": ("CT_small.dcm", "MR_small.dcm"), "b": ("CT_small.dcm",)}.items():
        (source / prefix).mkdir(parents=True)
        for name in names:
            shutil.copy(PYDICOM_FILES / name, source / prefix / name)
    whole = (PYDICOM_FILES / "CT_small.dcm").read_bytes()
    (source / "b" / "cut.dcm").write_bytes(whole[: len(whole) // 2])
    (source / "b" / "note.txt").write_text("not an image")


@pytest.fixture
def two(tmp_path):
    """Two prefixes, not cataloged yet."""
    _put_two(tmp_path / "source")
    with dg.DagsterInstance.ephemeral() as instance:
        yield Deployment(instance, tmp_path / "source", str(tmp_path / "lake"), checked=False)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The same, and their first run: for tests that change neither archive nor tables."""
    folder = tmp_path_factory.mktemp("followed")
    _put_two(folder / "source")
    with dg.DagsterInstance.ephemeral() as instance:
        deployment = Deployment(instance, folder / "source", str(folder / "lake"), checked=False)
        yield deployment, deployment.run_all()


def _events(result, table, kind=dg.DagsterEventType.ASSET_MATERIALIZATION):
    """Return what is said of each partition of a table."""
    return {
        event.partition: {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.all_events
        if event.event_type is kind and event.asset_key.path[-1] == table.name
    }


def _observations(result):
    return [
        {name: value.value for name, value in event.asset_observation_data.asset_observation.metadata.items()}
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.ASSET_OBSERVATION
    ]


def test_the_rows_of_a_partition_are_not_those_of_the_table(followed):
    two, result = followed
    for table in DEFAULT_MODEL.tables:
        said = _events(result, table)
        assert {prefix: one["dagster/partition_row_count"] for prefix, one in said.items()} == ROWS[table.key]
        assert {one["dagster/row_count"] for one in said.values()} == {sum(ROWS[table.key].values())}
    again = _events(two.run("a", "a"), OBJECT_CATALOG)
    assert (again["a"]["dagster/partition_row_count"], again["a"]["dagster/row_count"]) == (2, 5)
    stored = DeltaTable(two.lake.location(OBJECT_CATALOG).uri)
    assert again["a"]["dagster/size_bytes"] == sum(pa.table(stored.get_add_actions()).column("size_bytes").to_pylist())


@pytest.mark.parametrize("small", [1000, 0], ids=["in process", "Spark"])
def test_bytes_files_and_seconds_of_what_was_done(two, spark, small):
    two.definitions = build_definitions(
        two.archive, two.lake_resource, SparkResource(small_files=small, small_mib=small)
    )
    result = two.run_all()
    sizes = {prefix: sum(path.stat().st_size for path in (two.source / prefix).iterdir()) for prefix in ("a", "b")}
    index = _events(result, FILE_INDEX)
    assert {prefix: one["bytes_listed"] for prefix, one in index.items()} == sizes
    assert {prefix: one["files_listed"] for prefix, one in index.items()} == {"a": 2, "b": 3}
    for table in DEFAULT_MODEL.extracted:
        said = _events(result, table)
        assert {prefix: one["files_read"] for prefix, one in said.items()} == {"a": 2, "b": 3}
        for prefix, one in said.items():
            # All are shorter than what is read first of a file: nothing is read twice.
            assert one["bytes_read"] == sizes[prefix]
    for table in DEFAULT_MODEL.tables:
        stored = two.lake.snapshot(table)
        for prefix, one in _events(result, table).items():
            assert one["bytes_written"] == sum(file.size for file in stored.of_prefix(prefix))
            stages = [one[f"run/seconds/{stage}"] for stage in ("plan", "stage", "rewrite", "commit")]
            assert one["run/seconds"] == pytest.approx(sum(stages), abs=0.01)
            assert min(one["run/seconds/plan"], one["run/seconds/stage"], one["run/seconds/commit"]) > 0
            made = sum(ROWS[table.key].values())
            assert one["run/files_per_second"] == pytest.approx(made / one["run/seconds"], rel=0.1)
            assert (one["run/prefixes"], one["run/rows_made"]) == (2, made)
    assert _events(result, THUMBNAILS)["a"]["engine"].startswith("Spark" if small == 0 else "in process")


def test_a_run_with_nothing_to_do_says_that_and_keeps_its_counts(followed):
    two, _ = followed
    again = two.run_all()
    for table in DEFAULT_MODEL.tables:
        said = _events(again, table)["a"]
        assert (said["added"], said["changed"], said["removed"], said["kept"]) == (0, 0, 0, 2)
        assert said["bytes_written"] == said["run/rows_made"] == 0
        assert not said["committed"]
        assert "run/files_per_second" not in said


def test_a_removed_file_counts_what_is_rewritten(two):
    two.run_all()
    (two.source / "b" / "note.txt").unlink()
    said = _events(two.run_all(), DICOM_HEADERS)
    assert (said["b"]["removed"], said["b"]["kept"], said["b"]["bytes_read"]) == (1, 2, 0)
    assert said["b"]["bytes_written"] > 0
    assert said["b"]["run/seconds/rewrite"] > 0
    assert said["a"]["bytes_written"] == 0


def test_rows_are_counted_by_every_status(followed):
    _, result = followed
    said = _events(result, OBJECT_CATALOG)
    for prefix, expected in {"a": {"ok": 2}, "b": {"ok": 1, "damaged": 1, "not_dicom": 1}}.items():
        counts = {name.removeprefix("status/"): n for name, n in said[prefix].items() if name.startswith("status/")}
        assert set(counts) == {str(status) for status in CatalogStatus}
        assert {name: count for name, count in counts.items() if count} == expected
    headers = _events(result, DICOM_HEADERS)["b"]
    assert {name for name in headers if name.startswith("status/")} == {
        f"status/{status}" for status in DICOM_HEADERS.meanings
    }


def test_the_catalog_lists_problems_without_paths_and_the_sql_that_lists_them_with(followed):
    two, result = followed
    said = _events(result, OBJECT_CATALOG)["a"]
    problems = [dict(record.data) for record in said["run/problems"].records]
    assert {(row["status"], row["files"]) for row in problems} == {("damaged", 1), ("not_dicom", 1)}
    assert all(row["reason"] is not None for row in problems)
    assert str(two.source) not in str(problems)
    assert "cut.dcm" not in str(problems)
    sql = said["run/problems_sql"].removeprefix("```sql\n").removesuffix("\n```")
    connection = duckdb.connect()
    connection.register("object_catalog", pa.table(DeltaTable(two.lake.location(OBJECT_CATALOG).uri).scan()))
    assert [row[2] for row in connection.execute(sql).fetchall()] == ["b/cut.dcm", "b/note.txt"]


def test_no_problems_are_none(two):
    for name in ("cut.dcm", "note.txt"):
        (two.source / "b" / name).unlink()
    assert _events(two.run_all(), OBJECT_CATALOG)["a"]["run/problems"] == "none"


def test_the_sql_of_a_prefix_with_a_quote_is_sql(two):
    (two.source / "a").rename(two.source / "o'hara")
    said = _events(two.run_all(), OBJECT_CATALOG)["b"]
    assert "'o''hara'" in said["run/problems_sql"]


def test_the_archive_is_observed_by_each_run_that_lists_it(followed):
    two, result = followed
    (seen,) = _observations(result)
    size = sum(path.stat().st_size for path in two.source.rglob("*") if path.is_file())
    assert (seen["files"], seen["bytes"], seen["prefixes"], seen["prefixes not listed whole"]) == (5, size, 2, 0)
    assert _observations(two.run("a", "a", [DICOM_HEADERS.name])) == []


def test_observing_the_archive_makes_nothing_stale(two):
    for _ in range(2):
        two.run_all()
    graph = two.definitions.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(two.instance, graph, LoadingContextForTest(two.instance))
    for table in DEFAULT_MODEL.tables:
        for prefix in two.keys:
            assert resolver.get_status(dg.AssetKey(table.name), prefix) is StaleStatus.FRESH, table.name
