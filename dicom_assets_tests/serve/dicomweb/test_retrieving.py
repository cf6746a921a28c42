"""Metadata, frames, files, bulk data and pictures of real objects, held against pydicom."""

import email.parser
import email.policy
import io
import os
import shutil

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.datadict import tag_for_keyword
from pydicom.pixels import pixel_array
from starlette.testclient import TestClient

from dicom_assets import update_catalog
from dicom_assets.delta.lake import Lake
from dicom_assets.serve.app import create_app
from dicom_assets.serve.site import Limits, Site
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.serve.conftest import FILES
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.whole import put

EXPLICIT = "1.2.840.10008.1.2.1"
STORED = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
PLAIN = f'multipart/related; type="application/octet-stream"; transfer-syntax={EXPLICIT}'
IMAGES = [
    name for name in FILES if name not in {"ExplVR_BigEndNoMeta.dcm", "reportsi.dcm", "rtplan.dcm", "waveform_ecg.dcm"}
]
LOSSY = {"JPEG2000.dcm", "examples_ybr_color.dcm"}
LOSSY |= {"SC_rgb_jpeg_dcmtk.dcm", "SC_ybr_full_422_uncompressed.dcm"}


_NOT_COMPARED = (0x00080005, 0x7FE00010, 0xFFFCFFFC)


def read(name):
    return pydicom.dcmread(PYDICOM_FILES / name, force=True)


def address(dataset):
    return (
        f"/dicom-web/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
        f"/instances/{dataset.SOPInstanceUID}"
    )


def parts(answer):
    assert answer.status_code == 200, answer.text
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + answer.content)
    boundary = message.get_boundary().encode()
    assert answer.content.endswith(b"--" + boundary + b"--\r\n")
    found = []
    for piece in answer.content.split(b"--" + boundary)[1:-1]:
        header, _, body = piece.partition(b"\r\n\r\n")
        found.append((header.decode().strip().removeprefix("Content-Type: "), body.removesuffix(b"\r\n")))
    return found


@pytest.mark.parametrize("name", sorted({*IMAGES} - {"JPEG-lossy.dcm"}))  # of 12 bits, which pydicom declines
def test_uncompressed_frames_are_those_of_pydicom(client, name):
    dataset = read(name)
    (metadata,) = client.get(f"{address(dataset)}/metadata").json()
    numbers = sorted({1, int(dataset.get("NumberOfFrames") or 1)})
    answer = client.get(f"{address(dataset)}/frames/{','.join(map(str, numbers))}", headers={"Accept": PLAIN})
    for number, (kind, data) in zip(numbers, parts(answer), strict=True):
        assert kind == f"application/octet-stream;transfer-syntax={EXPLICIT}"
        expected = pixel_array(dataset, index=number - 1)
        bits = dataset.BitsAllocated
        if bits == 1:
            found = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[: expected.size]
        else:
            found = np.frombuffer(data, f"<{'i' if dataset.PixelRepresentation else 'u'}{bits // 8}")
        planar = metadata.get("00280006", {}).get("Value", [0])[0] and expected.ndim > 2
        found = found[: expected.size]
        found = found.reshape(3, *expected.shape[:2]).transpose(1, 2, 0) if planar else found.reshape(expected.shape)
        difference = np.abs(found.astype(np.int64) - expected.astype(np.int64))
        assert difference.max() <= (3 if name in LOSSY else 0)


@pytest.mark.parametrize("name", IMAGES)
def test_stored_frames_are_sent_as_they_are(client, name):
    dataset = read(name)
    syntax = dataset.file_meta.TransferSyntaxUID
    ((kind, data),) = parts(client.get(f"{address(dataset)}/frames/1", headers={"Accept": STORED}))
    if not syntax.is_encapsulated:
        assert kind == f"application/octet-stream;transfer-syntax={EXPLICIT}"
        return
    assert kind.endswith(f";transfer-syntax={syntax}")
    count = int(dataset.get("NumberOfFrames") or 1)
    assert data == next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=count))


def test_frames_that_are_not_there(client):
    dataset = read("rtdose_rle.dcm")
    for frames, status in (("16", 404), ("0", 400), ("1,", 400), ("a", 400), ("1,16", 404), ("%31", 200)):
        assert client.get(f"{address(dataset)}/frames/{frames}").status_code == status
    assert client.get(f"{address(read('reportsi.dcm'))}/frames/1").status_code == 404


def test_too_many_frames_are_refused(served_lake):
    client = TestClient(create_app(Site(served_lake, limits=Limits(frames=3))), base_url="http://localhost")
    dataset = read("rtdose_rle.dcm")
    assert client.get(f"{address(dataset)}/frames/1,2,3").status_code == 200
    assert client.get(f"{address(dataset)}/frames/1,2,3,4").status_code == 413


