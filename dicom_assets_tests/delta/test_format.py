"""The format that tables state: refused where it is newer, upgraded in place where it is older."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pyarrow as pa
import pytest
from deltalake import DeltaTable, Schema

from dicom_assets.delta.format import FORMAT, FORMAT_VERSION, LakeFormatError, format_for
from dicom_assets.delta.lake import Lake
from dicom_assets.errors import UserError
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.opening import open_catalog
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.rows import append, index_rows
from dicom_assets_tests.support.whole import put

RUNS = 4


def state(lake: Lake, format_version: str) -> None:
    location = lake.location(FILE_INDEX)
    location.open().alter.set_table_properties({FORMAT: format_version}, raise_if_not_exists=False)


def stated(lake: Lake) -> str | None:
    return DeltaTable(lake.location(FILE_INDEX).uri).metadata().configuration.get(FORMAT)


def old_table(lake: Lake) -> None:
    """Make a table as the first release did, before it had its last two columns."""
    location = lake.location(FILE_INDEX)
    location.make_folder()
    columns = pa.schema(list(FILE_INDEX.schema)[:-2])
    DeltaTable.create(location.uri, Schema.from_arrow(columns), name=FILE_INDEX.name, partition_by=["prefix"])


def test_a_new_table_states_the_format_in_its_first_version(lake):
    lake.ensure([FILE_INDEX])
    assert stated(lake) == str(format_for(FILE_INDEX))
    assert lake.location(FILE_INDEX).open().version() == 0


@pytest.mark.parametrize("newer", [str(FORMAT_VERSION + 1), "1000", "1.5", "next"])
def test_a_newer_table_is_neither_read_nor_written(lake, tmp_path, newer):
    append(lake, index_rows("a", ["1.dcm"]))
    put(tmp_path / "archive" / "a" / "1.dcm", 1)
    state(lake, newer)
    before = DeltaTable(lake.location(FILE_INDEX).uri).version()
    for use in (
        lambda: open_catalog(lake.root).sql("SELECT count(*) FROM file_index").fetchall(),
        lambda: lake.snapshot(FILE_INDEX),
        lambda: lake.ensure([FILE_INDEX]),
        lambda: append(lake, index_rows("a", ["2.dcm"])),
        lambda: update_catalog(str(tmp_path / "archive"), lake),
    ):
        with pytest.raises(LakeFormatError, match="Upgrade with `pip install --upgrade dicom-assets`") as refused:
            use()
        assert isinstance(refused.value, UserError)
        assert "\n" not in str(refused.value)
    assert DeltaTable(lake.location(FILE_INDEX).uri).version() == before


def test_a_table_that_became_newer_during_a_run_is_not_committed_to(lake):
    append(lake, index_rows("a", ["1.dcm"]))
    snapshot = lake.snapshot(FILE_INDEX, ["a"])
    state(lake, str(FORMAT_VERSION + 1))
    from dicom_assets.delta.commit import Change, commit
    from dicom_assets.delta.files import write_batches

    adds = write_batches(snapshot.location.filesystem(), FILE_INDEX, index_rows("a", ["2.dcm"]).to_batches())
    with pytest.raises(LakeFormatError):
        commit(snapshot.location, Change(adds, (), snapshot.writes))


def test_an_older_table_gets_columns_and_format_once(lake):
    old_table(lake)
    lake.ensure([FILE_INDEX])
    assert pa.schema(lake.location(FILE_INDEX).open().schema().to_arrow()).names == FILE_INDEX.schema.names
    assert stated(lake) == str(format_for(FILE_INDEX))
    upgraded = lake.location(FILE_INDEX).open().version()
    lake.ensure([FILE_INDEX])
    assert lake.location(FILE_INDEX).open().version() == upgraded


def test_an_upgrade_that_was_killed_half_way_is_completed(lake):
    old_table(lake)
    from dicom_assets.delta.evolution import _missing_columns

    existing = lake.location(FILE_INDEX).open()
    existing.alter.add_columns(_missing_columns(existing, FILE_INDEX))
    assert stated(lake) is None
    lake.ensure([FILE_INDEX])
    assert stated(lake) == str(format_for(FILE_INDEX))


def test_upgrades_at_once_do_not_fail_each_other(tmp_path):
    for number in range(10):
        lake, start = Lake(str(tmp_path / str(number))), Barrier(RUNS)
        old_table(lake)

        def upgrade(_, lake=lake, start=start):
            start.wait()
            lake.ensure([FILE_INDEX])

        with ThreadPoolExecutor(RUNS) as pool:
            list(pool.map(upgrade, range(RUNS)))
        assert pa.schema(lake.location(FILE_INDEX).open().schema().to_arrow()).names == FILE_INDEX.schema.names
        assert stated(lake) == str(format_for(FILE_INDEX))
