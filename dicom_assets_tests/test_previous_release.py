"""Lakes that earlier releases left, opened by this version. See ``support/release_lake.py`` for how they are made."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from dicom_assets.archive.opening import open_archive
from dicom_assets.delta.format import FORMAT, format_for
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.pipeline.move import move_source
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.errors import NotInCatalogError
from dicom_assets.query.opening import open_catalog
from dicom_assets.spark.work import InProcess
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.whole import TABLES_OF_FILES, put

LAKES = sorted((Path(__file__).parent / "data").glob("lake-*.tar.xz"))
NOT_COMPARED = {"indexed_at", "removed_at", "source_version", "run_id", "made_at", "thumbnail"}
"""When we looked, what numbers the disk gives to files, and pictures as a version of the encoder wrote them."""


@pytest.fixture(params=LAKES, ids=lambda path: path.name)
def unpacked(request, tmp_path):
    """The archive and the lake of a release; the rows hold the place where the archive was then."""
    with tarfile.open(request.param) as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / "archive", Lake(str(tmp_path / "lake"))


def rows(lake: Lake, table) -> list[dict]:
    names = [name for name in table.schema.names if name not in NOT_COMPARED]
    batches = [batch for _, batch in lake.snapshot(table).rows(names)]
    return pa.Table.from_batches(batches).select(names).sort_by(table.key).to_pylist()


def pictures(lake: Lake) -> dict[str, np.ndarray]:
    shown = open_catalog(lake.root).sql("SELECT relative_path, thumbnail FROM object_catalog WHERE thumbnail NOT NULL")
    return {path: np.asarray(Image.open(io.BytesIO(data)), dtype=int) for path, data in shown.fetchall()}


def test_there_is_a_lake_to_open():
    assert LAKES


def test_it_is_read_as_it_is(unpacked):
    _, lake = unpacked
    before = {table.name: lake.location(table).open().version() for table in map(DEFAULT_MODEL.table, TABLES_OF_FILES)}
    found = open_catalog(lake.root).sql("SELECT relative_path, status FROM object_catalog ORDER BY ALL").fetchall()
    assert found == [("a/1.dcm", "ok"), ("a/2.dcm", "damaged"), ("b/notes.txt", "not_dicom")]
    assert before == {
        table.name: lake.location(table).open().version() for table in map(DEFAULT_MODEL.table, TABLES_OF_FILES)
    }


def test_researchers_take_out_what_is_in_it(unpacked):
    archive, lake = unpacked
    catalog = open_catalog(lake.root, archive=str(archive))
    header = catalog.header("a/1.dcm")
    assert catalog.header(header.SOPInstanceUID) == header
    assert max(catalog.thumbnail("a/1.dcm").size) <= 256
    assert catalog.frames("a/1.dcm").shape == (1, header.Rows, header.Columns)
    assert catalog.select("status = 'ok'", ["path", "thumbnail"]).to_html().count("data:image") == 1
    with pytest.raises(NotInCatalogError, match="no images of a series"):
        catalog.volume("1.2.3")


def test_where_its_rows_come_from_is_told_by_its_log(unpacked):
    _, lake = unpacked
    (file,) = open_catalog(lake.root).lineage("a/1.dcm").files
    assert [row.table for row in file.rows] == list(TABLES_OF_FILES)
    for row in file.rows:
        assert (row.made.made_at, row.made.not_after) == (None, None)
        assert row.made.version is not None


def test_it_is_upgraded_in_place_and_extracts_only_what_is_new(unpacked, tmp_path):
    source, lake = unpacked
    made_by = {
        extractor.table.name: set(
            lake.snapshot(extractor.table).keys(["extractor_version"])["extractor_version"].to_pylist()
        )
        for extractor in DEFAULT_EXTRACTORS
    }
    move_source(lake, open_archive(str(source), 1), DEFAULT_MODEL.tables, InProcess())
    put(source / "b" / "3.dcm", 3)
    (source / "a" / "2.dcm").unlink()
    (done,) = update_catalog(str(source), lake, engine=InProcess()).outcomes

    assert (done[FILE_INDEX.name].added, done[FILE_INDEX.name].removed) == ({"b": 1}, {"a": 1})
    for extractor in DEFAULT_EXTRACTORS:
        outcome = done[extractor.table.name]
        redone = 0 if made_by[extractor.table.name] == {extractor.version} else 2
        assert (sum(outcome.added.values()), sum(outcome.changed.values())) == (1, redone), extractor.table.name
    for table in DEFAULT_MODEL.tables:
        assert lake.snapshot(table).properties[FORMAT] == str(format_for(table))

    clean = Lake(str(tmp_path / "clean"))
    update_catalog(str(source), clean, engine=InProcess())
    for table in DEFAULT_MODEL.tables:
        assert rows(lake, table) == rows(clean, table), table.name
    assert len(rows(lake, OBJECT_CATALOG)) == 3
    ours, theirs = pictures(lake), pictures(clean)
    assert set(ours) == set(theirs) == {"a/1.dcm", "b/3.dcm"}
    for path, picture in ours.items():
        assert np.abs(picture - theirs[path]).max() <= 2

    again = update_catalog(str(source), lake, engine=InProcess())
    assert not again.committed
