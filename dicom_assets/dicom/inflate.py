"""Deflated content, inflated as far as it is read: a data set in a deflated syntax (PS3.5 A.5), a gzip file."""

import zlib

from dicom_assets.dicom.source import ByteSource, clamp

RAW = -zlib.MAX_WBITS
"""A deflate stream without a header of its own (RFC 1951)."""
GZIP = 16 + zlib.MAX_WBITS
"""Members of a gzip file, one after another (RFC 1952)."""
GZIP_MAGIC = b"\x1f\x8b\x08"

_CHUNK = 64 * 1024
_ENDLESS = 1 << 63
"""Where the content ends is known only when it was inflated up to there."""
MOST_BYTES = 1 << 30
ANY_RATIO_BYTES = 1 << 28
"""What unpacks to less than this may do so at any ratio: it costs a second."""
MOST_RATIO = 200
"""What is packed may unpack to so many times its length. Deflate comes to 1,032 at most, and that only of what is all
the same; images reach 10, masks and blank images 100 and more, which are small."""


def is_bomb(unpacked: int, packed: int) -> bool:
    """Return whether a length is out of proportion to what it is unpacked from, both in bytes."""
    return unpacked > ANY_RATIO_BYTES and unpacked > MOST_RATIO * packed


class InflatedSource:
    """The bytes that deflated content inflates to.

    Reading forward inflates what is asked for and forgets what lies behind; reading backward starts over. So a
    small file that inflates to gigabytes costs time in proportion to what is read of it, and hardly any memory.

    Parameters
    ----------
    source
        The file.
    start
        Where its deflated content begins: after the file meta group, or at the beginning of a gzip file.
    form
        :data:`RAW` or :data:`GZIP`.
    most
        Bytes that may be inflated.

    Attributes
    ----------
    form
        As given.
    corrupt
        Whether the deflated bytes were found to be damaged, or to end too early. The content ends there.
    too_long
        Whether there is more than may be inflated. The content ends there.

    """

    def __init__(self, source: ByteSource, start: int, form: int = RAW, most: int = MOST_BYTES) -> None:
        self._source = source
        self._start = start
        self.form = form
        self._most = most
        self._size: int | None = None
        self.corrupt = False
        self.too_long = False
        self._rewind()

    def _rewind(self) -> None:
        self._inflater = zlib.decompressobj(self.form)
        self._pending = b""
        self._next = self._start
        self._kept = b""
        self._kept_at = 0
        self._ended = False

    @property
    def size(self) -> int:
        """Length of the inflated content; telling it inflates all that was not yet."""
        if self._size is None:
            position = self._kept_at + len(self._kept)
            while block := self.read(position, _CHUNK):
                position += len(block)
            self._size = position
        return self._size

    def reaches(self, end: int) -> bool:
        """Say whether there are bytes up to a position, and inflate as far as that."""
        return end <= self._size if self._size is not None else end <= 0 or bool(self.read(end - 1, 1))

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
        while not self._ended:
            taken = self._inflater.unconsumed_tail or self._pending or self._refill()
            self._pending = b""
            before = self._inflater.copy()
            try:
                chunk = self._inflater.decompress(taken, _CHUNK)
            except zlib.error:
                chunk = _up_to_damage(before, taken)
                self.corrupt = self._ended = True
            else:
                self._look_behind(taken)
            if chunk:
                self._kept, self._kept_at = chunk, following
                self._check_bounds(following + len(chunk))
                return True
        return False

    def _look_behind(self, taken: bytes) -> None:
        """See whether the content goes on."""
        if self._inflater.eof:
            self._ended = not self._next_member()
        elif not taken:
            self.corrupt = self._ended = True

    def _refill(self) -> bytes:
        taken = self._source.read(self._next, _CHUNK)
        self._next += len(taken)
        return taken

    def _next_member(self) -> bool:
        """Go on with the member that follows in a gzip file; what is none, such as padding, is left alone."""
        if self.form != GZIP:
            return False
        rest = self._inflater.unused_data
        if len(rest) < len(GZIP_MAGIC):
            rest += self._refill()
        if not rest.startswith(GZIP_MAGIC):
            return False
        self._inflater = zlib.decompressobj(self.form)
        self._pending = rest
        return True

    def _check_bounds(self, inflated: int) -> None:
        consumed = self._next - self._start
        if inflated > self._most or is_bomb(inflated, consumed):
            self.too_long = self._ended = True


def _up_to_damage(inflater: "zlib._Decompress", data: bytes) -> bytes:
    """Return what comes before the damage, which zlib withholds: a wrong checksum would cost the last chunk."""
    inflated, step = b"", 4096
    while step and data and len(inflated) < _CHUNK:
        trial = inflater.copy()
        try:
            inflated += trial.decompress(data[:step], _CHUNK - len(inflated))
        except zlib.error:
            step //= 8
            continue
        inflater, data = trial, trial.unconsumed_tail + data[step:]
    return inflated
