"""The header of a DICOM file, whatever state the file is in: :func:`read_header`."""

from collections.abc import Sequence
from dataclasses import replace

from dicom_assets.dicom.header.dataset_context import DatasetContext
from dicom_assets.dicom.header.encoding import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE, Encoding
from dicom_assets.dicom.header.errors import HeaderParseError, LimitError, StructureError, TruncatedError
from dicom_assets.dicom.header.file_meta import end_of_meta, second_meta, start_of_elements
from dicom_assets.dicom.header.issues import RAW_CAP, IssueCode
from dicom_assets.dicom.header.limits import DEFAULT_LIMITS, HeaderLimits
from dicom_assets.dicom.header.model import Header, JsonDataset, PixelElement, first_value
from dicom_assets.dicom.header.pixel_extent import checked_pixels
from dicom_assets.dicom.header.pydicom_fallback import read_by_pydicom
from dicom_assets.dicom.header.sniff import (
    DEFLATED_SYNTAXES,
    encoding_of,
    is_deflated,
    stated_encoding,
)
from dicom_assets.dicom.header.sop_classes import IMAGE_SOP_CLASSES
from dicom_assets.dicom.header.trailing import read_trailing
from dicom_assets.dicom.header.walker import Walker
from dicom_assets.dicom.inflate import GZIP, GZIP_MAGIC, RAW, InflatedSource
from dicom_assets.dicom.read_ahead import ReadAheadBuffer, ReadLimitError
from dicom_assets.dicom.source import ByteSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.dicom.uids import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

_TRANSFER_SYNTAX = "00020010"
_MEDIA_STORAGE_CLASS = "00020002"
_SOP_CLASS = "00080016"
_PIXEL_PROVIDER = "00287FE0"
_TOO_LONG = "what is deflated is longer than the limit of bytes to be inflated"


def read_header(source: ByteSource, limits: HeaderLimits = DEFAULT_LIMITS) -> Header:
    """Read all of a file but its pixel data.

    A gzip file is read through: positions count in what it inflates to.

    Parameters
    ----------
    source
        The file. Its first :attr:`~dicom_assets.dicom.header.limits.HeaderLimits.head_bytes` are read at once, more
        only when the header is longer, and never a value that is not inlined.
    limits
        What is inlined, and when to give up.

    Returns
    -------
    Header
        What was read, and how it went. Its elements may be shared with other headers: they are not to be changed.

    Raises
    ------
    OSError
        If the source does. Nothing else is raised, whatever the file holds.

    """
    if source.size == 0:
        return Header(HeaderStatus.EMPTY)
    reading = _FileReader(source, limits)
    header = reading.run()
    if header.status not in (HeaderStatus.ERROR, HeaderStatus.TRUNCATED):
        return header
    second = read_by_pydicom(reading.source, limits)
    if second is None:
        return header
    # Of a file that is cut, pydicom takes what is left of the last value for the whole of it.
    cut = HeaderStatus.TRUNCATED in (header.status, second.status)
    if len(second.dataset) - cut < len(header.dataset):
        return header
    both = _first_of_both(header, second)
    return replace(both, status=header.status, error=header.error) if header.status is HeaderStatus.TRUNCATED else both


def _first_of_both(header: Header, second: Header) -> Header:
    """Return what pydicom read, with the first of the elements that occur twice: pydicom keeps the last."""
    twice = [issue for issue in header.issues if issue.code == IssueCode.DUPLICATE_TAG]
    firsts = {issue.path: header.dataset[issue.path] for issue in twice if issue.path in header.dataset}
    dataset = dict(sorted({**second.dataset, **firsts}.items()))
    return replace(second, dataset=dataset, issues=(*second.issues, *twice))


