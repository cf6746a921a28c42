"""Catalogs of archives whose files are in ZIP and TAR files: what is in them, what changes cost, what is never lost."""

import io
import os
import shutil
import uuid
import zipfile

import obstore
import pytest
from obstore.store import from_url

from dicom_assets import create_cohort, open_catalog, open_cohort, update_catalog
from dicom_assets.archive.containers import reading
from dicom_assets.archive.containers.faults import MemberError
from dicom_assets.archive.opening import open_archive
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.cli.places import Places, checked_places
from dicom_assets.cohorts.copying import Mode
from dicom_assets.cohorts.errors import ExportError
from dicom_assets.delta.lake import Lake
from dicom_assets.errors import DataError
from dicom_assets.orchestration.definitions import archive_from_environment
from dicom_assets.pipeline.deletions import MassDeletionError
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.lag import find_lag
from dicom_assets.spark.work import InProcess
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.containers import MAKERS, encrypted, tar_of, zip_of
from dicom_assets_tests.support.corpus import PYDICOM_FILES, pydicom_files
from dicom_assets_tests.support.hostile_containers import HOSTILE
from dicom_assets_tests.support.whole import contents, tiny_dicom

SOME = (
    "CT_small.dcm",
    "MR_small.dcm",
    "rtplan.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "rtdose_rle.dcm",
    "README.txt",
    "zipMR.gz",
)
_OF_THE_FILE = {"fingerprint", "source_version", "etag", "modified_at", "path", "path_tags"}


def update(source, lake, **options):
    """Bring a catalog up to date and return what was done to each table."""
    done = update_catalog(str(source), lake, engine=InProcess(), **options)
    assert not done.unlisted
    return done.outcomes[0] if done.outcomes else {}


def made(outcomes):
    """Return how many files were read."""
    return outcomes["file_metadata"].made


def comparable(lake, folder):
    """Return all rows of the members in a folder, without what a container tells otherwise."""
    found = contents(lake)
    relative = {row["path"]: row["relative_path"].removeprefix(folder) for row in found["object_catalog"]}
    for name, rows in found.items():
        kept = []
        for row in rows:
            if "path" in row and not row["path"].endswith(tuple(f"/{one}" for one in MAKERS)):
                row["relative_path"] = relative[row["path"]]
                kept.append(row)
            elif "path" not in row:
                row["extractor_version"] = row["extractor_version"].split(" ")[0]  # behind it, a digest of fingerprints
                if row.get("thumbnail_path"):
                    row["thumbnail_path"] = relative[row["thumbnail_path"]]
                kept.append(row)
        left = [{name: value for name, value in row.items() if name not in _OF_THE_FILE} for row in kept]
        found[name] = sorted(left, key=lambda row: str(sorted(row.items(), key=str)))
    return found


def same_rows(tmp_path, files, kinds):
    """Catalog files in a folder and in containers, and compare."""
    (tmp_path / "plain" / "p").mkdir(parents=True)
    for name, data in files.items():
        (tmp_path / "plain" / "p" / name).write_bytes(data)
    plain = Lake(str(tmp_path / "lake"))
    update(tmp_path / "plain", plain)
    expected = comparable(plain, "p/")
    for kind in kinds:
        (tmp_path / kind / "p").mkdir(parents=True)
        (tmp_path / kind / "p" / kind).write_bytes(MAKERS[kind](files))
        lake = Lake(str(tmp_path / f"lake of {kind}"))
        update(tmp_path / kind, lake)
        assert comparable(lake, f"p/{kind}!/") == expected


@pytest.mark.parametrize("kind", MAKERS)
def test_files_in_a_container_have_the_rows_of_files_in_a_folder(tmp_path, kind):
    same_rows(tmp_path, {name: (PYDICOM_FILES / name).read_bytes() for name in SOME}, [kind])


@pytest.mark.slow
def test_all_files_of_pydicom_have_the_same_rows_in_every_container(tmp_path):
    files = {f"{number}-{path.name}": path.read_bytes() for number, path in enumerate(pydicom_files())}
    same_rows(tmp_path, files, MAKERS)


SLICES = {f"s/{number}.dcm": tiny_dicom(number) for number in range(6)}


