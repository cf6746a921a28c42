"""A Spark Connect server of one's own: same tables as this process makes, and a clean end where it is lost."""

import os
import signal

import pytest

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.spark.server import TOKEN, running_server, start_server, stop_server
from dicom_assets_tests.support.on_engine import interrupt, result, spawn, wait_for_marks
from dicom_assets_tests.support.whole import contents

pytest.importorskip("grpc_status", reason="Spark Connect needs the extra `connect`")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module", autouse=True)
def state(tmp_path_factory):
    """The state of engines of these tests, and none of them afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
        stop_server()


@pytest.fixture
def engine():
    return start_server({"spark.master": "local[2,4]", "spark.driver.memory": "1g"})


def _run(source, lake, engine, marks=None, token=None):
    return spawn(source, lake.root, {"spark.remote": engine.url}, marks, **{TOKEN: token or engine.token})


def test_an_engine_makes_the_same_tables_row_by_row_and_serves_the_next_command_too(engine, source, expected, lake):
    assert result(_run(source, lake, engine)) == (0, "")
    assert contents(lake) == expected
    again = Lake(f"{lake.root}-again")
    assert result(_run(source, again, engine)) == (0, "")
    assert contents(again) == expected
    assert running_server() == engine


def test_without_the_token_an_engine_does_nothing(engine, source, lake):
    code, said = result(_run(source, lake, engine, token="made up"))
    assert code == 2, said
    assert "does not take the token" in said
    assert "made up" not in said
    assert not contents(lake)[DICOM_HEADERS.name]


def test_ctrl_c_ends_the_job_on_the_server_which_serves_the_next_run(engine, source, expected, lake, tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    process = _run(source, lake, engine, marks)
    wait_for_marks(marks, 3, process)
    assert interrupt(process, marks) < len(list(source.rglob("*.dcm")))
    assert running_server() == engine
    assert result(_run(source, lake, engine)) == (0, "")
    assert contents(lake) == expected


def test_a_server_that_is_lost_in_the_middle_ends_the_run_in_one_line_and_the_next_ends_well(
    engine, source, expected, lake, tmp_path
):
    (tmp_path / "marks").mkdir()
    process = _run(source, lake, engine, tmp_path / "marks")
    wait_for_marks(tmp_path / "marks", 5, process)
    os.kill(engine.pid, signal.SIGKILL)
    code, said = result(process)
    assert code == 2, said
    assert said.startswith("SparkServerError: the Spark Connect server was lost")
    assert said.count("\n") == 0
    assert not contents(lake)[DICOM_HEADERS.name], "nothing was committed"
    assert running_server() is None
    code, said = result(_run(source, lake, engine))
    assert code == 2, said
    assert "there is no Spark Connect server at localhost" in said
    after = start_server({"spark.master": "local[2,4]", "spark.driver.memory": "1g"})
    assert result(_run(source, lake, after)) == (0, "")
    assert contents(lake) == expected


def test_an_engine_is_stopped_and_leaves_no_process(engine):
    assert stop_server()
    assert running_server() is None
    with pytest.raises(ProcessLookupError):
        os.kill(engine.pid, 0)
