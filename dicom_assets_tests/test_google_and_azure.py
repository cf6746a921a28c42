"""The main path against emulators of Google Cloud Storage and of Azure Blob Storage: archive and lake in a bucket."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import obstore
import pytest
from obstore.store import from_url

from dicom_assets.archive.opening import open_archive
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.ahead import ORDINARY_BYTES
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.extract.source_file import HEAD_BYTES
from dicom_assets.extract.status import CHANGED
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.database import Catalog
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.buckets import ODD_KEYS, comparable, upload, versions
from dicom_assets_tests.support.emulators import azure_emulator, azure_program, google_emulator, google_program
from dicom_assets_tests.support.rows import append, index_rows, paths
from dicom_assets_tests.support.whole import put, tiny_dicom

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module", params=["google", "azure"])
def emulator(request, tmp_path_factory):
    program, start = {
        "google": (google_program(), google_emulator),
        "azure": (azure_program(), azure_emulator),
    }[request.param]
    if program is None:
        pytest.skip(f"no emulator of {request.param} is installed")
    made = start(program, tmp_path_factory.mktemp(request.param))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        yield made
    made.stop()


@pytest.fixture
def place(emulator):
    """Return a folder of the bucket that is this test's own."""
    return f"{emulator.uri}/{uuid.uuid4().hex}"


def _update(place):
    return update_catalog(f"{place}/archive", f"{place}/lake", engine=InProcess())


def test_a_catalog_equals_that_of_a_folder_and_follows_changes(place, tmp_path):
    lake = Lake(f"{place}/lake")
    objects = {key: number for number, key in enumerate([*ODD_KEYS, "a/1.dcm", "a/2.dcm", "top.dcm"])}
    upload(f"{place}/archive", objects)
    for key, number in objects.items():
        put(tmp_path / "archive" / key, number)
    assert _update(place).files == len(objects)
    update_catalog(str(tmp_path / "archive"), str(tmp_path / "lake"), engine=InProcess())
    assert comparable(lake) == comparable(Lake(str(tmp_path / "lake")))

    before = versions(lake)
    assert not _update(place).committed, "nothing to do writes nothing"
    assert versions(lake) == before

    upload(f"{place}/archive", {"a/1.dcm": 20, "a/3 +%é.dcm": 21})
    obstore.delete(from_url(f"{place}/archive"), ["a/2.dcm", "plus+/a+b.dcm"])
    _update(place)
    query = "SELECT relative_path, PatientID FROM object_catalog WHERE prefix IN ('a', 'plus+') ORDER BY 1"
    assert Catalog(lake).sql(query).fetchall() == [("a/1.dcm", "P20"), ("a/3 +%é.dcm", "P21")]


def test_no_commit_of_many_at_once_is_lost(place):
    lake = Lake(f"{place}/lake")
    append(lake, index_rows("first", ["0"]))
    prefixes = [f"p{number}" for number in range(8)]
    with ThreadPoolExecutor(len(prefixes)) as pool:
        list(pool.map(lambda prefix: append(lake, index_rows(prefix, ["1", "2"])), prefixes))
    assert len(paths(lake)) == 1 + 2 * len(prefixes)


def test_two_updates_of_one_prefix_end_as_one(place):
    upload(f"{place}/archive", {f"a/{number}.dcm": number for number in range(4)})
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_update, [place] * 2))
    query = "SELECT count(*), count(DISTINCT path), count(*) FILTER (status = 'ok') FROM object_catalog"
    assert Catalog(Lake(f"{place}/lake")).sql(query).fetchall() == [(4, 4, 4)]


def test_what_was_replaced_after_it_was_listed_is_left_for_the_next_run(place, tmp_path):
    archive, lake = open_archive(f"{place}/archive", 1), Lake(str(tmp_path))
    upload(archive.root, {f"a/{number}.dcm": number for number in range(3)})
    lake.ensure(DEFAULT_MODEL.tables)
    converge(IndexStep(lake, archive, ["a"]), InProcess(), {})
    upload(archive.root, {"a/1.dcm": 7})
    converge(ExtractionStep(lake, archive, DEFAULT_EXTRACTORS, ["a"]), InProcess(), {})
    query = "SELECT PatientID, error FROM dicom_headers ORDER BY path"
    assert Catalog(lake).sql(query).fetchall() == [("P0", None), (None, CHANGED), ("P2", None)]


@pytest.mark.parametrize(
    ("kind", "wanted", "requests", "kilobytes"),
    [
        ("slices", None, 1, 263),
        ("slices", "dicom_headers", 1, 64),
        ("frames", None, 2, 64 + 256),
        ("frames", "dicom_headers", 1, 64),
    ],
)
def test_a_file_costs_one_request_and_no_more_bytes_than_are_wanted(
    emulator, place, tmp_path, kind, wanted, requests, kilobytes
):
    size = {"slices": {}, "frames": {"NumberOfFrames": 40}}[kind]
    pixels = bytes(512 * 512 * size.get("NumberOfFrames", 1))
    content = tiny_dicom(1, Rows=512, Columns=512, PixelData=pixels, **size)
    assert len(content) > HEAD_BYTES
    assert (len(content) > ORDINARY_BYTES) == (kind == "frames")
    store, archive, lake = from_url(f"{place}/archive"), open_archive(f"{place}/archive", 1), Lake(str(tmp_path))
    for number in range(4):
        obstore.put(store, f"a/{number}.dcm", content)
    lake.ensure(DEFAULT_MODEL.tables)
    converge(IndexStep(lake, archive, ["a"]), InProcess(), {})
    emulator.proxy.asked()
    extractors = [one for one in DEFAULT_EXTRACTORS if wanted in (None, one.table.name)]
    converge(ExtractionStep(lake, archive, extractors, ["a"]), InProcess(), {})
    asked = emulator.proxy.asked()
    assert asked["kinds"].pop("list") >= 1, "whether the archive is there"
    assert asked["kinds"].pop("HEAD", 0) <= 4, "whether files of the index are"
    assert asked["kinds"] == {"range": 4 * requests}
    assert asked["bytes"]["range"] / 4 <= kilobytes << 10
