"""A bound on what is read of one file, however many readers it has and however they jump."""

from dataclasses import replace

from dicom_assets.dicom.header import Header
from dicom_assets.dicom.inflate import InflatedSource
from dicom_assets.dicom.source import ByteSource


def within_budget(header: Header, most: int) -> Header:
    """Return a header through which no more than so many bytes are read of its file."""
    return header if header.body is None else replace(header, body=BudgetedSource(header.body, most))


class BudgetedSource:
    """A source that ends when a number of bytes was read of it, as a cut file does.

    Parameters
    ----------
    source
        The bytes. Of inflated ones, going back costs all that has to be inflated again.
    most
        How many are read.

    """

    def __init__(self, source: ByteSource, most: int) -> None:
        self._source = source
        self._left = most
        self._rewinds = isinstance(source, InflatedSource)
        self._last = 0

    @property
    def size(self) -> int:
        """Length of the source in bytes."""
        return self._source.size

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)``, fewer at the end, and none when the budget is used up."""
        if self._rewinds and offset < self._last:
            self._left -= offset
        self._last = offset
        if self._left <= 0:
            return b""
        data = self._source.read(offset, length)
        self._left -= len(data)
        return data
