"""Whole objects (PS3.18 10.4.1.1.1): DICOM files as they are stored, one part each, in blocks."""

from collections.abc import Iterator, Sequence

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from starlette.responses import Response

from dicom_assets.dicom import uids
from dicom_assets.dicom.header import first_value, read_header
from dicom_assets.dicom.inflate import GZIP, GZIP_MAGIC, InflatedSource
from dicom_assets.dicom.source import ByteSource, chunks
from dicom_assets.serve.dicomweb.accept import DICOM, MediaRange, form_of_objects
from dicom_assets.serve.dicomweb.instances import Files, Instance
from dicom_assets.serve.dicomweb.sending import Part, send, send_parts
from dicom_assets.serve.errors import NotAcceptableError

_PREAMBLE = 128
_PREFIX = b"DICM"
_SOP_CLASS, _SOP_INSTANCE = "00080016", "00080018"


def send_objects(files: Files, instances: Sequence[Instance], ranges: Sequence[MediaRange], *, one: bool) -> Response:
    """Return the files of instances.

    Parameters
    ----------
    files
        Of the archive.
    instances
        Which.
    ranges
        What the client takes.
    one
        Whether the address names a single instance, which may be sent without parts.

    Raises
    ------
    NotAcceptableError
        The client takes no DICOM files, or not in the transfer syntax of one of them.
    ChangedFileError, ArchiveError
        A file is not what it was, or cannot be read.

    """
    multipart, syntaxes = form_of_objects(ranges, one=one)
    for instance in instances:
        if syntaxes is not None and _syntax(instance) not in syntaxes:
            raise NotAcceptableError(f"objects are served as they are stored, one of them in {_syntax(instance)}")
    parts = _parts(files, instances)
    if multipart:
        return send_parts(parts, DICOM)
    return send((piece for _, pieces in parts for piece in pieces), f"{DICOM};transfer-syntax={_syntax(instances[0])}")


def _syntax(instance: Instance) -> str:
    return instance.transfer_syntax or uids.ImplicitVRLittleEndian


def _parts(files: Files, instances: Sequence[Instance]) -> Iterator[Part]:
    for instance in instances:
        yield f"{DICOM};transfer-syntax={_syntax(instance)}", _pieces(files, instance)


def _pieces(files: Files, instance: Instance) -> Iterator[bytes]:
    with files.open(instance) as source:
        yield from _as_file(source)


def _as_file(source: ByteSource) -> Iterator[bytes]:
    """Yield a DICOM file (PS3.10 7): what is compressed as a whole is inflated, what lacks its beginning gets one."""
    if source.read(0, len(GZIP_MAGIC)) == GZIP_MAGIC:
        source = InflatedSource(source, 0, GZIP)
    head = source.read(0, _PREAMBLE + len(_PREFIX))
    if head[_PREAMBLE:] != _PREFIX:
        yield _beginning(source)
    yield from chunks(source)


def _beginning(source: ByteSource) -> bytes:
    """Return preamble, prefix and file meta information for a file that begins with its data set."""
    header = read_header(source)
    if header.file_meta:
        return b"\0" * _PREAMBLE + _PREFIX
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = first_value(header.dataset, _SOP_CLASS)
    meta.MediaStorageSOPInstanceUID = first_value(header.dataset, _SOP_INSTANCE)
    meta.TransferSyntaxUID = header.transfer_syntax or uids.ImplicitVRLittleEndian
    written = DicomBytesIO()
    written.is_little_endian, written.is_implicit_VR = True, False
    write_file_meta_info(written, meta)
    return b"\0" * _PREAMBLE + _PREFIX + bytes(written.getvalue())
