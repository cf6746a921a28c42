"""Untrusted text, made safe for a terminal.

A header value, a file name or a column name may hold control sequences: ESC and the C1 controls move the cursor, set
the clipboard or type into the shell, and bidirectional overrides show text in another order than it has.
"""

import codecs
import io
import unicodedata
from typing import BinaryIO

_SPACES = "Zs"
_STRUCTURE = "\n"
"""What the text formats write between rows."""


def visible(text: str, keep: str = "") -> str:
    r"""Return a text with every unprintable character as its JSON escape, such as ``\u001b`` for ESC.

    Parameters
    ----------
    text
        Any text.
    keep
        Characters that stay as they are.

    """
    return text if text.isprintable() else "".join(c if c in keep else _shown(c) for c in text)


def _shown(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == _SPACES:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


class TerminalSink(io.RawIOBase):
    """A stream of UTF-8 text to a terminal, with unprintable characters made visible.

    Parameters
    ----------
    terminal
        The stream of the terminal.

    """

    def __init__(self, terminal: BinaryIO) -> None:
        super().__init__()
        self._terminal = terminal
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def writable(self) -> bool:
        """Return ``True``."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override] # any buffer, in the base class
        """Pass text on; an incomplete character is kept until the rest of it arrives."""
        text = self._decoder.decode(bytes(data))
        self._terminal.write(visible(text, _STRUCTURE).encode())
        return len(data)