@pytest.mark.parametrize("name", FILES)
def test_metadata_is_the_header(client, name):
    dataset = read(name)
    (found,) = client.get(f"{address(dataset)}/metadata").json()
    assert found["00080018"]["Value"] == [dataset.SOPInstanceUID]
    for tag, one in found.items():
        assert "BulkData" not in one
        assert tag.startswith("0002") is False
    ours = {tag for tag in found if tag not in {"00080005", "00081190", "00083002", "7FE00010"}}
    assert ours == {f"{one.tag:08X}" for one in dataset if one.tag not in _NOT_COMPARED and one.tag.element}


def test_metadata_says_what_is_sent(client):
    (found,) = client.get(f"{address(read('SC_ybr_full_422_uncompressed.dcm'))}/metadata").json()
    assert found["00280004"]["Value"] == ["RGB"]
    assert found["00080005"]["Value"] == ["ISO_IR 192"]
    assert found["00083002"]["Value"] == [EXPLICIT]


def test_metadata_of_series_and_studies(client):
    assert len(client.get("/dicom-web/studies/1.2.9.0/series/1.2.9.0.0/metadata").json()) == 2
    assert len(client.get("/dicom-web/studies/1.2.9.0/metadata").json()) == 4
    assert client.get("/dicom-web/studies/1.2.9.0/series/1.2.9.1.0/metadata").status_code == 404
    assert client.get("/dicom-web/studies/9.9/metadata").status_code == 404


@pytest.mark.parametrize("name", FILES)
def test_objects_are_the_files(client, name):
    dataset = read(name)
    asked = 'multipart/related; type="application/dicom"'
    ((kind, data),) = parts(client.get(address(dataset), headers={"Accept": asked}))
    assert kind.startswith("application/dicom;transfer-syntax=")
    stored = (PYDICOM_FILES / name).read_bytes()
    if stored[128:132] == b"DICM":
        assert data == stored
    found = pydicom.dcmread(io.BytesIO(data))
    assert found.SOPInstanceUID == dataset.SOPInstanceUID
    assert client.get(address(dataset), headers={"Accept": "application/dicom"}).content == data


def test_studies_are_sent_part_by_part(client):
    found = parts(client.get("/dicom-web/studies/1.2.9.2"))
    assert len(found) == 4
    assert {pydicom.dcmread(io.BytesIO(data)).StudyInstanceUID for _, data in found} == {"1.2.9.2"}


def test_another_transfer_syntax_is_not_to_be_had(client):
    asked = 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.90'
    assert client.get(address(read("CT_small.dcm")), headers={"Accept": asked}).status_code == 406


def test_bulk_data_by_its_address(client):
    dataset = read("waveform_ecg.dcm")
    (found,) = client.get(f"{address(dataset)}/metadata").json()
    place = found["54000100"]["Value"][0]["54001010"]["BulkDataURI"]
    assert place.endswith("/bulkdata/54000100/0/54001010")
    answer = client.get(place, headers={"Accept": "application/octet-stream"})
    assert answer.content == dataset.WaveformSequence[0].WaveformData
    ((kind, data),) = parts(client.get(place))
    assert (kind, data) == ("application/octet-stream", answer.content)
    for wrong in ("54000100", "54000100/9/54001010", "00100010", "x", "54000100/0", "../../x", "54000100/0/00000000"):
        assert client.get(f"{address(dataset)}/bulkdata/{wrong}").status_code == 404


def test_pixel_data_as_bulk_data(client):
    dataset = read("CT_small.dcm")
    octets = {"Accept": "application/octet-stream"}
    assert client.get(f"{address(dataset)}/bulkdata/7FE00010", headers=octets).content == dataset.PixelData
    assert len(parts(client.get(f"{address(read('rtdose_rle.dcm'))}/bulkdata/7FE00010"))) == 15


@pytest.mark.parametrize(
    ("keyword", "values", "words"),
    [("SelectorATValue", [0x00181063, 0x00200013] * 1000, "<u2"), ("SelectorSVValue", [1, -2] * 1000, "<i8")],
)
def test_bulk_data_of_a_big_endian_file_is_turned_round(tmp_path, keyword, values, words):
    dataset = read("MR_small_bigendian.dcm")
    setattr(dataset, keyword, values)
    (tmp_path / "archive").mkdir()
    dataset.save_as(tmp_path / "archive" / "1.dcm")
    update_catalog(str(tmp_path / "archive"), str(tmp_path / "lake"), engine=InProcess())
    client = TestClient(create_app(Site(Lake(str(tmp_path / "lake")))), base_url="http://localhost")
    place = f"{address(dataset)}/bulkdata/{tag_for_keyword(keyword):08X}"
    found = np.frombuffer(client.get(place, headers={"Accept": "application/octet-stream"}).content, words)
    if keyword == "SelectorATValue":
        found = found[::2].astype(int) << 16 | found[1::2]
    assert found.tolist() == values


