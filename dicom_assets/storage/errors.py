"""Why an object store failed, in a few words: its own messages fill a page and may hold signed URLs."""

import re

_DECORATION = re.compile(r"\x1b\[[0-9;]*m|\u21b3")
_OF_A_STORE = re.compile(
    r"Generic \w+ error|Error performing|privileges to complete|Object at location|loading credentials|invalid path"
    r"|Configuration key|Unable to recognise URL|Unknown scheme"
)
_STATUS = re.compile(r"non-2xx status code\W+(\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")

_NO_CREDENTIALS = re.compile(r"loading credentials|//169\.254\.\d+\.\d+")
"""The second is the address of the service that gives credentials to cloud machines, asked when there are no others."""

TIMED_OUT = "timed out"
"""The cause of a store that took a request and gave no answer."""

_CAUSES = {
    r"connection ?refused": "connection refused",
    r"dns error": "host not found",
    r"timed ?out": TIMED_OUT,
    r"certificate": "the certificate is not trusted",
    r"bad ?scheme|scheme is not allowed": "the endpoint is plain HTTP; AWS_ALLOW_HTTP=true allows that",
    r"recognise url|unknown scheme": "there is no such kind of store",
    r"invalid ?path": "the key of an object has an empty or dotted segment, or a control character",
    r"must be specified|config error|configuration key": "an option of the store is missing or wrong",
    r"http error|error sending": "no answer",
}
"""What a message says, the most telling first, and the cause that it stands for."""


def why(text: str) -> str | None:
    """Return the cause of an object store's error; of its own text, only error codes are passed on.

    Parameters
    ----------
    text
        The message of obstore, delta-rs, or what wraps theirs.

    Returns
    -------
    ``None`` when the text is not a store's.

    """
    text = _DECORATION.sub(" ", text)
    if not _OF_A_STORE.search(text):
        return None
    if _NO_CREDENTIALS.search(text):
        return "no credentials are configured"
    if status := _STATUS.search(text):
        code = _CODE.search(text)
        return f"HTTP {status[1]} {code[1]}" if code else f"HTTP {status[1]}"
    found = (cause for pattern, cause in _CAUSES.items() if re.search(pattern, text, re.IGNORECASE))
    return next(found, "the store failed")
