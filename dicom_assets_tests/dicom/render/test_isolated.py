"""What a failed call of the decoder process says about the file: messages and statuses of the table."""

import pytest

from dicom_assets.dicom.pixels.errors import PixelError, TooLargeError
from dicom_assets.dicom.render.isolated import as_pixel_error
from dicom_assets.isolation import (
    CallError,
    ChildDiedError,
    ChildKilledError,
    DeadlineError,
    FunctionError,
    MemoryLimitError,
)

MEANINGS = [
    (DeadlineError(30.0), PixelError, "decoding took longer than 30 seconds"),
    (MemoryLimitError(), TooLargeError, "decoding asked for more memory than the limit"),
    (
        ChildKilledError(),
        TooLargeError,
        "the decoder process was killed from outside, most likely for its use of memory",
    ),
    (ChildDiedError("died of SIGSEGV"), PixelError, "the decoder process died of SIGSEGV"),
    (ChildDiedError("ended with exit code 3"), PixelError, "the decoder process ended with exit code 3"),
    (FunctionError("ValueError"), PixelError, "rendering failed: ValueError"),
    (CallError("?"), PixelError, "rendering failed: CallError"),
]


@pytest.mark.parametrize(("error", "meant", "message"), MEANINGS, ids=lambda value: getattr(value, "__name__", None))
def test_failures_of_the_process_are_told_in_terms_of_the_file(error, meant, message):
    translated = as_pixel_error(error)
    assert type(translated) is meant
    assert str(translated) == message
