"""The memory of a command that runs for hours: what is free goes back to the system, and is not kept for later.

Each run fills tables and drops them, and allocators keep such memory, some for each thread that ever asked.
"""

import ctypes
import os
import sys
from contextlib import suppress

_M_ARENA_MAX = -8
"""As in glibc's ``malloc.h``; see https://man7.org/linux/man-pages/man3/mallopt.3.html."""
_ARENAS = 2


def return_what_is_free() -> None:
    """Tell the allocators of Arrow and of C, where they can be told; what the environment says stays.

    Arrow's reads its environment when Arrow is loaded: before that this has to be called.
    """
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "0")
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        with suppress(OSError, AttributeError):  # another C library than glibc
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
