"""Real files that come with pydicom, each for one property of its encoding."""

import orjson
import pytest

from dicom_assets.dicom.header import header_json, read_header
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.support.corpus import PYDICOM_FILES


def read(name):
    return read_header(BytesSource((PYDICOM_FILES / name).read_bytes()))


@pytest.mark.parametrize(
    ("name", "syntax", "implicit", "little"),
    [
        ("CT_small.dcm", "1.2.840.10008.1.2.1", False, True),
        ("MR_small_implicit.dcm", "1.2.840.10008.1.2", True, True),
        ("MR_small_bigendian.dcm", "1.2.840.10008.1.2.2", False, False),
        ("image_dfl.dcm", "1.2.840.10008.1.2.1.99", False, True),
        ("JPEG2000.dcm", "1.2.840.10008.1.2.4.91", False, True),
        ("ExplVR_BigEndNoMeta.dcm", "1.2.840.10008.1.2.2", False, False),
        ("ExplVR_LitEndNoMeta.dcm", "1.2.840.10008.1.2.1", False, True),
        ("rtstruct.dcm", "1.2.840.10008.1.2", True, True),
    ],
)
def test_encoding(name, syntax, implicit, little):
    header = read(name)
    assert header.status in {HeaderStatus.OK, HeaderStatus.ISSUES}
    assert (header.transfer_syntax, header.implicit_vr, header.little_endian) == (syntax, implicit, little)
    assert header.first("00080060") is not None


@pytest.mark.parametrize("name", ["CT_small.dcm", "JPEG2000.dcm", "image_dfl.dcm", "MR_small_bigendian.dcm"])
def test_pixel_data_is_where_the_header_says(name):
    header = read(name)
    pixel = header.pixel
    data = header.body.read(pixel.offset, pixel.length or 8)
    if pixel.length is None:
        assert data[:4] == b"\xfe\xff\x00\xe0"
    else:
        frame = header.first("00280010") * header.first("00280011") * header.first("00280100") // 8
        assert len(data) == pixel.length == frame


def test_file_meta_stands_apart():
    text = orjson.loads(header_json(read("CT_small.dcm")))
    assert set(text) == {"fileMeta", "dataset"}
    assert all(tag.startswith("0002") for tag in text["fileMeta"])
    assert text["dataset"]["00080060"] == {"vr": "CS", "Value": ["CT"]}
    assert list(text["dataset"]) == sorted(text["dataset"])
    assert not any(tag.endswith("0000") for tag in (*text["fileMeta"], *text["dataset"]))
