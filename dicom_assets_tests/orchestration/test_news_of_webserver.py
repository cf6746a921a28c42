"""News told to a webserver, by the command and by the request of the page, lead to runs of these prefixes alone."""

import shlex
import shutil
import subprocess
import time

import pytest

from dicom_assets.orchestration.cursor import Cursor
from dicom_assets_tests.support.deployment import Deployment
from dicom_assets_tests.support.snippets import PROJECT, blocks_of
from dicom_assets_tests.support.whole import put

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

INTERVAL = 5
DEFINITIONS = f"""
from dicom_assets import build_definitions
from dicom_assets.orchestration.sensors import SensorOptions

defs = build_definitions(sensor=SensorOptions(sweep_minutes=1440, interval_seconds={INTERVAL}))
"""
WORKSPACE = "load_from:\n  - python_file: definitions.py\n"
SETTINGS = "telemetry:\n  enabled: false\n"
FILES = {"2024/0.dcm", "ct/1.dcm", "mr/2.dcm", "quiet/3.dcm"}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """A deployment whose sensor has swept over all, and will not for a day."""
    folder = tmp_path_factory.mktemp("deployment")
    (folder / "definitions.py").write_text(DEFINITIONS)
    for number, path in enumerate(sorted(FILES)):
        put(folder / "archive" / path, number)
    with Deployment(folder, SETTINGS, WORKSPACE, {}) as made:
        made.wait_for(FILES, made.cataloged)
        yield made


def prefixes_of_new_runs(deployment, before):
    """Return the prefixes of the runs that were requested since, as their tags name them."""
    return [run.tags["dicom_assets/prefixes"] for run in deployment.instance.get_runs() if run.run_id not in before]


@pytest.fixture
def before(deployment):
    """Four prefixes with new files, in a deployment that has not noticed any; returns the runs that it had."""
    deployment.wait_for((), lambda: looked_at(deployment))
    for number, prefix in enumerate(("2024", "ct", "mr", "quiet"), start=10):
        put(deployment.source / prefix / f"{time.time_ns()}.dcm", number)
    known = {run.run_id for run in deployment.instance.get_runs()}
    time.sleep(3 * INTERVAL)
    assert prefixes_of_new_runs(deployment, known) == [], "no sweep is due"
    return known


def looked_at(deployment):
    """Return the prefixes that the sensor looks at in each tick: those that it found changed, until a run has ended."""
    (state,) = [one for one in deployment.instance.all_instigator_state() if one.name == "archive_sensor"]
    cursor = Cursor.read(state.instigator_data.cursor)
    return cursor.told if cursor.began else "no sweep has ended"


def names(deployment, prefix):
    return {path for path in deployment.cataloged() if path.startswith(f"{prefix}/")}


def on_disk(deployment, prefix):
    return {f"{prefix}/{path.name}" for path in (deployment.source / prefix).iterdir()}


def followed(deployment, prefix, before):
    """Wait until a prefix is up to date; then no other prefix has had a run, nor gets one soon after."""
    deployment.wait_for(on_disk(deployment, prefix), lambda: names(deployment, prefix))
    time.sleep(3 * INTERVAL)
    assert prefixes_of_new_runs(deployment, before) == [prefix]
    assert names(deployment, "quiet") == {"quiet/3.dcm"}


def test_the_command_leads_to_a_run_of_the_prefix_that_changed_and_of_no_other(deployment, before):
    changed = next(iter(on_disk(deployment, "ct") - names(deployment, "ct")))
    where = ("--lake", deployment.lake.root, "--dagster-url", deployment.ui.url)
    assert deployment.command("notify", changed, *where).startswith("1 prefix told.")
    followed(deployment, "ct", before)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_so_does_the_request_that_the_page_shows(deployment, before):
    (shown,) = [block.code for block in blocks_of(PROJECT / "docs" / "prefixes.md") if block.code.startswith("curl ")]
    assert "http://dagster:3000" in shown
    request = shlex.split(shown.replace("http://dagster:3000", deployment.ui.url).replace("\\\n", " "))
    done = subprocess.run(
        [request[0], "--silent", "--show-error", "--fail", *request[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    followed(deployment, "2024", before)


def test_a_change_that_is_none_starts_nothing(deployment):
    known = {run.run_id for run in deployment.instance.get_runs()}
    deployment.command("notify", "nowhere/", "--lake", deployment.lake.root, "--dagster-url", deployment.ui.url)
    time.sleep(3 * INTERVAL)
    assert prefixes_of_new_runs(deployment, known) == []
