"""Loading what a command needs: modules are objects that stay, which Python's collector would look through in vain."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Keep the collector off while the block imports, and what it imported out of the collector's way for good."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
