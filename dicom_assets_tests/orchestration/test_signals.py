"""That a process was told to end is known whoever handles the signal."""

import os
import signal
import threading

import pytest
from dagster._utils.interrupts import capture_interrupts

from dicom_assets.orchestration.signals import heard_signals


@pytest.fixture
def ignored():
    """Signals that do nothing here, by a handler."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_dagster_forgets_is_heard_once(ignored, sign):
    with heard_signals() as heard:
        assert not heard()
        with capture_interrupts():
            os.kill(os.getpid(), sign)
        assert heard()
        assert not heard()


def test_others_are_none(ignored):
    with heard_signals() as heard:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert not heard()


def test_who_listened_before_listens_afterwards():
    with heard_signals():
        inner = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(inner)
        with heard_signals():
            pass
        assert signal.set_wakeup_fd(inner) == inner


def test_other_threads_hear_nothing_and_raise_nothing():
    told = []

    def listen():
        with heard_signals() as heard:
            told.append(heard())

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert told == [False]