@pytest.fixture
def archive(tmp_path):
    (tmp_path / "archive" / "p").mkdir(parents=True)
    return tmp_path / "archive"


def test_what_a_change_of_a_container_costs(archive, lake):
    for kind, maker in MAKERS.items():
        (archive / "p" / kind).write_bytes(maker(SLICES))
    assert made(update(archive, lake)) == len(MAKERS) * (1 + len(SLICES))
    assert not any(outcome.committed for outcome in update(archive, lake).values())
    changed = {**SLICES, "s/3.dcm": tiny_dicom(30), "s/new.dcm": tiny_dicom(31)}
    (archive / "p" / "x.zip").write_bytes(zip_of(dict(reversed(changed.items()))))
    assert made(update(archive, lake)) == 3, "the container, and the members whose checksums are others"
    (archive / "p" / "x.tar").write_bytes(tar_of(dict(reversed(changed.items()))))
    assert made(update(archive, lake)) == 3, "the container, and the members whose heads are others"
    for kind in ("x.tgz", "x.tar.zst"):
        (archive / "p" / kind).write_bytes(MAKERS[kind](changed))
        assert made(update(archive, lake)) == 1 + len(changed), "nothing tells its members apart"
    assert not any(outcome.committed for outcome in update(archive, lake).values())
    query = "SELECT count(*) FROM object_catalog WHERE PatientID IN ('P30', 'P31')"
    assert open_catalog(lake.root).sql(query).fetchall() == [(8,)]


def test_a_chmod_redoes_nothing(archive, lake):
    for kind, maker in MAKERS.items():
        (archive / "p" / kind).write_bytes(maker(SLICES))
    update(archive, lake)
    for path in (archive / "p").iterdir():
        path.chmod(0o600)
    done = update(archive, lake)
    assert made(done) == 0
    assert done["file_index"].committed, "that it is the same is noted"
    assert not any(outcome.committed for outcome in update(archive, lake).values())


def test_another_container_of_equal_size_and_time_is_another(archive, lake):
    one, other = ({f"s/{n}": tiny_dicom(n + base) for n in range(3)} for base in (10, 50))
    for number, files in enumerate((one, other)):
        path = archive / "p" / f"{number}.tar.gz"
        path.write_bytes(MAKERS["x.tgz"](files))
    size = max(path.stat().st_size for path in (archive / "p").iterdir())
    for path in (archive / "p").iterdir():
        path.write_bytes(path.read_bytes().ljust(size, b"\0"))
        os.utime(path, ns=(10**18, 10**18))
    update(archive, lake)
    first, second = sorted((archive / "p").iterdir())
    first.rename(archive / "p" / "third")
    second.rename(first)
    (archive / "p" / "third").rename(second)
    assert made(update(archive, lake)) == 8
    query = "SELECT list(PatientID ORDER BY path) FROM object_catalog WHERE PatientID IS NOT NULL"
    assert open_catalog(lake.root).sql(query).fetchall() == [(["P50", "P51", "P52", "P10", "P11", "P12"],)]
    update(archive, lake)
    assert not any(outcome.committed for outcome in update(archive, lake).values())


def test_switching_containers_on_and_off_adds_and_removes_members_alone(archive, lake):
    (archive / "p" / "x.zip").write_bytes(zip_of(SLICES))
    for number in range(8):
        (archive / "p" / f"{number}.dcm").write_bytes(tiny_dicom(number + 100))
    update(archive, lake, containers=False)
    assert len(contents(lake)["file_index"]) == 9
    done = update(archive, lake)
    assert made(done) == len(SLICES), "the container has its row already"
    done = update(archive, lake, containers=False)
    assert made(done) == 0
    assert len(contents(lake)["object_catalog"]) == 9
    assert not any(outcome.committed for outcome in update(archive, lake, containers=False).values())


