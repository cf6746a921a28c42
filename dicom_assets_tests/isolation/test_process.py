import ctypes
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import time
from pathlib import Path

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
    IsolationError,
    MemoryLimitError,
)

LIMITS = ChildLimits(seconds=20, memory_bytes=1 << 30)


def echo(value: object, buffers: list[bytes] | None = None) -> Answer:
    return Answer(
        {"value": value, "lengths": [len(b) for b in buffers or []]}, b"".join(bytes(b) for b in buffers or [])
    )


def segfault() -> Answer:
    ctypes.string_at(0)
    raise AssertionError


def abort() -> Answer:
    os.abort()


def leave() -> Answer:
    os._exit(3)


def hang() -> Answer:
    ctypes.PyDLL(None).sleep(3600)
    raise AssertionError


def allocate(gigabytes: int) -> Answer:
    return Answer({"sum": int(np.ones(gigabytes << 30, np.uint8)[:: 1 << 20].sum())}, b"")


def allocate_natively() -> Answer:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    return Answer({"null": libc.malloc(ctypes.c_size_t(64 << 30)) is None}, b"")


def answer_a_set() -> Answer:
    return Answer({"value": {1, 2}})


def send_rubbish(rubbish: bytes) -> Answer:
    _only_socket().sendall(rubbish)
    raise ValueError


def _only_socket() -> socket.socket:
    return socket.socket(fileno=os.dup(int(sys.argv[1])))


def stumble() -> Answer:
    raise ValueError("DOE^JANE")


def be_killed() -> Answer:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def call(function_name: str, *arguments: object) -> Answer:
    return globals()[function_name](*arguments)


@pytest.fixture(scope="module")
def isolated():
    function = IsolatedFunction(call, LIMITS)
    yield function
    function.close()


def test_answers_come_back_with_fields_and_data(isolated):
    buffers = [pickle.PickleBuffer(b"abc" * 100_000), pickle.PickleBuffer(b""), pickle.PickleBuffer(b"xyz")]
    answer = isolated("echo", 7, buffers)
    assert answer.fields == {"value": 7, "lengths": [300_000, 0, 3]}
    assert answer.data == b"abc" * 100_000 + b"xyz"


def test_a_shorter_request_after_a_longer_one_sees_only_its_own_bytes(isolated):
    isolated("echo", 1, [pickle.PickleBuffer(b"a" * 1000)])
    assert isolated("echo", 2, [pickle.PickleBuffer(b"b" * 10)]).data == b"b" * 10


def test_one_child_serves_many_calls(isolated):
    isolated("echo", 1)
    first = isolated.pid
    isolated("echo", 2)
    assert isolated.pid == first
    assert isolated.pid != os.getpid()


@pytest.mark.parametrize(
    ("harm", "reason"),
    [("segfault", "died of SIGSEGV"), ("abort", "died of SIGABRT"), ("leave", "exit code 3")],
)
def test_a_crash_costs_its_own_call_only(isolated, harm, reason):
    with pytest.raises(ChildDiedError, match=reason):
        isolated(harm)
    assert isolated("echo", "alive").fields["value"] == "alive"


def test_a_hang_ends_at_the_deadline():
    isolated = IsolatedFunction(call, ChildLimits(seconds=1, memory_bytes=1 << 30))
    isolated("echo", 1)
    hanging = isolated.pid
    begin = time.monotonic()
    with pytest.raises(DeadlineError, match="longer than 1 seconds"):
        isolated("hang")
    assert time.monotonic() - begin < 30
    assert not Path(f"/proc/{hanging}").exists()
    assert isolated("echo", "alive").fields["value"] == "alive"
    isolated.close()


def test_too_much_memory_is_refused_and_a_little_is_not(isolated):
    isolated("echo", 1)
    child = isolated.pid
    with pytest.raises(MemoryLimitError, match="more memory than the limit"):
        isolated("allocate", 64)
    assert isolated.pid == child
    assert isolated("echo", "alive").fields["value"] == "alive"


def test_arguments_that_the_child_has_no_room_for_are_too_much_memory():
    isolated = IsolatedFunction(call, ChildLimits(seconds=20, memory_bytes=1 << 26))
    for _ in range(2):
        with pytest.raises(MemoryLimitError):
            isolated("echo", "x" * (1 << 27))
        assert isolated("echo", "alive").fields["value"] == "alive"
    isolated.close()


def test_native_code_is_refused_memory_too(isolated):
    assert isolated("allocate_natively").fields == {"null": True}