class _FileReader:
    """One file while it is read: what is known so far, for whoever has to make a header of it.

    Parameters
    ----------
    source
        The file.
    limits
        As for :func:`read_header`.

    """

    def __init__(self, source: ByteSource, limits: HeaderLimits) -> None:
        self.source = source
        self.limits = limits
        buffer = self._buffer(source)
        if buffer.data.startswith(GZIP_MAGIC):
            self.source = InflatedSource(source, 0, GZIP, limits.max_read_bytes)
            buffer = self._buffer(self.source)
        self.body = self.source
        self.walker = Walker(buffer, limits)
        self.meta = DatasetContext(EXPLICIT_LITTLE)
        self.data = DatasetContext(EXPLICIT_LITTLE)
        self.syntax: str | None = None
        self.pixel: PixelElement | None = None

    def run(self) -> Header:
        """Read the file."""
        start = start_of_elements(self.walker.buffer)
        if start is None:
            return self._no_header()
        status, error = self._outcome(start)
        if status is HeaderStatus.NOT_DICOM:
            return self._no_header()
        damaged = next((source for source in self._inflated if source.corrupt), None)
        if damaged is not None and self.walker.pixel is None:
            status, error = HeaderStatus.TRUNCATED, f"the {_NAMES[damaged.form]} is damaged or ends too early"
        return self._header(status, error)

    def _no_header(self) -> Header:
        damaged = any(source.corrupt for source in self._inflated)
        return Header(HeaderStatus.NOT_DICOM, "the gzip file is damaged or ends too early" if damaged else None)

    def _buffer(self, source: ByteSource) -> ReadAheadBuffer:
        return ReadAheadBuffer(source, self.limits.head_bytes, self.limits.max_read_bytes)

    @property
    def _inflated(self) -> Sequence[InflatedSource]:
        """What is inflated: a gzip file, a data set, or one in the other."""
        if not isinstance(self.body, InflatedSource):
            return ()
        return [source for source in (self.source, self.body) if isinstance(source, InflatedSource)]

    def _is_too_long(self) -> bool:
        return any(source.too_long for source in self._inflated)

    def _outcome(self, start: int) -> tuple[HeaderStatus, str | None]:
        """Read, and say how it went."""
        try:
            self._read(start)
        except HeaderParseError as error:
            if isinstance(error, StructureError) and not self.meta.dataset and not self.data.dataset:
                return HeaderStatus.NOT_DICOM, None
            return _status_of(error), str(error)
        except ReadLimitError:
            return HeaderStatus.UNSUPPORTED, f"more than {self.limits.max_read_bytes} bytes to be read"
        except OSError:
            raise
        except Exception as fault:  # noqa: BLE001 - a fault of ours costs no more than this one header
            return HeaderStatus.ERROR, f"reading failed with {type(fault).__name__}"
        return HeaderStatus.OK, None

    def _read(self, start: int) -> None:
        walker = self.walker
        position = self._read_meta(start, "")
        while (following := second_meta(walker.buffer, position)) is not None:
            walker.recovery.skip(position, following)
            position = self._read_meta(following, self.meta.last)
        stated = _uid(self.meta.dataset, _TRANSFER_SYNTAX)
        if stated in DEFLATED_SYNTAXES and is_deflated(walker.buffer, position):
            self.body = InflatedSource(self.source, position, most=self.limits.max_read_bytes)
            # Nothing of the file meta group goes on in what is inflated but its issues.
            walker.finish(self.meta.dataset)
            self.walker = walker = Walker(self._buffer(self.body), self.limits, walker.log)
            position = 0
        if not walker.buffer.ensure(position, 8):
            raise TruncatedError("the file ends before its data set begins")
        self.data.encoding = encoding_of(walker.buffer, position, stated)
        self._note_syntax(stated)
        walker.read(self.data, position)
        if walker.pixel is not None:
            self._read_after_pixel_data(walker.pixel)

    def _read_after_pixel_data(self, found: PixelElement) -> None:
        """Find out where the pixel data ends and whether all of it is there, and read what comes after it."""
        self.pixel, problem, end = checked_pixels(found, self.body, self.data.dataset)
        if self._is_too_long():
            raise LimitError(_TOO_LONG)
        if problem is not None:
            self.walker.log.add(found.tag, found.vr, problem)
        if end is not None:
            read_trailing(self.walker, self.data, end)

    def _read_meta(self, start: int, last: str) -> int:
        """Read the file meta group and return the position after it; where it is damaged, the data set goes on."""
        position, self.meta.encoding = end_of_meta(self.walker.buffer, start)
        self.meta.last = last
        if position > start:
            self.meta.end = position
            try:
                self.walker.read(self.meta, start, last)
            except StructureError:
                self.walker.log.add("", "", IssueCode.STRAY_BYTES, self.walker.buffer.peek(self.meta.at, RAW_CAP))
        return position

    def _note_syntax(self, stated: str | None) -> None:
        """Settle the transfer syntax, and list it as an issue when it is not the one the file states."""
        encoding = self.data.encoding
        sniffed = _SYNTAX_OF.get(encoding)
        agrees = (
            stated is not None
            and encoding is stated_encoding(stated)
            and (stated not in DEFLATED_SYNTAXES or isinstance(self.body, InflatedSource))
        )
        # What says how pixels are compressed stays, whatever the elements look like.
        compressed = stated not in {None, *_SYNTAX_OF.values(), *DEFLATED_SYNTAXES}
        self.syntax = stated if agrees or compressed else sniffed
        if not agrees and self.meta.dataset:
            self.walker.log.add(
                _TRANSFER_SYNTAX, "UI", IssueCode.TRANSFER_SYNTAX, (stated or "").encode("latin-1", "replace")
            )

    def _header(self, status: HeaderStatus, error: str | None) -> Header:
        walker, dataset = self.walker, self.data.dataset
        walker.finish(dataset)
        if isinstance(self.source, InflatedSource) and self.source.size and self.source.corrupt:
            walker.log.add("", "", IssueCode.BAD_GZIP)
        if self._is_too_long():
            status, error = HeaderStatus.UNSUPPORTED, _TOO_LONG
        sop_class = _uid(dataset, _SOP_CLASS) or _uid(self.meta.dataset, _MEDIA_STORAGE_CLASS)
        if status is HeaderStatus.OK:
            if sop_class in IMAGE_SOP_CLASSES and walker.pixel is None and _PIXEL_PROVIDER not in dataset:
                walker.log.add("7FE00010", "", IssueCode.NO_PIXEL_DATA)
            if sop_class == MediaStorageDirectoryStorage:
                status = HeaderStatus.DICOMDIR
            elif walker.log.issues:
                status = HeaderStatus.ISSUES
        return Header(
            status=status,
            error=error,
            file_meta=self.meta.dataset,
            dataset=dataset,
            issues=tuple(walker.log.issues),
            transfer_syntax=self.syntax,
            little_endian=self.data.encoding.little_endian,
            implicit_vr=not self.data.encoding.explicit,
            pixel=self.pixel or walker.pixel,
            body=self.body,
            sequences=walker.sequences,
        )


_NAMES = {GZIP: "gzip file", RAW: "deflated data set"}

_SYNTAX_OF: dict[Encoding, str] = {
    IMPLICIT_LITTLE: ImplicitVRLittleEndian,
    EXPLICIT_LITTLE: ExplicitVRLittleEndian,
    EXPLICIT_BIG: ExplicitVRBigEndian,
}


def _uid(dataset: JsonDataset, tag: str) -> str | None:
    """Return a UID; a damaged file may have anything in its place."""
    found = first_value(dataset, tag)
    return found if isinstance(found, str) else None


def _status_of(error: HeaderParseError) -> HeaderStatus:
    if isinstance(error, TruncatedError):
        return HeaderStatus.TRUNCATED
    return HeaderStatus.UNSUPPORTED if isinstance(error, LimitError) else HeaderStatus.ERROR
