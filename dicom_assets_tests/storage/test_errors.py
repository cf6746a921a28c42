"""What the messages of object stores come down to."""

import pytest

from dicom_assets.storage.errors import why

_REFUSED = "Generic S3 error\n \x1b[31m\u21b3\x1b[0m Error performing GET https://store/b?sig=SECRET in 1ms - "


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            _REFUSED
            + "Server returned non-2xx status code\n \x1b[31m\u21b3\x1b[0m 403 Forbidden\n \x1b[31m\u21b3\x1b[0m "
            "<?xml?><Error><Code>SignatureDoesNotMatch</Code><Message>The request SECRET</Message></Error>",
            "HTTP 403 SignatureDoesNotMatch",
        ),
        (_REFUSED + "Server returned non-2xx status code: 404 Not Found: ", "HTTP 404"),
        (_REFUSED + "HTTP error\n tcp connect error\n Connection refused (os error 111)", "connection refused"),
        (
            _REFUSED + "HTTP error: error sending request\n\nDebug source:\n code: 111, kind: ConnectionRefused",
            "connection refused",
        ),
        (_REFUSED + "HTTP error: error sending request\n\nDebug source:\n TimedOut", "timed out"),
        (_REFUSED + "HTTP error: dns error", "host not found"),
        (
            "Generic S3 error: Error performing PUT http://169.254.169.254/latest/api/token in 1ms - 403",
            "no credentials are configured",
        ),
        ("Generic S3 error: something new", "the store failed"),
        ("ValueError: bad value 404", None),
        ("Not a Delta table: no log files", None),
    ],
)
def test_a_page_comes_down_to_its_cause(text, cause):
    assert why(text) == cause
    assert why(f"OSError: Kernel error -> {text}") == cause
