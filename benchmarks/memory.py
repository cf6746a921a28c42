"""The peak memory of this process between two moments, as Linux tells it."""

import os
from pathlib import Path

from benchmarks.processes import told_bytes


def forget_peak() -> None:
    """Begin anew: the peak is what is held now."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Return the most bytes that were held since then."""
    found = told_bytes(os.getpid(), "status", "VmHWM:")
    if not found:
        raise RuntimeError("Linux tells no VmHWM")
    return found
