"""Small DICOM images, made for a test and written by pydicom."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.thumbnail import Thumbnail, ThumbnailOptions, render_thumbnail

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
LOSSLESS = ThumbnailOptions(jpeg_quality=100)


def image(array: np.ndarray, *, syntax: str = ExplicitVRLittleEndian, **attributes: Any) -> Dataset:
    """Return a data set for pixels of shape ``(rows, columns[, 3])`` or, with Number of Frames, of many such."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.SOPClassUID = SECONDARY_CAPTURE
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["thumbnail"])
    frames = int(attributes.get("NumberOfFrames", 1))
    frame = array[0] if frames > 1 else array
    dataset.Rows, dataset.Columns = frame.shape[:2]
    dataset.SamplesPerPixel = 3 if frame.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if frame.ndim == 3 else "MONOCHROME2"
    bits = array.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    if frame.ndim == 3:
        dataset.PlanarConfiguration = 0
    order = ">" if syntax == "1.2.840.10008.1.2.2" else "<"
    data = array.astype(array.dtype.newbyteorder(order)).tobytes()
    dataset.add_new("PixelData", "OB" if bits <= 8 else "OW", data + b"\0" * (len(data) % 2))
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def encapsulated(
    dataset: Dataset,
    frames: Sequence[bytes],
    syntax: str,
    *,
    table: bool = True,
    extended: bool = False,
    parts: int = 1,
) -> Dataset:
    """Return a data set with its pixels replaced by encoded frames of a transfer syntax."""
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    if extended:
        value, offsets, lengths = encapsulate_extended(list(frames))
        dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = offsets, lengths
    else:
        value = encapsulate(list(frames), fragments_per_frame=parts, has_bot=table)
    dataset.add_new("PixelData", "OB", value)
    dataset["PixelData"].is_undefined_length = True
    return dataset


def file_bytes(dataset: Dataset) -> bytes:
    """Return a data set as a DICOM file."""
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def thumbnail_of(dataset: Dataset, options: ThumbnailOptions = LOSSLESS) -> Thumbnail:
    """Return the thumbnail of a data set, by way of a file."""
    return render_thumbnail(read_header(BytesSource(file_bytes(dataset))), options)


class CountingSource:
    """A source that remembers which bytes were read of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.reads: list[tuple[int, int]] = []

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        found = self.data[offset : offset + length]
        self.reads.append((offset, len(found)))
        return found

    @property
    def bytes_read(self) -> int:
        return sum(length for _, length in self.reads)
