"""``pixel_hashes``: a row of every file, in the same pass."""

import gzip

import numpy as np
import pytest

from dicom_assets.dicom.source import BytesSource, StorageError
from dicom_assets.extract.installed import installed_extractors
from dicom_assets.extract.model import DEFAULT_EXTRACTORS
from dicom_assets.extract.pixel_hashes import PIXEL_HASHES, PixelHashExtractor
from dicom_assets.extract.rows import to_batch
from dicom_assets.extract.source_file import FileKey, SourceFile
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.opening import open_catalog
from dicom_assets_tests.support.corpus import PYDICOM_FILES, pydicom_files
from dicom_assets_tests.support.dicom.images import file_bytes, image
from dicom_assets_tests.support.scratch import IN_PROCESS
from dicom_assets_tests.support.whole import put, tiny_dicom

KEY = FileKey("p", "x", "x", "1")


def row_of(content):
    return PixelHashExtractor().extract(SourceFile(KEY, BytesSource(content)))


def test_it_is_off_by_default():
    assert "pixel_hashes" not in [one.table.name for one in (*DEFAULT_EXTRACTORS, *installed_extractors())]
    assert "pixel_hashes" in [one.table.name for one in installed_extractors(pixel_hash=True)]


def test_every_real_file_has_a_row_with_a_declared_status():
    found = set()
    for path in pydicom_files():
        row = row_of(path.read_bytes())
        assert row["status"] in PIXEL_HASHES.meanings, path
        assert (row["status"] == "ok") is (row.get("pixel_hash") is not None), path
        to_batch([{"prefix": "p", "path": "x", **row}], PIXEL_HASHES)
        found.add(str(row["status"]))
    assert {"ok", "no_pixel_data", "partial", "not_dicom"} <= found


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", "not_dicom"),
        (b"no DICOM", "not_dicom"),
        (tiny_dicom(1), "ok"),
        (gzip.compress(tiny_dicom(1)), "ok"),
        (tiny_dicom(1)[:-20], "partial"),
        (tiny_dicom(1)[:-80], "partial"),
        ((PYDICOM_FILES / "rtplan.dcm").read_bytes(), "no_pixel_data"),
        (file_bytes(image(np.zeros((2, 2), np.uint8), SamplesPerPixel=2)), "unsupported"),
        (file_bytes(image(np.zeros((2, 2), np.uint8), Rows=0)), "unsupported"),
    ],
)
def test_states(content, status):
    row = row_of(content)
    assert row["status"] == status
    assert (row.get("pixel_hash") is not None) is (status == "ok")


def test_a_gzip_file_has_the_hashes_of_what_is_in_it():
    plain, zipped = row_of(tiny_dicom(1)), row_of(gzip.compress(tiny_dicom(1)))
    assert plain == zipped


def test_what_is_cut_has_a_hash_of_its_header_where_that_is_whole():
    whole, cut = row_of(tiny_dicom(1)), row_of(tiny_dicom(1)[:-20])
    assert cut["header_hash"] in (whole["header_hash"], None)


def test_a_store_that_fails_is_no_state_of_the_file():
    class Failing(BytesSource):
        def read(self, offset, length):
            if offset > 0:
                raise StorageError("gone")
            return super().read(offset, length)

    large = file_bytes(image(np.zeros((512, 512), np.uint16)))
    with pytest.raises(StorageError):
        PixelHashExtractor().extract(SourceFile(KEY, Failing(large)))


def test_it_is_joined_into_the_catalog_and_taken_out_again(tmp_path):
    for number in range(3):
        put(tmp_path / "source" / "a" / f"{number}.dcm", number)
    source, lake = str(tmp_path / "source"), str(tmp_path / "lake")
    update_catalog(source, lake, engine=IN_PROCESS)
    extractors = (*DEFAULT_EXTRACTORS, PixelHashExtractor())
    (outcomes,) = update_catalog(source, lake, extractors=extractors, engine=IN_PROCESS).outcomes
    followed = {
        "pixel_hashes",
        "object_catalog",
        "series",
        "studies",
    }  # These count what the catalog says of its files.
    assert {name for name, outcome in outcomes.items() if outcome.committed} == followed
    found = open_catalog(lake).sql(
        "SELECT count(DISTINCT pixel_hash), min(pixel_bytes), min(status) FROM object_catalog"
    )
    assert found.fetchall() == [(3, 64, "ok")]
    update_catalog(source, lake, engine=IN_PROCESS)
    assert open_catalog(lake).sql("SELECT count(pixel_hash) FROM object_catalog").fetchall() == [(0,)]
