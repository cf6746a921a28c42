"""The Dagster UI, started with ``workspace.yaml``: what a click on *Materialize* sends, against the real servers."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pydicom
import pytest
from deltalake import DeltaTable

from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.ui import Ui
from dicom_assets_tests.support.whole import TABLES_OF_FILES

PROJECT = Path(__file__).parents[1]
NAMES = ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm")


@pytest.fixture
def places(tmp_path):
    source = tmp_path / "archive"
    for prefix in ("a", "b"):
        (source / prefix).mkdir(parents=True)
        for name in NAMES:
            shutil.copy(PYDICOM_FILES / name, source / prefix)
    (tmp_path / "home").mkdir()
    return source, tmp_path / "lake", tmp_path / "home"


@pytest.fixture
def ui(places):
    source, lake, home = places
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "DICOM_ASSETS_SOURCE": str(source),
        "DICOM_ASSETS_LAKE": str(lake),
    }
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-p", str(port)]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)
        try:
            page = Ui(port)
            page.wait_until_it_answers(server)
            yield page
        finally:
            server.terminate()
            server.wait(60)


def test_one_partition_of_all_assets(ui, places):
    # The sensor of the same deployment may have been here first.
    assert ui.add_partition("dicom_assets", "prefix", "a") in {
        "AddDynamicPartitionSuccess",
        "DuplicateDynamicPartitionError",
    }
    assert ui.materialize("dicom_assets", [[table.name] for table in DEFAULT_MODEL.tables], "a") == "SUCCESS"
    headers = [pydicom.dcmread(PYDICOM_FILES / name, stop_before_pixels=True) for name in NAMES]
    for table in DEFAULT_MODEL.tables:
        rows = pa.table(
            DeltaTable(str(places[1] / "dicom" / table.name)).scan(columns=[table.key], predicate="prefix = 'a'")
        )
        found = rows[table.key].to_pylist()
        if table.name in TABLES_OF_FILES:
            assert sorted(Path(path).name for path in found) == sorted(NAMES), table.name
        else:
            assert sorted(found) == sorted({header[table.key].value for header in headers}), table.name


@pytest.mark.slow
def test_a_run_that_is_terminated_ends_at_once_and_the_next_goes_on(ui, places):
    source, lake, home = places
    (source / "c").mkdir()
    for number in range(900):  # some seconds in one process
        shutil.copy(PYDICOM_FILES / "CT_small.dcm", source / "c" / f"{number}.dcm")
    ui.add_partition("dicom_assets", "prefix", "c")
    tables = [[table.name] for table in DEFAULT_MODEL.tables]
    run = ui.launch("dicom_assets", tables, "c")
    end = time.monotonic() + 120
    while ("extraction", "STEP_START") not in (events := events_of(home, run)):
        assert time.monotonic() < end, events
        time.sleep(0.05)
    assert ui.terminate(run) == "TerminateRunSuccess"
    told = time.monotonic()
    assert ui.ended(run) == "CANCELED"
    assert time.monotonic() - told < 30
    assert "STEP_UP_FOR_RETRY" not in {kind for _, kind in events_of(home, run)}
    assert ui.materialize("dicom_assets", tables, "c") == "SUCCESS"
    rows = DeltaTable(str(lake / "dicom" / "object_catalog")).scan(columns=["path"], predicate="prefix = 'c'")
    assert pa.table(rows).num_rows == 900


def events_of(home, run):
    """Return step and kind of each event of a run."""
    query = "SELECT step_key, dagster_event_type FROM event_logs"
    return [row for path in home.rglob(f"{run}.db") for row in sqlite3.connect(path).execute(query)]
