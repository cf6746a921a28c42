"""Lost races are run again, with pauses that grow, and not for ever."""

import time

import pytest

from dicom_assets.storage.retries import retry_lost_race


class LostError(Exception):
    pass


@pytest.fixture
def pauses(monkeypatch):
    taken = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


def losing(times, error=LostError):
    left = iter([error("lost")] * times)

    def write():
        for lost in left:
            raise lost
        return "written"

    return write


def test_a_race_that_was_lost_is_run_again(pauses):
    assert retry_lost_race(losing(14), LostError, 15) == "written"
    assert len(pauses) == 14
    assert all(pause <= min(2, 0.05 * 2**number) for number, pause in enumerate(pauses))
    assert len(set(pauses)) == 14, "who met once must not meet again"


def test_the_last_error_is_raised_when_all_attempts_are_used_up(pauses):
    with pytest.raises(LostError):
        retry_lost_race(losing(15), LostError, 15)
    assert len(pauses) == 14


def test_another_error_is_raised_at_once(pauses):
    with pytest.raises(KeyError):
        retry_lost_race(losing(1, KeyError), LostError, 15)
    assert pauses == []
