"""A cohort is as it was, whatever becomes of the archive and of the catalog; and it can be told what did."""

import os
import shutil

import pytest
from deltalake import DeltaTable

from dicom_assets import create_cohort, open_catalog, open_cohort, update_catalog
from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.opening import open_archive
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.cohorts.errors import CohortError
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.maintenance import SHORTEST_RETENTION, MaintenanceOptions, maintain
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.move import move_source
from dicom_assets.pipeline.move_prefixes import move_prefixes
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.patients import WHEN
from dicom_assets_tests.support.storage import data_files
from dicom_assets_tests.support.whole import put

EAGER = MaintenanceOptions(small_files=1, retention=SHORTEST_RETENTION)


def fates(cohort, **options):
    rows = cohort.verify(**options).rows
    paths = (path.rpartition("archive/")[2] for path in rows["path"].to_pylist())
    return dict(zip(paths, rows["fate"].to_pylist(), strict=True))


def change(place):
    """Change, remove and add files: one of each that stands in the cohort, others that do not."""
    put(place.archive / "p1" / "0-0.dcm", 1, WHEN + 1, PatientID="P1", SOPInstanceUID="1.1.0.0")
    (place.archive / "p3" / "1-1.dcm").unlink()
    shutil.rmtree(place.archive / "p5")
    (place.archive / "p0" / "0-0.dcm").unlink()
    put(place.archive / "p7" / "new.dcm", 2, PatientID="P7", SOPInstanceUID="1.7.9", Modality="CT")


CHANGED = {
    "p1/0-0.dcm": "changed",
    "p3/1-1.dcm": "gone",
    **{f"p5/{series}-{number}.dcm": "gone" for series in range(2) for number in range(2)},
}


def test_a_cohort_outlives_changes_compaction_and_vacuum(place):
    create_cohort(place.catalog, "ct", "Modality = 'CT'", split={"train": 0.5, "test": 0.5}, seed=1)
    before = open_cohort(place.catalog, "ct").members()
    assert open_cohort(place.catalog, "ct").verify().ok
    change(place)
    catalog = place.update()
    old = {}
    for table in DEFAULT_MODEL.tables:
        location = catalog.lake.location(table)
        old[table] = data_files(location)
        maintain(location, EAGER)
        # What the shortest retention would take when it is over, and more.
        location.open().vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
    taken = {table.name for table, files in old.items() if files - data_files(catalog.lake.location(table))}
    assert OBJECT_CATALOG.name in taken, "the files that the cohort was made from are gone"
    cohort = open_cohort(catalog, "ct")
    assert cohort.members().equals(before)
    assert fates(cohort) == CHANGED
    assert fates(cohort, files=True) == CHANGED
    assert str(cohort.verify()) == "of 20 members, 1 changed, 5 gone"


def test_old_versions_outlive_a_vacuum_by_others(place):
    create_cohort(place.catalog, "ct", "Modality = 'CT'")
    before = open_cohort(place.catalog, "ct").members()
    create_cohort(place.catalog, "ct", "PatientID = 'P1'")
    delta = DeltaTable(str(place.root / "dicom.cohorts" / "ct"))
    assert delta.vacuum(dry_run=False) == []
    delta.create_checkpoint()
    delta.cleanup_metadata()
    assert open_cohort(place.catalog, "ct@0").members().equals(before)
    assert open_cohort(place.catalog, "ct@0").record.recipe.where == "Modality = 'CT'"


def test_files_are_looked_at_when_the_catalog_lags_behind(place):
    create_cohort(place.catalog, "ct", "Modality = 'CT'")
    change(place)
    cohort = open_cohort(place.catalog, "ct")
    assert fates(cohort) == {}, "the catalog does not know yet"
    assert fates(cohort, files=True) == CHANGED


def test_a_file_that_cannot_be_read_is_not_gone(place):
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    create_cohort(place.catalog, "ct", "PatientID = 'P1'")
    (place.archive / "p1" / "0-0.dcm").chmod(0)
    assert fates(open_cohort(place.catalog, "ct"), files=True) == {"p1/0-0.dcm": "unreadable"}


def test_another_file_of_equal_size_and_time_has_changed(place):
    create_cohort(place.catalog, "ct", "PatientID = 'P1'")
    one, other = (place.archive / "p1" / f"0-{number}.dcm" for number in range(2))
    assert one.stat().st_size == other.stat().st_size
    one.rename(place.archive / "x")
    other.rename(one)
    (place.archive / "x").rename(other)
    place.update()
    cohort = open_cohort(place.catalog, "ct")
    assert fates(cohort) == {"p1/0-0.dcm": "changed", "p1/0-1.dcm": "changed"}
    create_cohort(place.catalog, "ct", "PatientID = 'P1'")
    assert fates(open_cohort(place.catalog, "ct"), files=True) == {}, "the new version is of the files as they are"


def test_touched_status_is_no_change(place):
    create_cohort(place.catalog, "ct", "PatientID = 'P1'")
    for file in (place.archive / "p1").iterdir():
        file.chmod(0o600)
    place.update()
    assert open_cohort(place.catalog, "ct").verify(files=True).ok


