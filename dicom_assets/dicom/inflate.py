"""The data set of a file in Deflated Explicit VR Little Endian (PS3.5 A.5), inflated as far as it is read."""

import zlib

from dicom_assets.dicom.source import ByteSource, clamp

_CHUNK = 64 * 1024
_ENDLESS = 1 << 63
"""Where the content ends is known only when it was inflated up to there."""


class InflatedSource:
    """The bytes that a deflated data set inflates to.

    Reading forward inflates what is asked for and forgets what lies behind; reading backward starts over. So a
    small file that inflates to gigabytes costs time in proportion to what is read of it, and hardly any memory.

    Parameters
    ----------
    source
        The file.
    start
        Where its deflated data set begins: behind the file meta group.

    Attributes
    ----------
    corrupt
        Whether the deflated bytes were found to be damaged. The content ends there.

    """

    def __init__(self, source: ByteSource, start: int) -> None:
        self._source = source
        self._start = start
        self.corrupt = False
        self._rewind()

    def _rewind(self) -> None:
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._next = self._start
        self._kept = b""
        self._kept_at = 0

    @property
    def size(self) -> int:
        """Length of the inflated content; telling it inflates all that was not yet."""
        position = self._kept_at + len(self._kept)
        while block := self.read(position, _CHUNK):
            position += len(block)
        return position

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)`` of the inflated content, fewer at its end."""
        offset, length = clamp(offset, length, _ENDLESS)
        if not length:
            return b""
        if offset < self._kept_at:
            self._rewind()
        parts = []
        end = offset + length
        while True:
            kept_end = self._kept_at + len(self._kept)
            if kept_end > offset:
                parts.append(self._kept[max(offset - self._kept_at, 0) : end - self._kept_at])
            if kept_end >= end or not self._inflate():
                return b"".join(parts)
            # A chunk that was just made available counts from its own beginning.
            offset = max(offset, kept_end)

    def _inflate(self) -> bool:
        """Replace what is kept by the chunk that follows, ``False`` at the end."""
        following = self._kept_at + len(self._kept)
        while not self._inflater.eof and not self.corrupt:
            taken = self._inflater.unconsumed_tail
            if not taken:
                taken = self._source.read(self._next, _CHUNK)
                self._next += len(taken)
            try:
                chunk = self._inflater.decompress(taken, _CHUNK)
            except zlib.error:
                self.corrupt = True
                return False
            if chunk:
                self._kept, self._kept_at = chunk, following
                return True
            if not taken:
                return False
        return False