def opened(answer):
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


@pytest.mark.parametrize("name", IMAGES)
def test_pictures(client, name):
    dataset = read(name)
    picture = opened(client.get(f"{address(dataset)}/rendered", headers={"Accept": "image/png"}))
    assert picture.format == "PNG"
    assert max(picture.size) == max(dataset.Rows, dataset.Columns)
    assert opened(client.get(f"{address(dataset)}/frames/1/rendered")).format in {"JPEG", "PNG"}
    assert max(opened(client.get(f"{address(dataset)}/thumbnail")).size) <= 256


def test_pictures_look_as_they_are_asked_for(client):
    place = f"{address(read('CT_small.dcm'))}/rendered"
    png = {"Accept": "image/png"}
    windows = ("3000,100", "-3000,100")
    dark, bright = (np.asarray(opened(client.get(f"{place}?window={one}", headers=png))) for one in windows)
    assert dark.mean() < 5
    assert bright.mean() > 250
    assert opened(client.get(f"{place}?viewport=64,32", headers=png)).size == (32, 32)
    whole = np.asarray(opened(client.get(place, headers=png)))
    part = np.asarray(opened(client.get(f"{place}?viewport=20,20,10,30,20,20", headers=png)))
    assert np.abs(part.astype(int) - whole[30:50, 10:30].astype(int)).max() <= 24
    turned = np.asarray(opened(client.get(f"{place}?viewport=20,20,10,30,-20,20", headers=png)))
    assert np.array_equal(turned, part[:, ::-1])
    low, high = (len(client.get(f"{place}?viewport=120,120&quality={q}").content) for q in (10, 95))
    assert low < high


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("window=1", 400),
        ("window=1,0", 400),
        ("window=nan,1", 400),
        ("viewport=0,0", 400),
        ("viewport=99999,9", 400),
        ("viewport=10,10,500,500,5,5", 400),
        ("quality=0", 400),
        ("quality=1000", 400),
        ("quality=abc", 400),
        ("accept=text/html", 406),
    ],
)
def test_pictures_that_cannot_be(client, query, status):
    assert client.get(f"{address(read('CT_small.dcm'))}/rendered?{query}").status_code == status


def test_there_is_no_picture_of_a_report(client):
    for kind in ("rendered", "thumbnail", "frames/1/rendered"):
        assert client.get(f"{address(read('reportsi.dcm'))}/{kind}").status_code == 404


@pytest.fixture
def own(tmp_path):
    put(tmp_path / "archive" / "a" / "1.dcm", 1, when=1_600_000_000)
    update_catalog(str(tmp_path / "archive"), str(tmp_path / "lake"), engine=InProcess())
    client = TestClient(create_app(Site(Lake(str(tmp_path / "lake")))), base_url="http://localhost")
    return tmp_path / "archive" / "a" / "1.dcm", client


OWN = "/dicom-web/studies/1.2.4.1/series/1.2.5.1/instances/1.2.3.1"
FROM_THE_FILE = ("/frames/1", "", "/rendered", "/bulkdata/7FE00010")


def test_a_file_that_changed_is_gone(own):
    path, client = own
    path.write_bytes(path.read_bytes()[:-1] + b"\x99")
    for what in FROM_THE_FILE:
        answer = client.get(OWN + what)
        assert answer.status_code == 410, what
        assert str(path.parent) not in answer.text
    assert client.get(f"{OWN}/metadata").status_code == 200


def test_a_file_that_is_not_there_is_not_found(own):
    path, client = own
    path.unlink()
    for what in FROM_THE_FILE:
        answer = client.get(OWN + what)
        assert answer.status_code == 404, what
        assert str(path.parent) not in answer.text


def test_an_archive_that_was_moved_is_read_where_it_is(own, tmp_path):
    path, client = own
    shutil.copytree(path.parents[1], tmp_path / "elsewhere")
    shutil.rmtree(path.parents[1])
    assert client.get(f"{OWN}/frames/1").status_code == 404
    site = Site(Lake(str(tmp_path / "lake")), source=str(tmp_path / "elsewhere"))
    assert TestClient(create_app(site), base_url="http://localhost").get(f"{OWN}/frames/1").status_code == 200


def test_a_file_that_was_cut_is_not_sent_as_whole(tmp_path):
    put(tmp_path / "archive" / "a" / "1.dcm", 1)
    path = tmp_path / "archive" / "a" / "1.dcm"
    os.truncate(path, path.stat().st_size - 10)
    update_catalog(str(tmp_path / "archive"), str(tmp_path / "lake"), engine=InProcess())
    client = TestClient(create_app(Site(Lake(str(tmp_path / "lake")))), base_url="http://localhost")
    answer = client.get(f"{OWN}/frames/1")
    assert answer.status_code == 404
    assert "cut short" in answer.text