def test_rows_of_removed_files_that_are_kept_are_gone(place):
    create_cohort(place.catalog, "ct", "PatientID = 'P1'")
    (place.archive / "p1" / "0-0.dcm").unlink()
    update_catalog(str(place.archive), str(place.root), engine=InProcess(), mode=UpdateMode.APPEND)
    assert fates(open_cohort(place.catalog, "ct")) == {"p1/0-0.dcm": "gone"}
    assert create_cohort(place.catalog, "ct", "PatientID = 'P1'").record.counts.files == 3


def test_an_archive_that_is_not_mounted_has_not_lost_its_files(place):
    create_cohort(place.catalog, "ct", "Modality = 'CT'")
    place.archive.rename(place.archive.with_name("away"))
    with pytest.raises(ArchiveError, match="cannot list the archive root"):
        open_cohort(place.catalog, "ct").verify(files=True)
    place.archive.mkdir()
    with pytest.raises(ArchiveError, match=r"none of 20 files .* is the archive in place"):
        open_cohort(place.catalog, "ct").verify(files=True)


def test_a_cohort_follows_an_archive_that_moves(place, tmp_path):
    create_cohort(place.catalog, "ct", "Modality = 'CT'")
    new = tmp_path / "elsewhere" / "archive"
    shutil.copytree(place.archive, new)
    shutil.rmtree(place.archive)
    move_source(Lake(str(place.root)), open_archive(str(new), 1), DEFAULT_MODEL.tables, InProcess())
    cohort = open_cohort(place.catalog, "ct")
    assert cohort.verify(files=True).ok
    assert cohort.present()["path"][0].as_py().startswith(str(new))
    assert cohort.members()["path"][0].as_py().startswith(str(place.archive)), "what is kept stays as it is"
    assert not create_cohort(place.catalog, "ct", "Modality = 'CT'").is_new, "the members are the same"


def test_without_an_index_members_can_be_read_and_not_verified(place):
    create_cohort(place.catalog, "ct")
    shutil.rmtree(place.root / "dicom")
    assert open_cohort(place.catalog, "ct").members().num_rows == 40
    with pytest.raises(CohortError, match="there is no file_index"):
        open_cohort(place.catalog, "ct").verify()


def test_differences_of_two_versions(place):
    create_cohort(place.catalog, "ct", "Modality = 'CT'")
    change(place)
    catalog = place.update()
    create_cohort(catalog, "ct", "Modality = 'CT' OR SOPInstanceUID = '1.1.0.0'")
    found = open_cohort(catalog, "ct@0").compare(open_cohort(catalog, "ct"))
    assert found.counts == {"added": 1, "removed": 5, "changed": 1, "moved": 0}
    assert found.same == 14
    ways = dict(zip(found.rows["SOPInstanceUID"].to_pylist(), found.rows["difference"].to_pylist(), strict=True))
    assert ways["1.7.9"] == "added"
    assert ways["1.1.0.0"] == "changed"
    assert ways["1.3.1.1"] == "removed"
    back = open_cohort(catalog, "ct").compare(open_cohort(catalog, "ct@0"))
    assert back.counts == {"added": 5, "removed": 1, "changed": 1, "moved": 0}


def test_members_that_stand_in_another_split_have_moved(still):
    catalog = still.catalog
    create_cohort(catalog, "one", split={"a": 0.5, "b": 0.5}, seed=1)
    create_cohort(catalog, "two", split={"a": 0.5, "b": 0.5}, seed=2)
    create_cohort(catalog, "none")
    one, two, none = (open_cohort(catalog, name) for name in ("one", "two", "none"))
    found = one.compare(two)
    first, second = (cohort.members(["split"])["split"].to_pylist() for cohort in (one, two))
    moved = sum(a != b for a, b in zip(first, second, strict=True))
    assert found.counts == {"added": 0, "removed": 0, "changed": 0, "moved": moved}
    assert moved
    assert none.compare(one).counts["moved"] == 40
    assert none.compare(none).rows.num_rows == 0


def test_members_are_looked_for_where_the_tables_say_whatever_the_catalog_was_opened_with(place, tmp_path):
    shutil.copytree(place.archive, tmp_path / "copy")
    create_cohort(place.catalog, "ct")
    opened = open_catalog(str(tmp_path / "lake"), archive=str(tmp_path / "copy"))
    cohort = open_cohort(opened, "ct")
    assert cohort.archive().root == str(place.archive)
    assert cohort.verify(files=True).ok


def test_a_cohort_is_found_again_under_other_prefixes(place):
    create_cohort(place.catalog, "ct", "Modality = 'CT'")
    archive = open_archive(str(place.archive), PrefixCut(1, 1), lake=str(place.root))
    move_prefixes(place.catalog.lake, archive, DEFAULT_MODEL, InProcess())
    assert open_cohort(place.catalog, "ct").verify().ok
    (place.archive / "p3" / "1-1.dcm").unlink()
    update_catalog(archive, place.catalog.lake, engine=InProcess())
    assert fates(open_cohort(place.catalog, "ct")) == {"p3/1-1.dcm": "gone"}
