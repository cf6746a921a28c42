"""A series is looked up once for a version of the tables, and the answers are those of looking up each instance."""

import pytest
from starlette.testclient import TestClient

from dicom_assets import update_catalog
from dicom_assets.delta.lake import Lake
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.query.errors import ChangedFileError
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.app import create_app
from dicom_assets.serve.dicomweb import looked_at
from dicom_assets.serve.dicomweb.instances import Files, find_instances
from dicom_assets.serve.dicomweb.looked_at import LookedAt
from dicom_assets.serve.errors import NotFoundError
from dicom_assets.serve.follow import Follower
from dicom_assets.serve.remembered import Remembered
from dicom_assets.serve.site import Site
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.whole import put

STUDY, SERIES = "1.2.9.0", "1.2.9.0.0"


@pytest.fixture
def catalog(served_lake):
    return Follower(Site(served_lake).catalog()).current()


@pytest.fixture
def asked(monkeypatch):
    """The queries of the tables."""
    queries = []
    ask = FixedCatalog.ask

    def counting(catalog, query, values=()):
        queries.append(query)
        return ask(catalog, query, values)

    monkeypatch.setattr(FixedCatalog, "ask", counting)
    return queries


def named(catalog):
    """Return the identifiers of the instances of a series."""
    return [one.uids for one in find_instances(catalog, {"StudyInstanceUID": STUDY, "SeriesInstanceUID": SERIES})]


def test_the_second_instance_asks_for_nothing(catalog, asked):
    first, second = named(catalog)
    known = LookedAt()
    asked.clear()
    found = known.instance(catalog, first)
    assert asked
    asked.clear()
    other = known.instance(catalog, second)
    assert asked == []
    assert (found.uids, other.uids) == (first, second)
    for one in (found, other):
        (alone,) = find_instances(catalog, one.uids)
        assert (alone.path, alone.fingerprint, alone.has_pixels) == (one.path, one.fingerprint, one.has_pixels)
        assert one.file.path == one.path
        assert one.file.fingerprint == one.fingerprint


def test_what_is_not_there_is_not_found(catalog):
    known = LookedAt()
    (first, _) = named(catalog)
    known.instance(catalog, first)
    for wrong in ({"SOPInstanceUID": "1.9"}, {"SeriesInstanceUID": "1.2.9.0.1"}, {"StudyInstanceUID": "1.2.9.1"}):
        with pytest.raises(NotFoundError):
            known.instance(catalog, {**first, **wrong})


def test_a_series_of_too_many_files_is_not_remembered(catalog, asked, monkeypatch):
    monkeypatch.setattr(looked_at, "_FILES", 1)
    known = LookedAt()
    for uids in named(catalog) * 2:
        asked.clear()
        assert known.instance(catalog, uids).uids == uids
        assert asked


def test_another_version_is_another_answer(tmp_path):
    archive, lake = tmp_path / "archive", str(tmp_path / "lake")

    def frame(client, number):
        return client.get(f"/dicom-web/studies/1.2.4/series/1.2.5/instances/1.2.3.{number}/frames/1")

    def catalog(number, **attributes):
        put(archive / "a" / f"{number}.dcm", number, StudyInstanceUID="1.2.4", SeriesInstanceUID="1.2.5", **attributes)
        update_catalog(str(archive), lake, engine=InProcess())

    catalog(1)
    app = create_app(Site(Lake(lake)))
    client = TestClient(app, base_url="http://localhost")
    before = frame(client, 1)
    assert before.status_code == 200
    assert frame(client, 2).status_code == 404
    put(archive / "a" / "1.dcm", 1, StudyInstanceUID="1.2.4", SeriesInstanceUID="1.2.5", PixelData=bytes(range(64)))
    assert frame(client, 1).status_code == 410, "the file has changed, and the catalog does not know yet"
    catalog(2)
    app.state.service.follower.newest()
    assert frame(client, 2).status_code == 200
    assert bytes(range(64)) in frame(client, 1).content
    assert bytes(range(64)) not in before.content


def test_a_file_that_was_removed_has_no_frames(tmp_path):
    for number in (1, 2):
        put(tmp_path / "archive" / "a" / f"{number}.dcm", number, StudyInstanceUID="1.2.4", SeriesInstanceUID="1.2.5")
    lake = Lake(str(tmp_path / "lake"))
    update_catalog(str(tmp_path / "archive"), lake, engine=InProcess())
    (tmp_path / "archive" / "a" / "1.dcm").unlink()
    update_catalog(
        str(tmp_path / "archive"), lake, mode=UpdateMode.APPEND, allow_mass_deletion=True, engine=InProcess()
    )
    catalog = Follower(Site(lake).catalog()).current()
    uids = {"StudyInstanceUID": "1.2.4", "SeriesInstanceUID": "1.2.5"}
    known = LookedAt()
    assert known.instance(catalog, {**uids, "SOPInstanceUID": "1.2.3.2"}).file is not None
    gone = known.instance(catalog, {**uids, "SOPInstanceUID": "1.2.3.1"})
    assert gone.file is None
    with pytest.raises(ChangedFileError), Files(catalog).open(gone):
        pass


def test_few_answers_about_one_version_are_kept():
    known = Remembered(2)
    old, new = object(), object()
    assert [known.get(old, question, lambda q=question: q * 2) for question in "aba"] == ["aa", "bb", "aa"]
    known.get(old, "c", lambda: "cc")
    assert known.get(old, "a", lambda: "never") == "aa", "it was asked for lately"
    assert known.get(old, "b", lambda: "again") == "again"
    assert known.get(new, "a", lambda: "new") == "new"
    assert known.get(old, "a", lambda: "old again") == "old again"
