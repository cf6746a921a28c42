"""A function in a child asks its parent for data while it runs."""

import os
import signal
import time

import numpy as np
import pytest

from dicom_assets.isolation import (
    Answer,
    ChildDiedError,
    ChildKilledError,
    ChildLimits,
    DeadlineError,
    FunctionError,
    IsolatedFunction,
    MemoryLimitError,
)
from dicom_assets.isolation.child import NothingServedError, ask
from dicom_assets_tests.isolation.test_process import hang, segfault

LIMITS = ChildLimits(seconds=20, memory_bytes=1 << 30)
CONTENT = bytes(range(256)) * 40


def gather(ranges: list[tuple[int, int]]) -> Answer:
    parts = [ask({"offset": offset, "length": length}) for offset, length in ranges]
    return Answer({"lengths": [len(part) for part in parts]}, b"".join(parts))


def ask_and_crash() -> Answer:
    ask({"offset": 0, "length": 1})
    return segfault()


def ask_and_hang() -> Answer:
    ask({"offset": 0, "length": 1})
    return hang()


def ask_and_be_killed() -> Answer:
    ask({"offset": 0, "length": 1})
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def ask_and_allocate() -> Answer:
    ask({"offset": 0, "length": 1})
    return Answer({"sum": int(np.ones(64 << 30, np.uint8)[0])})


def ask_for_ever() -> Answer:
    while True:
        ask({"offset": 0, "length": 1})


def swallow() -> Answer:
    """Go on whatever happens to a question, as a library might that takes every error for one of the data."""
    for _ in range(1000):
        try:
            ask({"offset": 0, "length": 1})
        except Exception:  # noqa: BLE001
            continue
    return Answer({"swallowed": True})


def ask_without_parent() -> Answer:
    try:
        ask({})
    except NothingServedError:
        return Answer({"served": False})
    return Answer({"served": True})


def ask_for_a_set() -> Answer:
    return Answer({}, ask({"what": {1}}))


def call(function_name: str, *arguments: object) -> Answer:
    return globals()[function_name](*arguments)


def serve(request: dict) -> bytes:
    return CONTENT[request["offset"] : request["offset"] + request["length"]]


@pytest.fixture(scope="module")
def isolated():
    function = IsolatedFunction(call, LIMITS)
    yield function
    function.close()


def is_alive(isolated) -> bool:
    return isolated("gather", [(1, 3)], serve=serve).data == CONTENT[1:4]


def test_a_function_gets_what_it_asks_for(isolated):
    ranges = [(0, 10), (256, 0), (5, 10_000), (10_235, 100)]
    answer = isolated("gather", ranges, serve=serve)
    assert answer.fields == {"lengths": [10, 0, 10_000, 5]}
    assert answer.data == b"".join(CONTENT[offset : offset + length] for offset, length in ranges)


def test_large_answers_arrive_whole(isolated):
    large = os.urandom(1 << 24)
    assert isolated("gather", [(0, 1)], serve=lambda _: large).data == large


def test_questions_arrive_as_they_were_asked(isolated):
    asked = []
    isolated("gather", [(7, 8), (9, 10)], serve=lambda request: asked.append(request) or b"")
    assert asked == [{"offset": 7, "length": 8}, {"offset": 9, "length": 10}]


def test_asking_keeps_the_child(isolated):
    isolated("gather", [(0, 1)], serve=serve)
    child = isolated.pid
    isolated("gather", [(0, 1)], serve=serve)
    assert isolated.pid == child


def test_without_someone_to_serve_asking_fails_in_the_child(isolated):
    assert isolated("ask_without_parent").fields == {"served": False}
    isolated("gather", [(0, 1)], serve=serve)
    assert isolated("ask_without_parent").fields == {"served": False}
    with pytest.raises(NothingServedError):
        ask({})


def test_what_serving_raises_ends_the_call_and_is_raised_unchanged(isolated):
    error = OSError(5, "the disk is gone")

    def fail(_request: dict) -> bytes:
        raise error

    for function in ("gather", "swallow"):
        arguments = [[(0, 1)]] if function == "gather" else []
        with pytest.raises(OSError, match="the disk is gone") as caught:
            isolated(function, *arguments, serve=fail)
        assert caught.value is error
        assert is_alive(isolated)


def test_errors_of_serving_are_not_taken_for_those_of_the_child(isolated):
    def fail(_request: dict) -> bytes:
        raise TimeoutError("the store does not answer")

    with pytest.raises(TimeoutError, match="the store does not answer"):
        isolated("gather", [(0, 1)], serve=fail)
    assert is_alive(isolated)


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        ("ask_and_crash", ChildDiedError),
        ("ask_and_be_killed", ChildKilledError),
        ("ask_and_allocate", MemoryLimitError),
        ("ask_for_a_set", FunctionError),
    ],
)
def test_harm_after_asking_costs_its_own_call_only(isolated, harm, error):
    with pytest.raises(error):
        isolated(harm, serve=serve)
    assert is_alive(isolated)


def test_an_answer_that_is_too_much_for_the_child_costs_its_own_call_only():
    isolated = IsolatedFunction(call, ChildLimits(seconds=20, memory_bytes=1 << 26))
    for _ in range(2):
        with pytest.raises(MemoryLimitError):
            isolated("gather", [(0, 1)], serve=lambda _: bytes(1 << 27))
        assert is_alive(isolated)
    isolated.close()


@pytest.mark.parametrize("harm", ["ask_and_hang", "ask_for_ever"])
def test_the_deadline_holds_while_a_child_asks(harm):
    isolated = IsolatedFunction(call, ChildLimits(seconds=1, memory_bytes=1 << 30))
    begin = time.monotonic()
    with pytest.raises(DeadlineError):
        isolated(harm, serve=serve)
    assert time.monotonic() - begin < 30
    assert is_alive(isolated)
    isolated.close()


@pytest.mark.parametrize("seconds", [1.5, 4])
def test_time_spent_serving_counts(seconds):
    """Also where it outlasts the child, whose own alarm ends it two seconds behind the deadline."""
    isolated = IsolatedFunction(call, ChildLimits(seconds=1, memory_bytes=1 << 30))

    def dawdle(request: dict) -> bytes:
        time.sleep(seconds)
        return serve(request)

    with pytest.raises(DeadlineError):
        isolated("gather", [(0, 1)], serve=dawdle)
    assert is_alive(isolated)
    isolated.close()