def test_a_child_killed_from_outside_is_taken_for_one_that_used_too_much_memory(isolated):
    with pytest.raises(ChildKilledError, match="killed from outside"):
        isolated("be_killed")


def test_the_text_of_unforeseen_errors_stays_in_the_child(isolated):
    isolated("echo", 1)
    child = isolated.pid
    with pytest.raises(FunctionError) as caught:
        isolated("stumble")
    assert caught.value.kind == "ValueError"
    assert "ValueError" in str(caught.value)
    assert "DOE" not in str(caught.value)
    assert isolated.pid == child


def test_an_answer_that_is_no_json_is_a_failure_of_the_function(isolated):
    with pytest.raises(FunctionError, match="TypeError"):
        isolated("answer_a_set")
    assert isolated("echo", "alive").fields["value"] == "alive"


def test_arguments_that_cannot_be_pickled_cost_no_child(isolated):
    isolated("echo", 1)
    child = isolated.pid
    with pytest.raises(TypeError):
        isolated("echo", memoryview(b""))
    assert isolated.pid == child
    assert isolated("echo", "alive").fields["value"] == "alive"


def test_a_function_that_cannot_be_found_is_a_fault_of_the_installation():
    def local() -> Answer:
        raise AssertionError

    with pytest.raises(IsolationError, match="did not start"):
        IsolatedFunction(local, LIMITS)()


def test_the_child_ends_with_its_parent():
    program = """
        from dicom_assets.isolation import ChildLimits, IsolatedFunction
        from dicom_assets_tests.isolation.test_process import call
        import os
        isolated = IsolatedFunction(call, ChildLimits(20, 1 << 30))
        isolated("echo", 1)
        print(isolated.pid, flush=True)
        os._exit(0)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    child = Path(f"/proc/{int(done.stdout)}")
    deadline = time.monotonic() + 40
    while child.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.exists()


def test_a_hanging_child_ends_even_when_its_parent_is_gone():
    program = """
        from dicom_assets.isolation import ChildLimits, IsolatedFunction
        from dicom_assets_tests.isolation.test_process import call
        import os, threading, time
        isolated = IsolatedFunction(call, ChildLimits(1, 1 << 30))
        isolated("echo", 1)
        print(isolated.pid, flush=True)
        threading.Thread(target=lambda: isolated("hang"), daemon=True).start()
        time.sleep(0.3)
        os._exit(0)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    child = Path(f"/proc/{int(done.stdout)}")
    deadline = time.monotonic() + 40
    while child.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not child.exists()


def test_a_forked_process_starts_a_child_of_its_own(isolated):
    isolated("echo", 1)
    parents_child = isolated.pid
    reading, writing = os.pipe()
    forked = os.fork()
    if forked == 0:
        try:
            isolated("echo", 2)
            os.write(writing, str(isolated.pid).encode())
        finally:
            os._exit(0)
    os.close(writing)
    assert os.waitpid(forked, 0)[1] == 0
    theirs = int(os.read(reading, 100))
    os.close(reading)
    assert theirs != parents_child
    assert isolated("echo", "alive").fields["value"] == "alive"
    assert isolated.pid == parents_child


def test_no_core_is_left_behind(isolated):
    assert isolated("core_limit").fields == {"limit": 0}


def test_credentials_of_the_parent_stay_with_it(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    isolated = IsolatedFunction(call, LIMITS)
    assert "secret" not in isolated("environment").fields.values()
    isolated.close()


def environment() -> Answer:
    return Answer(dict(os.environ), b"")


def core_limit() -> Answer:
    import resource

    return Answer({"limit": resource.getrlimit(resource.RLIMIT_CORE)[1]}, b"")


RUBBISH = {
    "no header": b"\xff" * 16,
    "no JSON": struct.pack(">QQ", 4, 0) + b"\x80abc",
    "no object": struct.pack(">QQ", 4, 0) + b"[{}]",
    "deep JSON": struct.pack(">QQ", 200_000, 0) + b"[" * 200_000,
    "no answer": struct.pack(">QQ", 2, 0) + b"{}",
    "an answer that is none": struct.pack(">QQ", 12, 0) + b'{"answer":1}',
    "a question that nobody serves": struct.pack(">QQ", 10, 0) + b'{"ask":{}}',
}


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=list(RUBBISH))
def test_a_child_that_sends_rubbish_is_one_that_died(isolated, rubbish, monkeypatch):
    monkeypatch.setattr("dicom_assets.isolation.process._DYING_SECONDS", 0.1)  # it lives on
    with pytest.raises(ChildDiedError):
        isolated("send_rubbish", rubbish)
    assert isolated("echo", "alive").fields["value"] == "alive"