def test_hostile_containers_are_one_damaged_row_each(archive, lake):
    for name, (make, _, told) in HOSTILE.items():
        if told == 0:
            (archive / "p" / name).write_bytes(make())
    (archive / "p" / "locked.zip").write_bytes(encrypted(zip_of({"m": tiny_dicom(1)})))
    update(archive, lake)
    rows = {row["relative_path"].removeprefix("p/"): row for row in contents(lake)["object_catalog"]}
    for name, row in rows.items():
        if name != "locked.zip":
            assert row["status"] == "damaged", name
            assert row["error"].startswith(("the container", "the member", "members of")), name
    assert len(rows) == sum(told == 0 for _, _, told in HOSTILE.values()) + 2
    assert rows["locked.zip!/m"]["error"] == "the member of the container is encrypted"
    assert not any(outcome.committed for outcome in update(archive, lake).values()), "and it is not tried again"


def test_a_damaged_container_loses_no_member_and_one_that_vanished_is_refused(archive, lake):
    for kind, maker in MAKERS.items():
        (archive / "p" / kind).write_bytes(maker(SLICES))
    update(archive, lake)
    before = {row["path"] for row in contents(lake)["object_catalog"]}
    for kind in MAKERS:
        path = archive / "p" / kind
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    update(archive, lake)
    rows = {row["path"]: row for row in contents(lake)["object_catalog"]}
    assert rows.keys() == before
    assert {row["status"] for path, row in rows.items() if path.endswith(tuple(MAKERS))} == {"damaged"}
    for kind in MAKERS:
        (archive / "p" / kind).unlink()
    (archive / "p" / "left.dcm").write_bytes(tiny_dicom(9))
    with pytest.raises(MassDeletionError, match="of 35 files"):
        update(archive, lake)
    update(archive, lake, allow_mass_deletion=True)
    assert len(contents(lake)["object_catalog"]) == 1


def test_removed_members_are_kept_in_append_mode(archive, lake):
    (archive / "p" / "x.zip").write_bytes(zip_of(SLICES))
    update(archive, lake, mode=UpdateMode.APPEND)
    content = (archive / "p" / "x.zip").read_bytes()
    (archive / "p" / "x.zip").unlink()
    (archive / "p" / "y.dcm").write_bytes(tiny_dicom(9))
    update(archive, lake, mode=UpdateMode.APPEND)
    (archive / "p" / "x.zip").write_bytes(content)
    update(archive, lake, mode=UpdateMode.APPEND)
    flags = [batch.column(0) for _, batch in lake.snapshot(FILE_INDEX).rows(["removed_at"])]
    assert sum(len(one) - one.null_count for one in flags) == 0
    assert sum(map(len, flags)) == 2 + len(SLICES)


def test_the_lag_of_a_catalog_is_told_without_opening_a_container(archive, lake, monkeypatch):
    (archive / "p" / "x.zip").write_bytes(zip_of(SLICES))
    (archive / "p" / "y.tar").write_bytes(tar_of(SLICES))
    update(archive, lake)
    opened = open_archive(str(archive), 1)
    monkeypatch.setattr(type(opened.inner), "open", lambda *_: pytest.fail("a container was opened"))
    assert find_lag(lake, opened).behind == ()
    (archive / "p" / "y.tar").write_bytes(tar_of({**SLICES, "new": b"1"}))
    (behind,) = find_lag(lake, opened).behind
    assert (behind.new, behind.changed, behind.gone) == (0, 1, 0)


def test_members_are_opened_by_whoever_asks_for_a_file(archive, lake, tmp_path):
    files = {name: (PYDICOM_FILES / name).read_bytes() for name in ("CT_small.dcm", "SC_rgb_jpeg_dcmtk.dcm")}
    for kind, maker in MAKERS.items():
        (archive / "p" / kind).write_bytes(maker(files))
    update(archive, lake)
    catalog = open_catalog(lake.root)
    for kind in MAKERS:
        path = f"p/{kind}!/CT_small.dcm"
        assert catalog.header(path).PatientID == "1CT1"
        assert catalog.frames(path).shape == (1, 128, 128)
    create_cohort(catalog, "all", "Modality IS NOT NULL")
    cohort = open_cohort(catalog, "all")
    assert cohort.verify(files=True).ok
    exported = cohort.export(tmp_path / "out")
    assert exported.files == len(MAKERS) * 2
    written = {path.read_bytes() for path in (tmp_path / "out").rglob("*.dcm")}
    assert written == set(files.values())
    for mode in (Mode.HARDLINK, Mode.SYMLINK):
        with pytest.raises(ExportError, match="10 files of the cohort are in ZIP or TAR files"):
            cohort.export(tmp_path / mode, mode)
    shutil.copytree(archive, tmp_path / "copy")
    moved = open_catalog(lake.root, archive=str(tmp_path / "copy"))
    assert moved.frames("p/x.zip!/CT_small.dcm").shape == (1, 128, 128)


