"""Running a function in a child process of its own, for code that may crash, hang or eat memory.

What belongs here: starting and ending the child, its limits, the messages between it and its parent, and the errors
that say how a call ended. What does not: anything about what the function does. Nothing here imports another part of
the package; whoever isolates a function translates :class:`CallError` into errors of their own.
"""

from dicom_assets.isolation.errors import (
    CallError,
    ChildDiedError,
    ChildKilledError,
    DeadlineError,
    FunctionError,
    IsolationError,
    MemoryLimitError,
)
from dicom_assets.isolation.messages import Answer
from dicom_assets.isolation.process import ChildLimits, IsolatedFunction

__all__ = [
    "Answer",
    "CallError",
    "ChildDiedError",
    "ChildKilledError",
    "ChildLimits",
    "DeadlineError",
    "FunctionError",
    "IsolatedFunction",
    "IsolationError",
    "MemoryLimitError",
]
