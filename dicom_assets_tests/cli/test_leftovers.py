"""What a run leaves: nothing over the progress bar, nothing in the folder of temporary files."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicom_assets.storage.scratch import remove_abandoned, scratch_folder
from dicom_assets_tests.support.corpus import PYDICOM_FILES

PROJECT = Path(__file__).parents[2]
ON_SPARK = """
from dicom_assets.cli import main
from dicom_assets.spark.engine import SmallWork
SmallWork.holds = lambda *_: False
main()
"""
"""Two files would be cataloged without Spark, whose leftovers are looked for here."""
CATALOG = [sys.executable, "-c", ON_SPARK, "catalog"]


@pytest.fixture
def environment(tmp_path):
    """An environment with a TMPDIR of its own, whose name has a blank."""
    (tmp_path / "temporary files").mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in {"DAGSTER_HOME", "JAVA_HOME"}}
    return kept | {"TMPDIR": str(tmp_path / "temporary files"), "PYTHONPATH": str(PROJECT)}


@pytest.fixture
def source(tmp_path):
    """Files that NumPy warns of."""
    folder = tmp_path / "source" / "a"
    folder.mkdir(parents=True)
    for name, slope in (("plain", "1"), ("overflow", "1e308")):
        dataset = pydicom.dcmread(PYDICOM_FILES / "CT_small.dcm")
        dataset.RescaleSlope = slope
        pixels = dataset.pixel_array.astype(np.float32)
        pixels[0] = 3e38
        del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
        dataset.BitsAllocated, dataset.FloatPixelData = 32, pixels.tobytes()
        dataset.save_as(folder / f"{name}.dcm")
    return folder.parent


def _below(folder, name):
    return sorted(path for path in Path(folder).rglob("*") if path.name.startswith(name))


@pytest.mark.slow
def test_a_run_is_quiet_and_its_temporary_files_are_below_tmpdir_while_it_lasts(source, tmp_path, environment):
    command = [*CATALOG, str(source), "--lake", str(tmp_path / "lake")]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen = set()
    while process.poll() is None:
        seen |= {path.name.partition("-")[0] for path in _below(environment["TMPDIR"], "")}
        time.sleep(0.2)
    output, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert "2 files cataloged" in output
    assert {"dicom", "java", "spark", "blockmgr"} <= seen
    assert list(Path(environment["TMPDIR"]).iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_the_next(source, tmp_path, environment):
    command = [*CATALOG, str(source), "--lake", str(tmp_path / "lake")]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not _below(environment["TMPDIR"], "blockmgr") and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    (left,) = Path(environment["TMPDIR"]).glob("dicom-assets-*")
    assert _below(left, "blockmgr"), "Spark was under way"
    query = [*CATALOG[:-1], "sql", "SELECT 1", "--lake", str(tmp_path / "lake")]
    subprocess.run(query, env=environment, check=True, capture_output=True, timeout=120)
    assert not left.exists()


HOLDS = "from dicom_assets.storage.scratch import scratch_folder; print(scratch_folder(), flush=True); input()"


def _holder(environment, code=HOLDS):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, **pipes)
    return process, Path(process.stdout.readline().strip())


def test_the_folder_of_a_living_process_is_never_removed(environment):
    living, kept = _holder(environment)
    dead, left = _holder(environment)
    dead.kill()
    dead.wait()
    try:
        (left / "patient").write_text("x")
        os.utime(kept, (0, 0))  # its age does not count
        assert remove_abandoned(Path(environment["TMPDIR"])) == [left]
        assert kept.exists()
    finally:
        living.communicate("\n")
    assert not kept.exists(), "its owner removes it"


def test_a_child_that_was_forked_has_a_folder_of_its_own_and_leaves_that_of_its_parent(environment):
    code = "import os, sys; from dicom_assets.storage.scratch import scratch_folder; mine = scratch_folder()\n"
    code += "if os.fork() == 0: scratch_folder(); sys.exit()\n"
    code += "os.wait(); print(mine, flush=True); input()"
    parent, folder = _holder(environment, code)
    try:
        assert remove_abandoned(Path(environment["TMPDIR"])) == []
        assert list(Path(environment["TMPDIR"]).iterdir()) == [folder]
    finally:
        parent.communicate("\n")


def test_folders_that_are_not_ours_are_left_alone(tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "owner.lock").touch()
    (tmp_path / "dicom-assets-12-abcdefgh").symlink_to(other)
    for name in ("dicom-assets-demo", "dicom-assets-model-abcdefgh", "dicom-assets-13-abcdefgh"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").touch()
        os.utime(tmp_path / name, (0, 0))
    assert remove_abandoned(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 5
    assert (other / "owner.lock").exists()


def test_only_its_user_can_look_into_it():
    assert scratch_folder().stat().st_mode & 0o077 == 0
    assert scratch_folder().parent == Path(tempfile.gettempdir())
