"""Making cohorts: who is chosen, what the commit tells, when there is a new version."""

import json
import multiprocessing
import shutil
from collections import Counter

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from dicom_assets import create_cohort, list_cohorts, open_cohort
from dicom_assets.cohorts.errors import CohortError, CohortNameError, NoCohortError, SplitError
from dicom_assets.cohorts.record import COHORT
from dicom_assets.cohorts.store import CohortStore
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.extract.rollups import ROLLUPS
from dicom_assets.query.database import Catalog
from dicom_assets.query.errors import CatalogError, QueryError
from dicom_assets_tests.support.whole import put

SPLIT = {"train": 0.6, "test": 0.4}


def uids(catalog, name):
    return open_cohort(catalog, name).members(["SOPInstanceUID"])["SOPInstanceUID"].to_pylist()


def test_members_are_those_that_the_condition_chooses(still):
    made = create_cohort(still.catalog, "ct", "Modality = 'CT' -- those of CT")
    assert made.is_new
    rows = open_cohort(still.catalog, "ct").members()
    expected = still.catalog.sql("SELECT path, fingerprint FROM object_catalog WHERE Modality = 'CT' ORDER BY path")
    assert list(zip(rows["path"].to_pylist(), rows["fingerprint"].to_pylist(), strict=True)) == expected.fetchall()
    assert set(rows["PatientID"].to_pylist()) == {"P1", "P3", "P5", "P7", "P9"}
    assert rows["split"].null_count == rows.num_rows
    counts = made.record.counts
    assert (counts.files, counts.instances, counts.series, counts.studies, counts.patients) == (20, 20, 10, 5, 5)
    assert counts.bytes == sum(rows["size"].to_pylist())


def test_what_is_no_dicom_object_is_never_chosen(still):
    create_cohort(still.catalog, "all")
    rows = open_cohort(still.catalog, "all").members()
    assert rows.num_rows == 40
    assert "notes.txt" in {
        path.rpartition("/")[2] for (path,) in still.catalog.sql("SELECT path FROM file_index").fetchall()
    }


LEVELS = [
    ("instance", 1, "object_catalog", "SOPInstanceUID = '1.3.1.0'"),
    ("series", 2, "all_series", "SeriesInstanceUID = '1.3.1' AND instances = 2"),
    ("study", 4, "all_studies", "StudyInstanceUID = '1.3' AND series = 2"),
]


@pytest.mark.parametrize(("level", "files", "over", "where"), LEVELS)
def test_a_level_is_taken_whole(still, level, files, over, where):
    made = create_cohort(still.catalog, f"at_{level}", where, level=level)
    assert made.record.counts.files == files
    assert made.record.over == over


@pytest.mark.parametrize(("level", "files"), [(level, files) for level, files, *_ in LEVELS])
def test_a_level_is_taken_whole_of_an_older_catalog(place, level, files):
    """Without tables of series and studies, the condition is about files."""
    for table in ROLLUPS:
        shutil.rmtree(place.root / "dicom" / table.name)
    made = create_cohort(place.catalog, "whole", "SOPInstanceUID = '1.3.1.0'", level=level)
    assert made.record.counts.files == files
    assert made.record.over == "object_catalog"


def test_the_commit_tells_the_query_and_the_versions(place):
    version = place.catalog.open_table(place.catalog.location("object_catalog")).version()
    made = create_cohort(place.catalog, "ct", "Modality = 'CT'", split=SPLIT, by="StudyInstanceUID", seed=3)
    (commit,) = DeltaTable(str(place.root / "dicom.cohorts" / "ct")).history()
    told = json.loads(commit[COHORT])
    assert told["recipe"] == {
        "where": "Modality = 'CT'",
        "level": "instance",
        "split": {"shares": [["train", 0.6], ["test", 0.4]], "by": "StudyInstanceUID", "seed": 3},
    }
    assert told["tables"] == {OBJECT_CATALOG.name: version}
    assert told["counts"]["files"] == 20
    assert told["source"] == str(place.archive)
    read = open_cohort(place.catalog, "ct").record
    assert read == made.record
    assert read.run_id.startswith("update-")
    assert sum(counts.files for counts in read.splits.values()) == 20


def test_a_version_is_made_only_when_members_change(place):
    first = create_cohort(place.catalog, "ct", "Modality = 'CT'")
    again = create_cohort(place.catalog, "ct", "Modality  =  'CT'")
    assert (again.is_new, again.record) == (False, first.record)
    put(place.archive / "p1" / "new.dcm", 7, PatientID="P1", SOPInstanceUID="1.1.9", Modality="CT")
    catalog = place.update()
    second = create_cohort(catalog, "ct", "Modality = 'CT'")
    assert (second.is_new, second.record.version, second.record.counts.files) == (True, 1, 21)
    assert open_cohort(catalog, "ct@0").members().num_rows == 20
    assert open_cohort(catalog, "ct").members().num_rows == 21
    assert create_cohort(catalog, "ct", "Modality = 'CT'", split=SPLIT).record.version == 2, "others stand elsewhere"
    assert create_cohort(catalog, "ct", "Modality = 'CT'").record.version == 3, "back again is new again"


