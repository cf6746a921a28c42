"""Spark that is started while other things are done."""

import threading
import time

import pytest

from dicom_assets.spark import ahead, session
from dicom_assets.spark.ahead import start_ahead


class _Session:
    """What stands for a session on this machine."""

    conf: dict = {"spark.master": "local[1]"}  # noqa: RUF012


@pytest.fixture
def sessions(monkeypatch):
    """Sessions that take their time to start; one at most, as of Spark."""
    made: list = []
    inside = threading.Semaphore(1)

    def start(_config):
        assert inside.acquire(blocking=False), "two threads start Spark at once"
        time.sleep(0.2)
        if not made:
            made.append(_Session())
        inside.release()
        return made[0]

    monkeypatch.setattr(session, "_start", start)
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    return made


@pytest.fixture
def asked(monkeypatch):
    """Sessions whose workers did nothing, once."""
    done: list = []

    class Runner:
        def __init__(self, session):
            self.session = session

        def check(self):
            done.append(self.session)

    monkeypatch.setattr(ahead, "SparkRunner", Runner)
    return done


def test_who_needs_it_waits_for_the_one_that_starts(sessions, asked):
    thread = start_ahead({})
    time.sleep(0.05)
    assert session.start_session({}) is sessions[0]
    thread.join(10)
    assert asked == sessions
    assert len(sessions) == 1


def test_it_keeps_no_process_from_ending(sessions, asked):
    thread = start_ahead({})
    assert thread.daemon
    thread.join(10)


def test_what_fails_ahead_is_heard_of_by_who_needs_it(monkeypatch, asked):
    def fails(_config):
        raise RuntimeError("no Java here")

    monkeypatch.setattr(session, "_start", fails)
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    start_ahead({}).join(10)
    with pytest.raises(RuntimeError, match="no Java here"):
        session.start_session({})
    assert not asked
