"""A catalog belongs to one source, and to one prefix depth."""

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pyarrow as pa
import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.opening import open_archive
from dicom_assets.archive.sources import rebased, root_of, same_source
from dicom_assets.delta.commit import Change, commit
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.pipeline.ownership import DEPTH, SOURCE, SourceMismatchError, claim, recognise
from dicom_assets.query.database import Catalog
from dicom_assets.spark.datasource import read_table
from dicom_assets.spark.work import InProcess
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.made_up import follow, index, write


def paths(lake):
    return sorted(row["path"] for row in lake.snapshot(FILE_INDEX).keys([]).to_pylist())


def properties(lake):
    return lake.snapshot(FILE_INDEX).properties


@pytest.fixture
def other(tmp_path):
    for name in ("a/1", "a/2", "b/1"):
        write(tmp_path / "other" / name)
    return LocalArchive(str(tmp_path / "other"), 1)


@pytest.mark.parametrize("step", ["index", "extraction"])
def test_another_source_is_refused_by_every_step_that_reads_an_archive(archive, other, lake, step):
    follow(lake, archive, ["a", "b"])
    before = paths(lake)
    made = {
        "index": IndexStep(lake, other, ["a", "b"]),
        "extraction": ExtractionStep(lake, other, DEFAULT_EXTRACTORS, ["a", "b"]),
    }[step]
    with pytest.raises(SourceMismatchError) as refused:
        made.plan()
    for words in (archive.root, other.root, "--schema", "--move-source"):
        assert words in str(refused.value)
    assert paths(lake) == before


def test_a_source_is_the_same_however_it_is_written(source, archive, lake, tmp_path, monkeypatch):
    follow(lake, archive, ["a", "b"])
    before, version = paths(lake), lake.snapshot(FILE_INDEX).version
    (tmp_path / "link").symlink_to(source)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for text in ("../source", f"{source}/", "../link", f"{tmp_path}/./source", source.as_uri()):
        assert not index(lake, open_archive(text, 1), ["a", "b"]).committed, text
    assert paths(lake) == before
    assert lake.snapshot(FILE_INDEX).version == version


def test_a_source_that_was_first_named_by_a_link_keeps_its_paths(source, lake, tmp_path):
    (tmp_path / "link").symlink_to(source)
    index(lake, LocalArchive(str(tmp_path / "link"), 1), ["a", "b"])
    before = paths(lake)
    assert before[0] == f"{tmp_path}/link/a/1"
    write(source / "b" / "2")
    index(lake, LocalArchive(str(source), 1), ["a", "b"])
    assert paths(lake) == [*before, f"{tmp_path}/link/b/2"]


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("s3://bucket/dicom", "s3://bucket/dicom/", True),
        ("s3://bucket/dicom", "s3a://bucket//dicom", True),
        ("s3://bucket/dicom", "s3://bucket/dicom/2024", False),
        ("s3://bucket/dicom", "s3://other/dicom", False),
        ("s3://bucket/dicom", "gs://bucket/dicom", False),
        ("s3://bucket/dicom", "/bucket/dicom", False),
        ("s3://bucket/a%20b", "s3://bucket/a b", True),
    ],
)
def test_buckets_are_told_apart_by_scheme_bucket_and_key(one, another, same):
    assert same_source(one, another) is same
    assert same_source(another, one) is same


@pytest.mark.parametrize("exists", [False, True], ids=["no lake yet", "empty tables"])
def test_of_two_sources_that_begin_a_catalog_at_once_one_wins_and_the_other_is_refused(archive, other, lake, exists):
    if exists:
        lake.ensure(DEFAULT_MODEL.tables)
    ready = threading.Barrier(2)

    def begin(mine):
        ready.wait()
        try:
            return claim(lake, mine).root
        except SourceMismatchError:
            return None

    with ThreadPoolExecutor(2) as pool:
        won = [root for root in pool.map(begin, [archive, other]) if root]
    assert won == [properties(lake)[SOURCE]]
    made = lake.location(FILE_INDEX).open().version()
    assert made == (1 if exists else 0), "who comes second leaves the table as the first one made it"