def test_a_locked_member_says_so_to_who_asks_for_it(archive, lake):
    sink = io.BytesIO(zip_of({"CT_small.dcm": (PYDICOM_FILES / "CT_small.dcm").read_bytes()}))
    (archive / "p" / "x.zip").write_bytes(encrypted(sink.getvalue()))
    update(archive, lake)
    with pytest.raises(DataError, match="encrypted"):
        open_catalog(lake.root).frames("p/x.zip!/CT_small.dcm")


def test_a_member_that_turns_out_damaged_costs_an_export_itself_alone(archive, lake, tmp_path, monkeypatch):
    files = {name: (PYDICOM_FILES / name).read_bytes() for name in ("CT_small.dcm", "MR_small.dcm")}
    (archive / "p" / "x.zip").write_bytes(zip_of(files))
    update(archive, lake)
    catalog = open_catalog(lake.root)
    create_cohort(catalog, "all", "Modality IS NOT NULL")
    real = reading._Behind._read_header

    def decayed(self, more):
        if self._header:
            raise MemberError("the member is not where the directory of the container says")
        return real(self, more)

    monkeypatch.setattr(reading._Behind, "_read_header", decayed)
    exported = open_cohort(catalog, "all").export(tmp_path / "out")
    assert exported.files == 1
    (left_out,) = exported.left_out.to_pylist()
    assert left_out["path"].endswith("!/MR_small.dcm")
    assert left_out["fate"] == "unreadable"


def test_containers_in_a_bucket(bucket_uri, tmp_path):
    place = f"{bucket_uri}/{uuid.uuid4().hex}"
    store = from_url(place)
    for kind, maker in MAKERS.items():
        obstore.put(store, f"p/{kind}", maker(SLICES))
    obstore.put(store, "p/stored.zip", zip_of(SLICES, zipfile.ZIP_STORED))
    lake = Lake(str(tmp_path / "lake"))
    count = (len(MAKERS) + 1) * (1 + len(SLICES))
    assert made(update(place, lake)) == count
    assert not any(outcome.committed for outcome in update(place, lake).values())
    query = "SELECT PatientID, count(*) FROM object_catalog WHERE status IN ('ok', 'issues') GROUP BY ALL ORDER BY ALL"
    found = open_catalog(lake.root).sql(query).fetchall()
    assert found == [(f"P{number}", len(MAKERS) + 1) for number in range(6)]
    obstore.put(store, "p/x.zip", zip_of({**SLICES, "new": tiny_dicom(7)}))
    obstore.put(store, "p/x.tar", tar_of({**SLICES, "new": tiny_dicom(7)}))
    assert made(update(place, lake)) == 4
    assert open_catalog(lake.root).frames(f"{place}/p/x.tgz!/s/1.dcm").shape == (1, 8, 8)


@pytest.mark.parametrize(("value", "looked_into"), [(None, True), ("1", True), ("0", False)])
def test_a_deployment_and_the_command_line_switch_containers_alike(archive, tmp_path, monkeypatch, value, looked_into):
    (archive / "p" / "x.zip").write_bytes(zip_of(SLICES))
    monkeypatch.setenv("DICOM_ASSETS_SOURCE", str(archive))
    if value is None:
        monkeypatch.delenv("DICOM_ASSETS_CONTAINERS", raising=False)
    else:
        monkeypatch.setenv("DICOM_ASSETS_CONTAINERS", value)
    count = 1 + looked_into * len(SLICES)
    deployed = archive_from_environment().model_dump()["containers"]
    for given in (deployed, looked_into):
        places = checked_places(Places(str(archive), str(tmp_path / "lake"), "dicom", PrefixCut(), containers=given))
        assert places.archive_resource.open().list("p").num_rows == count
