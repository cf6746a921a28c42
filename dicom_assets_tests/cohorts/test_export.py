"""Files in folders: whole, verified, and gone on with after whatever came in between."""

import csv
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from filelock import FileLock

from dicom_assets import create_cohort, open_cohort, update_catalog
from dicom_assets.archive.base import ArchiveError
from dicom_assets.cohorts import copying
from dicom_assets.cohorts.copying import Mode
from dicom_assets.cohorts.errors import ExportError, FolderError
from dicom_assets.cohorts.export import Exported
from dicom_assets.extract.headers import HeaderExtractor
from dicom_assets.extract.metadata import MetadataExtractor
from dicom_assets.extract.thumbnails import ThumbnailExtractor
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.patients import WHEN, catalog_of
from dicom_assets_tests.support.whole import put, tiny_dicom


@pytest.fixture
def out(tmp_path):
    return tmp_path / "exported"


def files(folder: Path) -> list[str]:
    """Return the members in a folder."""
    found = (path for path in folder.rglob("*") if not path.is_dir() and ".dicom-assets" not in path.parts)
    return sorted(path.relative_to(folder).as_posix() for path in found if path.name != "manifest.csv")


def leftovers(folder: Path) -> list[Path]:
    return list((folder / ".dicom-assets").glob("parts/*"))


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files(folder)}


def test_files_are_copied_by_patient_study_and_series(still, tmp_path):
    create_cohort(still.catalog, "p1", "PatientID = 'P1'")
    seen = []
    done = open_cohort(still.catalog, "p1").export(tmp_path / "out", progress=lambda *step: seen.append(step))
    assert files(tmp_path / "out") == [f"P1/1.1/1.1.{s}/1.1.{s}.{n}.dcm" for s in range(2) for n in range(2)]
    for name in files(tmp_path / "out"):
        assert str(pydicom.dcmread(tmp_path / "out" / name).SOPInstanceUID) == Path(name).stem
    assert (tmp_path / "out/P1/1.1/1.1.0/1.1.0.1.dcm").read_bytes() == (still.archive / "p1" / "0-1.dcm").read_bytes()
    assert (done.files, done.present, done.left_out.num_rows) == (4, 0, 0)
    assert len(seen) == 4
    assert sum(size for _, size in seen) == done.bytes == sum(map(len, contents(tmp_path / "out").values()))
    assert leftovers(tmp_path / "out") == []


