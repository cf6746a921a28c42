"""What libraries warn of while files are read: it may quote paths and values, and is left out.

What is wrong with a file is in its row.
"""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_TALKATIVE = ("pydicom", "PIL", "imagecodecs")


def silence_libraries() -> None:
    """Leave out what libraries warn of in this process, unless ``PYTHONWARNINGS`` asks for it."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
        logging.getLogger().addHandler(logging.NullHandler())  # instead of standard error, the last resort


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Leave out what libraries warn of in a block, in a process that others share."""
    if sys.warnoptions:
        yield
        return
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
