"""The JSON of every readable real file equals that of pydicom, after the few lines of `comparison.normalised`.

What still differs is listed in `DIFFERENCES`, by file and element, with the reason.
"""

import gzip
import logging
import warnings
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.inflate import GZIP_MAGIC
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.support.corpus import corpus_files, files_below, pydicom_files
from dicom_assets_tests.support.dicom.comparison import by_pydicom, differences

PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
UNLIMITED = HeaderLimits(sequence_bytes=1 << 40, inline_bytes=1 << 40, max_elements=1 << 40)

REFUSED = "pydicom refuses to convert the value, and with it the whole header"
CUT = "pydicom takes what is left of a truncated file for the value"

DIFFERENCES = {
    "badVR.dcm": {"00280008": REFUSED},
    "rtplan_truncated.dcm": {"300A00B0[0].300A0111[0].300A012C": CUT},
}
"""Elements that differ, by file, and why."""

PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)

NOT_COMPARED = {
    "no_preamble_dicm_in_data": "pydicom takes the letters DICM of a value for the prefix, and loses what is before",
}
"""Files that pydicom does not read from their beginning."""


def real_files():
    """Return the files of pydicom, of pydicom-data where it is installed, and of the corpus where it is present."""
    more = find_spec("data_store")
    folder = Path(more.origin).parent if more and more.origin else None
    data = files_below(folder) if folder else []
    return [*pydicom_files(), *corpus_files(), *(path for path in data if path.suffix not in {".py", ".pyc"})]


@pytest.fixture(autouse=True)
def _quiet():
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.name)
def test_equals_pydicom(path):
    content = path.read_bytes()
    header = read_header(BytesSource(content), UNLIMITED)
    if content.startswith(GZIP_MAGIC):
        # pydicom gets what is in it.
        content = gzip.decompress(content)
    dataset = pydicom.dcmread(BytesIO(content), stop_before_pixels=header.status is not HeaderStatus.OK, force=True)
    for tag in PIXEL_TAGS:
        dataset.pop(tag, None)
    if header.status in {HeaderStatus.NOT_DICOM, HeaderStatus.EMPTY}:
        assert content[128:132] != b"DICM"
        assert "SOPInstanceUID" not in dataset
        pytest.skip("not DICOM")
    if path.name in NOT_COMPARED:
        pytest.skip(NOT_COMPARED[path.name])
    found = set(differences(header.dataset, by_pydicom(dataset), header))
    assert found == set(DIFFERENCES.get(path.name, ()))
    assert not set(differences(header.file_meta, by_pydicom(dataset.file_meta), header))
    assert header.reader == "walker"
