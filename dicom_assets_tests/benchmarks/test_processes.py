"""What is measured of a command and of all below it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.processes import Family, run

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="no /proc with smaps_rollup here")

_HOLD = "held = bytearray(96 << 20); held[::4096] = b'x' * len(held[::4096])"
"""Memory that is really there: every page of it is written to."""


def test_memory_is_that_of_all_processes_together():
    child = f"import time; {_HOLD}; time.sleep(1)"
    usage = run(
        [sys.executable, "-c", f"import subprocess, sys; {_HOLD}; subprocess.call([sys.executable, '-c', {child!r}])"]
    )
    assert usage.peak_bytes > 192 << 20
    assert usage.processes == 2
    assert usage.seconds >= 1


def test_pages_that_are_shared_count_once():
    forked = f"import os, time; {_HOLD}; child = os.fork(); time.sleep(1); child and os.waitpid(child, 0)"
    assert 96 << 20 < run([sys.executable, "-c", forked]).peak_bytes < 170 << 20


def test_processor_time_is_that_of_children_too():
    busy = "import time; end = time.process_time() + 0.6\nwhile time.process_time() < end: pass"
    waits = f"import subprocess, sys, time; subprocess.call([sys.executable, '-c', {busy!r}])"
    assert run([sys.executable, "-c", waits]).cpu_seconds >= 0.3  # as of the last sample


def test_a_process_stays_in_the_family_when_its_parent_ends():
    sleeps = f"[sys.executable, '-c', {'import time; time.sleep(60)'!r}]"
    orphans = f"import subprocess, sys; print(subprocess.Popen({sleeps}).pid, flush=True); sys.stdin.read()"
    parent = subprocess.Popen([sys.executable, "-c", orphans], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    try:
        family = Family(parent.pid)
        family.sample()
        parent.stdin.close()
        parent.wait(60)
        before = family.peak_bytes
        family.peak_bytes = 0
        family.sample()
        assert 0 < family.peak_bytes < before
        assert family.processes == 2
    finally:
        os.kill(child, signal.SIGKILL)
        parent.stdout.close()


def test_what_was_printed_is_told_and_a_failure_says_why():
    assert run([sys.executable, "-c", "print('one'); print('two')"]).said == "one\ntwo"
    with pytest.raises(RuntimeError, match=r"ended with 3: the reason"):
        run([sys.executable, "-c", "import sys; print('the reason', file=sys.stderr); sys.exit(3)"])