def test_the_manifest_lists_what_is_there(still, tmp_path):
    create_cohort(still.catalog, "halves", split={"train": 0.5, "test": 0.5}, seed=1)
    open_cohort(still.catalog, "halves").export(tmp_path)
    with (tmp_path / "manifest.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert sorted(row["file"] for row in rows) == files(tmp_path)
    assert all(row["file"].startswith(f"{row['split']}/{row['PatientID']}/") for row in rows)


def test_an_export_goes_on_where_it_stopped(still, tmp_path):
    create_cohort(still.catalog, "all")
    cohort = open_cohort(still.catalog, "all")
    cohort.export(tmp_path)
    whole = contents(tmp_path)
    names = files(tmp_path)
    (tmp_path / names[0]).unlink()
    (tmp_path / names[1]).write_bytes(b"cut")
    kept = (tmp_path / names[2]).stat().st_mtime_ns
    again = cohort.export(tmp_path)
    assert (again.files, again.present) == (2, 38)
    assert contents(tmp_path) == whole
    assert (tmp_path / names[2]).stat().st_mtime_ns == kept


KILLED = """
import os, sys, time
from dicom_assets import open_cohort
def slowly(files, size):
    print("one", flush=True)
    time.sleep(0.05)
open_cohort(sys.argv[1], "killed").export(sys.argv[2], progress=slowly)
"""


def test_a_killed_export_leaves_no_half_file_and_goes_on(still, tmp_path):
    create_cohort(still.catalog, "killed")
    command = [sys.executable, "-c", KILLED, str(still.root), str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    (tmp_path / "out" / ".dicom-assets" / "parts" / "half").write_bytes(b"half a file")
    for name in files(tmp_path / "out"):
        pydicom.dcmread(tmp_path / "out" / name).pixel_array  # noqa: B018 - it can be read whole
    done = open_cohort(still.catalog, "killed").export(tmp_path / "out")
    assert done.files + done.present == 40
    assert len(files(tmp_path / "out")) == 40
    assert leftovers(tmp_path / "out") == []


@pytest.mark.parametrize("mode", [Mode.HARDLINK, Mode.SYMLINK])
def test_links_take_no_space_and_are_made_once(place, tmp_path, mode):
    create_cohort(place.catalog, "p1", "PatientID = 'P1'")
    cohort = open_cohort(place.catalog, "p1")
    done = cohort.export(tmp_path / "out", mode)
    assert done.files == 4
    linked, original = tmp_path / "out/P1/1.1/1.1.0/1.1.0.1.dcm", place.archive / "p1" / "0-1.dcm"
    assert linked.samefile(original)
    assert linked.is_symlink() == (mode is Mode.SYMLINK)
    assert leftovers(tmp_path / "out") == []
    again = cohort.export(tmp_path / "out", mode)
    assert (again.files, again.present) == (0, 4)
    place.update()
    assert cohort.verify().ok, "a link is no change of the file"


def test_files_that_are_not_what_they_were_are_left_out(place, out):
    create_cohort(place.catalog, "p1", "PatientID IN ('P1', 'P2')")
    put(place.archive / "p1" / "0-0.dcm", 1, WHEN + 1, PatientID="P1")
    (place.archive / "p1" / "0-1.dcm").unlink()
    place.update()
    # The catalog knows of these two, and not of the next two.
    put(place.archive / "p1" / "1-0.dcm", 1, WHEN + 1, PatientID="P1")
    (place.archive / "p1" / "1-1.dcm").unlink()
    done = open_cohort(place.catalog, "p1").export(out)
    assert len(files(out)) == done.files == 4
    left = {path.rpartition("/")[2] for path in done.left_out["path"].to_pylist()}
    assert left == {"0-0.dcm", "0-1.dcm", "1-0.dcm", "1-1.dcm"}
    assert sorted(done.left_out["fate"].to_pylist()) == ["changed", "changed", "gone", "gone"]
    with (out / "manifest.csv").open() as lines:
        assert sorted(row["file"] for row in csv.DictReader(lines)) == files(out)


def test_a_file_that_changes_while_it_is_copied_is_left_out(place, out, monkeypatch):
    create_cohort(place.catalog, "p1", "SOPInstanceUID = '1.1.0.0'")
    original, plain = place.archive / "p1" / "0-0.dcm", copying.chunks

    def meanwhile(source, size):
        yield from plain(source, size)
        os.utime(original, (WHEN + 9, WHEN + 9))

    monkeypatch.setattr(copying, "chunks", meanwhile)
    done = open_cohort(place.catalog, "p1").export(out)
    assert done.left_out["fate"].to_pylist() == ["changed"]
    assert files(out) == leftovers(out) == []


def test_content_is_held_against_its_hash_where_there_is_one(place, out):
    hashing = (MetadataExtractor(sha256=True), HeaderExtractor(), ThumbnailExtractor())
    update_catalog(str(place.archive), str(place.root), extractors=hashing, engine=InProcess())
    create_cohort(place.catalog, "p1", "SOPInstanceUID IN ('1.1.0.0', '1.1.0.1')")
    original = place.archive / "p1" / "0-0.dcm"
    data = original.read_bytes()
    original.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))  # a bit of the disk
    os.utime(original, (WHEN, WHEN))
    done = open_cohort(place.catalog, "p1").export(out)
    assert done.left_out["path"].to_pylist() == [str(original)]
    assert len(files(out)) == 1