def unclaimed(lake, archive, prefixes):
    """Make an index as an older version of the package did, which did not state its source."""
    lake.ensure([FILE_INDEX])
    step = IndexStep(lake, archive, prefixes)
    plan = step.plan()
    rows = pa.concat_tables([archive.list(prefix) for prefix in prefixes])
    assert plan.tables[FILE_INDEX.name].difference.work.num_rows == rows.num_rows
    shutil.rmtree(lake.location(FILE_INDEX).uri)
    lake.ensure(DEFAULT_MODEL.tables)
    snapshot = lake.snapshot(FILE_INDEX, prefixes)
    assert SOURCE not in snapshot.properties
    commit(
        snapshot.location,
        Change(step.stage(plan, [FILE_INDEX.name], InProcess()).adds[FILE_INDEX.name], (), snapshot.writes),
    )


def test_an_older_catalog_belongs_to_the_source_that_its_rows_tell(archive, source, other, lake):
    write(source / "b" / os.fsdecode(b"\xff"))
    unclaimed(lake, archive, ["a", "b"])
    for door in (claim, recognise):
        with pytest.raises(SourceMismatchError, match="belongs to the source"):
            door(lake, other)
    assert SOURCE not in properties(lake)
    assert recognise(lake, archive) == archive
    assert not index(lake, archive, ["a", "b"]).committed
    assert properties(lake)[SOURCE] == archive.root
    assert properties(lake)[DEPTH] == "1"


@pytest.mark.parametrize("older", [False, True])
def test_another_prefix_depth_is_refused_with_both_depths_and_what_to_do(archive, source, lake, older):
    write(source / "a" / "deep" / "1")
    (unclaimed if older else index)(lake, archive, ["a", "b"])
    for depth in (0, 2):
        with pytest.raises(SourceMismatchError, match=f"depth 1, not of depth {depth}") as refused:
            claim(lake, LocalArchive(archive.root, depth))
        assert "--prefix-depth 1" in str(refused.value)
        assert "--schema" in str(refused.value)
    assert claim(lake, archive) == archive


def test_the_depth_of_an_older_catalog_of_one_prefix_is_told_by_its_files(archive, lake):
    unclaimed(lake, LocalArchive(archive.root, 0), ["."])
    with pytest.raises(SourceMismatchError, match="depth 0, not of depth 1"):
        claim(lake, archive)
    assert claim(lake, LocalArchive(archive.root, 0)).cut.depth == 0


def test_properties_of_our_own_are_no_matter_to_other_readers(spark, archive, lake):
    follow(lake, archive, ["a", "b"])
    location = lake.location(FILE_INDEX)
    location.open().create_checkpoint()
    assert properties(lake)[SOURCE] == archive.root
    assert pl.read_delta(location.uri).height == 3
    assert Catalog(lake).sql("SELECT count(*) FROM file_index").limit(1).fetchall() == [(3,)]
    assert read_table(spark, location).count() == 3


@pytest.mark.parametrize("root", ["/data", "/", "s3://bucket", "s3://bucket/key", "/data/ü x"])
def test_the_root_of_a_file_is_told_from_its_path(root):
    assert root_of(f"{root.rstrip('/')}/a/b 1", "a/b 1") == root


@pytest.mark.parametrize(
    ("path", "old", "new", "moved"),
    [
        ("/data/a/1", "/data", "/mnt/data", "/mnt/data/a/1"),
        ("/data/a/1", "/data", "/data/data", "/data/data/a/1"),
        ("/database/a/1", "/data", "/mnt", "/database/a/1"),
        ("file:///data/%FF", "/data", "/mnt/x", "file:///mnt/x/%FF"),
        ("/data/a", "/data", "s3://bucket/key", "s3://bucket/key/a"),
        ("s3://bucket/key/a/1", "s3://bucket/key", "/data", "/data/a/1"),
        ("/a", "/", "/mnt", "/mnt/a"),
        ("/mnt/a", "/mnt", "/", "/a"),
    ],
)
def test_a_path_follows_its_archive(path, old, new, moved):
    assert rebased(path, old, new) == moved
