"""Data files are where every reader looks for them, whatever the prefix holds."""

import pyarrow as pa
import pytest

from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.snapshot import live_files
from dicom_assets.extract.metadata import FILE_METADATA

PREFIXES = ["plain", "2024/01", "50% off", "it's", "a b+c&d=e", "ü", "x" * 300, "."]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_rows_of_any_prefix_are_read_back_and_removed(tmp_path, prefix):
    lake = Lake(str(tmp_path))
    lake.ensure([FILE_METADATA])
    location = lake.location(FILE_METADATA)
    row = {"prefix": prefix, "path": f"/archive/{prefix}/1.dcm", "fingerprint": "1", "status": "ok"}
    rows = pa.Table.from_pylist([row], FILE_METADATA.schema)

    adds = write_batches(location.filesystem(), FILE_METADATA, rows.to_batches())
    commit(location, Change(adds, [], {prefix: 0}))
    stored = pa.table(location.open().scan(columns=["prefix", "path"]))
    assert stored.to_pylist() == [{"prefix": prefix, "path": row["path"]}]
    assert lake.snapshot(FILE_METADATA).keys([]).column("path").to_pylist() == [row["path"]]

    commit(location, Change([], live_files(location.open()), {prefix: 1}))
    assert location.open().file_uris() == []
