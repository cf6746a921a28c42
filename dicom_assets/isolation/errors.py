"""How a call in a child process can fail: by what was called, or by the machine.

No message holds text of the function's own errors, which may quote the data it worked on.
"""

from dicom_assets.errors import DataError, InfrastructureError


class IsolationError(InfrastructureError, OSError):
    """The child process could not be started or reached: a fault of the machine, not of the data."""


class CallError(DataError):
    """One call failed; the next one may succeed."""


class DeadlineError(CallError):
    """The call took longer than its limit, and the child was killed.

    Attributes
    ----------
    seconds
        The limit.

    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the call took longer than {seconds:g} seconds")
        self.seconds = seconds


class MemoryLimitError(CallError):
    """The function asked for more memory than its limit, and was refused it. The child lives on."""

    def __init__(self) -> None:
        super().__init__("the call asked for more memory than the limit")


class FunctionError(CallError):
    """The function raised an exception. The child lives on.

    Attributes
    ----------
    kind
        Name of the exception's class; its text stays in the child.

    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"the call failed: {kind}")
        self.kind = kind


class ChildDiedError(CallError):
    """The child process ended during the call.

    Attributes
    ----------
    how
        What happened to the process, as a predicate: ``died of SIGSEGV``.

    """

    def __init__(self, how: str) -> None:
        super().__init__(f"the child process {how}")
        self.how = how


class ChildKilledError(ChildDiedError):
    """The child was killed from outside, most likely by the system because memory ran out."""

    def __init__(self) -> None:
        super().__init__("was killed from outside, most likely for its use of memory")
