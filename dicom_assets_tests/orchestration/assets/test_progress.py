"""What the log of a run says while work is under way."""

import pytest

from dicom_assets.orchestration.assets.progress import ProgressLine, counted, duration, listening, logged
from dicom_assets.spark.work import FILES, REWRITES, ROWS, InProcess
from dicom_assets_tests.support.scratch import IN_PROCESS, ON_SPARK


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def _lines(shares):
    """Return what is said of 1,000 files when their shares are done at some seconds."""
    lines, clock = [], Clock()
    line = ProgressLine("extraction", 1000, "files", lines.append, clock)
    for clock.now, share in shares:
        line.advance(share)
    return lines


def test_a_line_says_what_is_done_of_what_is_due_the_rate_and_the_time_left():
    assert _lines([(20, 0.25)]) == ["extraction: 250 of 1,000 files (25%), 12 per second, about 1 min left"]


def test_a_line_is_due_after_ten_seconds_and_a_tenth_and_not_before():
    assert _lines([(9, 0.5)]) == []
    assert _lines([(60, 0.09)]) == []
    assert len(_lines([(60, 0.09), (61, 0.1)])) == 1


def test_what_was_done_too_early_for_a_line_is_said_later_though_nothing_new_is_done():
    assert [line.split()[1] for line in _lines([(11, 0.125), (15, 0.875), (21.5, 0.875)])] == ["125", "875"]


def test_the_end_is_said_by_others():
    assert _lines([(100, 1.0)]) == []


def test_a_job_of_a_day_says_some_hundred_lines_however_often_it_is_asked():
    day = 86400
    lines = _lines([(second, second / day) for second in range(1, day, 2)])
    assert 100 < len(lines) < 200
    assert lines[-1].endswith("about 10 min left") or "min left" in lines[-1]


def test_a_job_of_two_minutes_says_ten_lines():
    assert len(_lines([(tenth / 10, tenth / 1200) for tenth in range(1, 1200)])) <= 10


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (59, "59 s"), (90, "2 min"), (3600, "1 h 00 min"), (7500, "2 h 05 min"), (180000, "2 d 2 h")],
)
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_counts_of_things():
    assert counted(1, FILES) == "1 file"
    assert counted(1, ROWS) == "1 row to join"
    assert counted(1, REWRITES) == "1 data file to rewrite"
    assert counted(2000, FILES) == "2,000 files"


def _thirds(piece):
    yield 1 / 3
    yield piece + b"!"
    yield 2 / 3


@pytest.mark.parametrize("engine", [IN_PROCESS, ON_SPARK], ids=["in process", "Spark"])
def test_results_are_results_and_shares_are_not(spark, engine):
    assert sorted(engine.runner(2, 0).run(_thirds, [b"a", b"b"])) == [b"a!", b"b!"]


def test_in_process_the_share_of_a_piece_is_told_while_it_is_worked_on():
    shares = []
    InProcess().run(_thirds, [b"a", b"b"], shares.append)
    assert shares == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])


def _slowly(piece):
    import time

    time.sleep(0.7)
    yield piece


def test_on_spark_tasks_are_told_as_they_are_done_and_a_job_group_of_the_user_stays(spark):
    shares = []
    spark.sparkContext.setJobGroup("mine", "of the user")
    try:
        results = ON_SPARK.runner(6, 0).run(_slowly, [bytes([n]) for n in range(6)], shares.append)
        assert spark.sparkContext.getLocalProperty("spark.jobGroup.id") == "mine"
        assert spark.sparkContext.getLocalProperty("spark.job.description") == "of the user"
    finally:
        for name in ("spark.jobGroup.id", "spark.job.description"):
            spark.sparkContext.setLocalProperty(name, None)
    assert len(results) == 6
    assert shares == sorted(shares)
    assert any(0 < share < 1 for share in shares)
    assert all(round(share * 6, 6) == int(round(share * 6, 6)) for share in shares), "whole tasks"


@pytest.mark.parametrize("engine", [IN_PROCESS, ON_SPARK], ids=["in process", "Spark"])
def test_the_beginning_says_how_much_it_is_and_what_does_it(spark, engine):
    lines = []
    logged(engine, "extraction", lines.append).runner(2, 3000).run(_thirds, [b"a", b"b"])
    name = "in process" if engine is IN_PROCESS else f"Spark {spark.sparkContext.applicationId}"
    assert lines == [f"extraction: 2 files, 3.0 kB; {name}"]


def test_small_rewrites_are_not_worth_a_line():
    lines = []
    logged(IN_PROCESS, "extraction", lines.append).runner(2, 3000, REWRITES).run(_thirds, [b"a"])
    assert lines == []


def test_who_listens_hears_of_files_only():
    heard = []
    with listening(heard.append):
        engine = logged(IN_PROCESS, "extraction", lambda _: None)
        engine.runner(1, 0).run(_thirds, [b"a"])
        engine.runner(1, 0, ROWS).run(_thirds, [b"a"])
    assert heard == pytest.approx([1 / 3, 2 / 3, 1])
    quiet = logged(IN_PROCESS, "extraction", lambda _: None)
    quiet.runner(1, 0).run(_thirds, [b"a"])
    assert len(heard) == 3
