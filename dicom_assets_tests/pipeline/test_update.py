"""The pipeline in one call, without an orchestrator."""

import shutil

import pytest
from pyspark import SparkContext

from dicom_assets import open_catalog, update_catalog
from dicom_assets.archive.prefixes import PrefixError
from dicom_assets.extract import DEFAULT_EXTRACTORS
from dicom_assets.extract.validation import ExtractorError
from dicom_assets.pipeline import update
from dicom_assets.pipeline.deletions import MassDeletionError
from dicom_assets.pipeline.ownership import SourceMismatchError
from dicom_assets_tests.support.scratch import IN_PROCESS
from dicom_assets_tests.support.whole import paths_of, put


@pytest.fixture
def source(tmp_path):
    for number in range(8):
        put(tmp_path / "source" / f"p{number // 2}" / f"{number}.dcm", number)
    return tmp_path / "source"


@pytest.fixture
def lake_path(tmp_path):
    return str(tmp_path / "a lake")


def test_from_folder_to_catalog_by_their_places(source, lake_path):
    before = SparkContext._gateway
    done = update_catalog(str(source), lake_path)
    assert SparkContext._gateway is before, "no JVM for eight files"
    assert (done.files, done.committed, done.unlisted) == (8, True, ())
    assert {outcome.engine for outcome in done.outcomes[0].values()} == {"", "in process"}
    assert open_catalog(lake_path).sql("SELECT status, count(*) FROM object_catalog GROUP BY ALL").fetchall() == [
        ("ok", 8)
    ]
    again = update_catalog(source.as_uri(), lake_path)
    assert (again.files, again.committed) == (8, False)


def test_some_prefixes_and_only_those(source, lake_path):
    assert update_catalog(str(source), lake_path, prefixes=["p1"]).files == 2
    with pytest.raises(PrefixError, match="give a list"):
        update_catalog(str(source), lake_path, prefixes="p1")
    with pytest.raises(PrefixError):
        update_catalog(str(source), lake_path, prefixes=["p1/deeper"])


def test_another_source_is_refused(source, lake_path, tmp_path):
    update_catalog(str(source), lake_path)
    put(tmp_path / "other" / "p0" / "1.dcm", 1)
    with pytest.raises(SourceMismatchError):
        update_catalog(str(tmp_path / "other"), lake_path)


def test_an_archive_that_is_suddenly_empty_is_refused_until_allowed(source, lake_path):
    update_catalog(str(source), lake_path)
    shutil.rmtree(source)
    source.mkdir()
    with pytest.raises(MassDeletionError, match="allow_mass_deletion=True"):
        update_catalog(str(source), lake_path)
    assert update_catalog(str(source), lake_path, allow_mass_deletion=True).files == 0


def test_losses_of_all_groups_count_before_any_is_updated(source, lake, monkeypatch):
    """Each group alone loses less than half of the catalog; together they lose more."""
    monkeypatch.setattr(update, "PREFIXES_PER_UPDATE", 2)
    update_catalog(str(source), lake, engine=IN_PROCESS)
    before = paths_of(lake)
    for name in ("p0/0.dcm", "p0/1.dcm", "p1/2.dcm", "p2/4.dcm", "p2/5.dcm"):
        (source / name).unlink()
    (source / "p0").rmdir()
    (source / "p2").rmdir()
    with pytest.raises(MassDeletionError, match="5 of 8 files"):
        update_catalog(str(source), lake, engine=IN_PROCESS)
    assert paths_of(lake) == before
    assert update_catalog(str(source), lake, engine=IN_PROCESS, allow_mass_deletion=True).files == 3


def test_extractors_that_do_not_go_together_are_refused_before_anything_is_made(source, lake_path, tmp_path):
    with pytest.raises(ExtractorError, match="two tables are named file_metadata"):
        update_catalog(str(source), lake_path, extractors=[*DEFAULT_EXTRACTORS, DEFAULT_EXTRACTORS[0]])
    assert not (tmp_path / "a lake").exists()