@pytest.mark.parametrize("full", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_ends_the_export_and_leaves_no_half_file(still, tmp_path, monkeypatch, full):
    create_cohort(still.catalog, "all")
    written = []

    def fsync(_):
        written.append(1)
        if len(written) > 5:
            raise OSError(full, os.strerror(full))

    monkeypatch.setattr(copying.os, "fsync", fsync)
    with pytest.raises(FolderError, match="the disk is full: free space, and export again"):
        open_cohort(still.catalog, "all").export(tmp_path)
    assert len(files(tmp_path)) == 5
    assert leftovers(tmp_path) == []
    monkeypatch.undo()
    assert open_cohort(still.catalog, "all").export(tmp_path).present == 5


def test_a_folder_that_cannot_be_written_is_told(still, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    create_cohort(still.catalog, "all")
    tmp_path.chmod(0o500)
    with pytest.raises(FolderError, match="cannot be written: Permission denied"):
        open_cohort(still.catalog, "all").export(tmp_path / "out")
    tmp_path.chmod(0o700)


def test_a_folder_of_something_else_is_not_touched(still, tmp_path):
    create_cohort(still.catalog, "all")
    create_cohort(still.catalog, "p1", "PatientID = 'P1'")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ExportError, match="is not empty"):
        open_cohort(still.catalog, "all").export(tmp_path / "mine")
    with pytest.raises(ExportError, match="is a file"):
        open_cohort(still.catalog, "all").export(tmp_path / "mine" / "thesis.txt")
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["thesis.txt"]
    open_cohort(still.catalog, "p1").export(tmp_path / "p1")
    with pytest.raises(ExportError, match="holds an export of p1@0 by copy"):
        open_cohort(still.catalog, "all").export(tmp_path / "p1")
    with pytest.raises(ExportError, match="holds an export of p1@0 by copy"):
        open_cohort(still.catalog, "p1").export(tmp_path / "p1", Mode.SYMLINK)
    (tmp_path / "p1" / ".dicom-assets" / "cohort.json").write_text("{")
    with pytest.raises(ExportError, match="another cohort"):
        open_cohort(still.catalog, "p1").export(tmp_path / "p1")


def test_two_exports_to_one_folder_do_not_mix(still, tmp_path):
    create_cohort(still.catalog, "all")
    (tmp_path / ".dicom-assets").mkdir()
    with FileLock(tmp_path / ".dicom-assets" / "lock"), pytest.raises(ExportError, match="another export is writing"):
        open_cohort(still.catalog, "all").export(tmp_path)


def test_hostile_identifiers_stay_in_the_folder(tmp_path):
    values = ["../../evil", "/etc", "..", "a\\..\\b", "-rf *", "x" * 64, "\u202eevil", ".hidden"]
    for number, value in enumerate(values):
        uid = f"../{number}"
        put(tmp_path / "archive" / f"{number}.dcm", number, PatientID=value, SOPInstanceUID=uid)
    catalog = catalog_of(tmp_path / "archive", tmp_path / "lake")
    create_cohort(catalog, "evil")
    before = {path for path in tmp_path.rglob("*") if "lake" not in path.parts}
    done = open_cohort(catalog, "evil").export(tmp_path / "out" / "deep")
    assert done.files == len(values)
    added = {path for path in tmp_path.rglob("*") if "lake" not in path.parts} - before
    assert all(path == tmp_path / "out" or (tmp_path / "out" / "deep") in (path, *path.parents) for path in added)
    assert len(files(tmp_path / "out" / "deep")) == len(values)


def test_copies_of_an_object_are_all_there(place, out):
    data = (place.archive / "p1" / "0-0.dcm").read_bytes()
    (place.archive / "p1" / "copy.dcm").write_bytes(data)
    (place.archive / "p9" / "other.dcm").write_bytes(
        tiny_dicom(5, PatientID="P1", StudyInstanceUID="1.1", SeriesInstanceUID="1.1.0", SOPInstanceUID="1.1.0.0")
    )
    create_cohort(place.update(), "p1", "SOPInstanceUID = '1.1.0.0'")
    open_cohort(place.catalog, "p1").export(out)
    assert files(out) == ["P1/1.1/1.1.0/1.1.0.0.dcm", "P1/1.1/1.1.0/1.1.0.0~2.dcm", "P1/1.1/1.1.0/1.1.0.0~3.dcm"]
    assert (out / "P1/1.1/1.1.0/1.1.0.0.dcm").read_bytes() == data


def test_an_archive_that_is_gone_is_told_and_nothing_is_lost(place, tmp_path):
    create_cohort(place.catalog, "p1", "PatientID = 'P1'")
    place.archive.rename(place.archive.with_name("away"))
    with pytest.raises(ArchiveError, match="cannot list"):
        open_cohort(place.catalog, "p1").export(tmp_path / "out")
    place.archive.mkdir()
    with pytest.raises(ArchiveError, match="none of 4 files"):
        open_cohort(place.catalog, "p1").export(tmp_path / "out")
    place.archive.rmdir()
    place.archive.with_name("away").rename(place.archive)
    done: Exported = open_cohort(place.catalog, "p1").export(tmp_path / "out")
    assert done.files == 4


def test_links_out_of_the_archive_are_followed_only_when_asked(tmp_path):
    from dicom_assets.archive.opening import open_archive
    from dicom_assets.delta.lake import Lake
    from dicom_assets.query.database import Catalog

    put(tmp_path / "elsewhere" / "a.dcm", 1)
    put(tmp_path / "archive" / "b.dcm", 2)
    (tmp_path / "archive" / "a.dcm").symlink_to(tmp_path / "elsewhere" / "a.dcm")
    lake = Lake(str(tmp_path / "lake"))
    outside = open_archive(str(tmp_path / "archive"), 1, lake=lake.root, follow_outside_links=True)
    update_catalog(outside, lake, engine=InProcess())
    create_cohort(Catalog(lake), "all")
    cohort = open_cohort(Catalog(lake), "all")
    closed = cohort.export(tmp_path / "closed")
    assert (closed.files, closed.left_out["fate"].to_pylist()) == (1, ["unreadable"])
    assert cohort.export(tmp_path / "open", archive=cohort.archive(follow_outside_links=True)).files == 2