def test_a_patient_stands_in_one_split(still):
    create_cohort(still.catalog, "split", split=SPLIT, seed=1)
    rows = open_cohort(still.catalog, "split").members()
    where = Counter(set(zip(rows["PatientID"].to_pylist(), rows["split"].to_pylist(), strict=True)))
    assert len(where) == 10
    assert {split for _, split in where} == {"train", "test"}


def test_cohorts_are_listed_apart_from_tables(place):
    assert list_cohorts(place.catalog) == ()
    for name in ("b", "a-1"):
        create_cohort(place.catalog, name)
    assert [str(cohort) for cohort in list_cohorts(str(place.root))] == ["a-1@0", "b@0"]
    assert not {"a-1", "b"} & set(place.catalog.tables())


def test_other_readers_see_the_latest_version_and_the_older_ones(place):
    create_cohort(place.catalog, "ct", "Modality = 'CT'")
    create_cohort(place.catalog, "ct", "PatientID = 'P1'")
    uri = str(place.root / "dicom.cohorts" / "ct")
    assert pl.read_delta(uri).height == 4
    assert pl.read_delta(uri, version=0).height == 20
    cohorts = Catalog(Lake(str(place.root), "dicom.cohorts"))
    assert cohorts.sql("SELECT count(*) FROM ct").fetchall() == [(4,)]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (("../x",), CohortNameError, "cannot be called"),
        (("a", "Modality = 'XX'"), CohortError, "no file meets the condition"),
        (("a", "Modalty = 'CT'"), QueryError, "Modalty"),
        (("a", "Modality = "), QueryError, None),
        (("a", "CAST(PatientID AS INTEGER) = 1"), QueryError, None),
        (("a", "true) OR path IN (SELECT content FROM read_text('/etc/hostname')"), QueryError, None),
    ],
)
def test_what_cannot_be_meant_is_refused_and_leaves_nothing(still, arguments, kind, message):
    before = CohortStore(still.catalog.lake).names()
    with pytest.raises(kind, match=message):
        create_cohort(still.catalog, *arguments)
    assert CohortStore(still.catalog.lake).names() == before


def test_options_that_make_no_sense_are_refused(still):
    with pytest.raises(CohortError, match="is no level"):
        create_cohort(still.catalog, "a", level="patient")
    with pytest.raises(SplitError, match="add up"):
        create_cohort(still.catalog, "a", split={"train": 0.5})
    with pytest.raises(QueryError, match="Site"):
        create_cohort(still.catalog, "a", split=SPLIT, by='Site"')
    with pytest.raises(SplitError, match="would be empty"):
        create_cohort(still.catalog, "a", "PatientID = 'P1'", split=SPLIT)


def test_what_is_not_there_is_told(still, tmp_path):
    with pytest.raises(CatalogError, match="there is no catalog"):
        create_cohort(str(tmp_path), "a")
    create_cohort(still.catalog, "there")
    with pytest.raises(NoCohortError, match=r"there is no cohort nowhere; there are: .*there"):
        open_cohort(still.catalog, "nowhere")
    with pytest.raises(NoCohortError, match="there is no there@7; there are the versions 0"):
        open_cohort(still.catalog, "there@7")
    with pytest.raises(CohortError, match="no column PatientName"):
        open_cohort(still.catalog, "there").members(["PatientName"])


def test_a_table_of_another_kind_is_no_cohort(place):
    from deltalake import write_deltalake

    write_deltalake(str(place.root / "dicom.cohorts" / "mine"), pa.table({"a": [1]}))
    with pytest.raises(NoCohortError, match="is none of a cohort"):
        open_cohort(place.catalog, "mine")


def test_lost_data_files_are_told_in_one_line(place):
    create_cohort(place.catalog, "ct")
    for file in (place.root / "dicom.cohorts" / "ct").glob("*.parquet"):
        file.unlink()
    with pytest.raises(CohortError, match="ct@0 cannot be read") as caught:
        open_cohort(place.catalog, "ct").members()
    assert "\n" not in str(caught.value)


def _create(root, where, barrier):
    barrier.wait(60)
    create_cohort(root, "raced", where)


def test_makers_at_the_same_moment_do_not_fail_each_other(place):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    conditions = ("Modality = 'CT'", "Modality = 'CT'", "Modality = 'MR'")
    makers = [context.Process(target=_create, args=(str(place.root), where, barrier)) for where in conditions]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(120)
        assert maker.exitcode == 0
    versions = CohortStore(place.catalog.lake).versions("raced")
    assert {version.recipe.where for version in versions} == set(conditions)
    for version in versions:
        rows = CohortStore(place.catalog.lake).read(version)
        assert rows.num_rows == 20
        assert pc.count_distinct(rows["Modality"]).as_py() == 1, "each version is the whole of one"
