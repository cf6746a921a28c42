"""One look tells what the comparison of all rows tells, or nothing."""

import pytest
from deltalake import DeltaTable

from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.files import write_batches
from dicom_assets.extract.metadata import MetadataExtractor
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL, OBJECT_CATALOG, CatalogModel
from dicom_assets.extract.thumbnails import THUMBNAILS
from dicom_assets.pipeline import pending
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.glance import Glance, glance_at
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.denied import deny
from dicom_assets_tests.support.made_up import write
from dicom_assets_tests.support.scratch import build_here
from dicom_assets_tests.support.whole import put

PREFIXES = ["a", "b"]


class Newer(MetadataExtractor):
    """Another version of an extractor."""

    version = "metadata-of-tomorrow"


@pytest.fixture
def followed(archive, source, lake):
    """Catalog files, two of them images, which make a series and a study."""
    for name in ("a/3.dcm", "a/4.dcm"):
        put(source / name, 3)
    build_here(lake, archive, PREFIXES)
    return lake


def glances(archive, lake, model=DEFAULT_MODEL, prefixes=PREFIXES):
    return list(glance_at(archive, CatalogState(lake, model), prefixes))


def compared(archive, lake, model=DEFAULT_MODEL, mode=UpdateMode.SYNC):
    return pending._compare(lake, archive, model, PREFIXES, mode, None)


def found(archive, lake, model=DEFAULT_MODEL, mode=UpdateMode.SYNC):
    return pending.find_pending(lake, archive, model, PREFIXES, mode, None)


def delete_rows(lake, table, predicate):
    DeltaTable(lake.location(table).uri).delete(predicate)


def test_a_new_prefix_is_told_with_its_files(archive, lake):
    lake.ensure(DEFAULT_MODEL.tables)
    assert glances(archive, lake) == [Glance("a", new=2), Glance("b", new=1)]
    assert found(archive, lake) == compared(archive, lake)


def test_what_the_tables_follow_is_settled(archive, followed):
    assert glances(archive, followed) == [Glance("a", settled=True), Glance("b", settled=True)]
    assert found(archive, followed) == compared(archive, followed) == []


def test_a_prefix_that_neither_has_files_nor_had_any_is_settled(archive, source, followed):
    (source / "empty").mkdir()
    assert glances(archive, followed, prefixes=["empty"]) == [Glance("empty", settled=True, new=0)]


def test_every_change_of_files_is_left_to_the_comparison(archive, source, followed):
    changes = {
        "added": lambda: write(source / "a" / "5", when=1),
        "replaced": lambda: write(source / "a" / "1", "other", when=1e9 + 1),
        "removed": (source / "a" / "2").unlink,
        "renamed": lambda: (source / "a" / "1").rename(source / "a" / "9"),
        "touched": lambda: (source / "a" / "9").chmod(0o600),
    }
    for kind, change in changes.items():
        change()
        assert glances(archive, followed) == [Glance("a"), Glance("b", settled=True)], kind
        assert found(archive, followed) == compared(archive, followed) != [], kind
        build_here(followed, archive, ["a"])
        assert all(one.settled for one in glances(archive, followed)), kind


@pytest.mark.parametrize("name", [table.name for table in DEFAULT_MODEL.tables])
def test_a_row_that_a_table_has_lost_is_noticed(archive, followed, name):
    table = DEFAULT_MODEL.table(name)
    lost = "4.dcm" if table.key == "path" else ""
    delete_rows(followed, table, f"prefix = 'a' AND {table.key} LIKE '%{lost}'")
    assert glances(archive, followed) == [Glance("a"), Glance("b", settled=True)]
    assert [one.prefix for one in found(archive, followed)] == ["a"]


def test_a_row_of_another_version_is_noticed_though_their_number_is_right(archive, source, followed):
    before = followed.location(THUMBNAILS).open().version()
    write(source / "a" / "1", "another", when=1e9 + 5)
    build_here(followed, archive, ["a"])
    followed.location(THUMBNAILS).open().restore(before)
    assert glances(archive, followed)[0] == Glance("a")
    assert [one.prefix for one in found(archive, followed)] == ["a"]


def test_a_new_version_of_an_extractor_is_noticed(archive, followed):
    others = [one for one in DEFAULT_EXTRACTORS if not isinstance(one, MetadataExtractor)]
    model = CatalogModel((Newer(), *others))
    assert glances(archive, followed, model) == [Glance("a"), Glance("b")]
    assert found(archive, followed, model) == compared(archive, followed, model) != []


def test_rows_of_files_that_are_gone_are_left_to_the_comparison(archive, source, followed):
    (source / "a" / "2").unlink()
    build_here(followed, archive, ["a"], UpdateMode.APPEND)
    assert glances(archive, followed)[0] == Glance("a")
    for mode in (UpdateMode.SYNC, UpdateMode.APPEND):
        assert found(archive, followed, mode=mode) == compared(archive, followed, mode=mode), mode


def test_overwriting_takes_what_is_settled_too(archive, followed):
    assert [one.files for one in found(archive, followed, mode=UpdateMode.OVERWRITE)] == [4, 1]


def test_what_cannot_be_listed_is_neither_settled_nor_new(archive, source, followed, monkeypatch):
    deny(monkeypatch, source / "a")
    assert glances(archive, followed)[0] == Glance("a")
    (told,) = found(archive, followed)
    assert told.prefix == "a"
    assert told.unlisted


def test_data_files_in_any_order_of_paths_are_settled(archive, source, followed):
    write(source / "a" / "0", "first")
    build_here(followed, archive, ["a"])
    paths = CatalogState(followed).rows(FILE_INDEX.name, "a", [])["path"].to_pylist()
    assert len(paths) == 5
    assert glances(archive, followed)[0].settled


def test_another_row_of_the_same_file_is_noticed(archive, followed):
    snapshot = followed.snapshot(OBJECT_CATALOG, ["b"])
    batches = [batch for _, batch in snapshot.rows(OBJECT_CATALOG.schema.names)]
    commit(snapshot.location, Change(write_batches(snapshot.location.filesystem(), OBJECT_CATALOG, batches), [], {}))
    assert glances(archive, followed)[1] == Glance("b")
