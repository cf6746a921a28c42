"""What pydicom writes, the walker reads: data sets at random, in every syntax."""

import datetime as dt
from collections import defaultdict
from io import BytesIO

import pydicom
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicom_assets.dicom.header import header_json, read_header
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.support.dicom.comparison import by_pydicom, differences

ALPHABETS = {
    "": "abcXYZ 019.-",
    "ISO_IR 100": "aé ßøÿ",
    "ISO_IR 101": "aąłž",
    "ISO_IR 126": "aδβω",
    "ISO_IR 144": "aЖщя",
    "ISO_IR 138": "aשרמ",
    "ISO_IR 166": "aกข",
    "ISO_IR 192": "aéЖ山홍😀",
    "GB18030": "a王东乗é",
}


def tags_by_vr():
    """Return some tags of the dictionary for each VR; those that change how others are read are left out."""
    found = defaultdict(list)
    for tag, (vr, _, _, retired, _) in DicomDictionary.items():
        group = tag >> 16
        if retired or group in {0x0000, 0x0002, 0x0004, 0x7FE0, 0xFFFC, 0xFFFE, 0x0028} or tag == 0x00080005:
            continue
        found[vr].append(tag)
    return {vr: tags[:: max(len(tags) // 12, 1)] for vr, tags in found.items() if len(vr) == 2}


TAGS = tags_by_vr()


def text(alphabet, longest):
    return st.text(alphabet, min_size=1, max_size=longest).map(str.strip).filter(bool)


def names(alphabet):
    component = st.text(alphabet.replace(" ", ""), min_size=1, max_size=8)
    group = st.lists(component, min_size=1, max_size=5).map("^".join)
    return st.lists(group, min_size=1, max_size=3).map("=".join)


def several(values, most=3):
    return st.lists(values, min_size=1, max_size=most).map(lambda found: found if len(found) > 1 else found[0])


def raw_bytes(unit):
    return st.binary(min_size=0, max_size=64).map(lambda raw: raw[: len(raw) // unit * unit]).map(even)


def even(raw):
    return raw + b"\0" * (len(raw) % 2)


def integers(bits, *, signed):
    half = 1 << (bits - 1)
    return st.integers(-half, half - 1) if signed else st.integers(0, 2 * half - 1)


DATES = st.dates(dt.date(1000, 1, 1)).map(lambda day: day.strftime("%Y%m%d"))
TIMES = st.times().map(lambda time: time.strftime("%H%M%S.%f"))
UIDS = st.lists(st.integers(0, 10**9), min_size=2, max_size=6).map(lambda parts: ".".join(map(str, parts)))
OFFSETS = st.sampled_from(["", "+0000", "-0130", "+1400"])


def values(vr, alphabet):
    """Return a strategy for values that keep the rules of a VR."""
    return {
        "AE": lambda: several(text("ABC_1 ", 16)),
        "AS": lambda: several(st.from_regex(r"\A[0-9]{3}[DWMY]\Z")),
        "AT": lambda: several(st.integers(0, (1 << 32) - 1)),
        "CS": lambda: several(text("ABC_1 ", 16)),
        "DA": lambda: several(DATES),
        "DS": lambda: several(st.floats(-1e9, 1e9).map(lambda number: f"{number:.8g}")),
        "DT": lambda: several(st.tuples(DATES, TIMES, OFFSETS).map(lambda parts: "".join(parts)[:26])),
        "FD": lambda: several(st.floats()),
        "FL": lambda: several(st.floats(width=32)),
        "IS": lambda: several(integers(32, signed=True)),
        "LO": lambda: several(text(alphabet, 64)),
        "LT": lambda: text(alphabet + "\n", 200),
        "OB": lambda: raw_bytes(1),
        "OD": lambda: raw_bytes(8),
        "OF": lambda: raw_bytes(4),
        "OL": lambda: raw_bytes(4),
        "OV": lambda: raw_bytes(8),
        "OW": lambda: raw_bytes(2),
        "PN": lambda: several(names(alphabet)),
        "SH": lambda: several(text(alphabet, 16)),
        "SL": lambda: several(integers(32, signed=True)),
        "SS": lambda: several(integers(16, signed=True)),
        "ST": lambda: text(alphabet + "\n", 200),
        "SV": lambda: several(integers(64, signed=True)),
        "TM": lambda: several(TIMES),
        "UC": lambda: several(text(alphabet, 100)),
        "UI": lambda: several(UIDS),
        "UL": lambda: several(integers(32, signed=False)),
        "UN": lambda: raw_bytes(1),
        "UR": lambda: text("abc:/?#", 40),
        "US": lambda: several(integers(16, signed=False)),
        "UT": lambda: text(alphabet + "\n", 200),
        "UV": lambda: several(integers(64, signed=False)),
    }[vr]()


VRS = ["AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OD", "OF", "OL", "OV", "OW", "PN"]
VRS += ["SH", "SL", "SS", "ST", "SV", "TM", "UC", "UI", "UL", "UR", "US", "UT", "UV"]


@st.composite
def data_sets(draw, depth=0):
    dataset = Dataset()
    alphabet = draw(st.shared(st.sampled_from(sorted(ALPHABETS)), key="charset"))
    for _ in range(draw(st.integers(0, 6))):
        vr = draw(st.sampled_from(VRS))
        tag = draw(st.sampled_from(TAGS[vr])) if vr in TAGS else 0x00091001
        if tag == 0x00091001:
            continue
        dataset.add_new(tag, vr, draw(st.one_of(values(vr, ALPHABETS[alphabet]), st.none())))
    if draw(st.booleans()):
        block = dataset.private_block(0x0029, "PROPERTY TESTS", create=True)
        for offset in range(draw(st.integers(0, 3))):
            vr = draw(st.sampled_from([*VRS, "UN"]))
            block.add_new(offset, vr, draw(values(vr, ALPHABETS[alphabet])))
    if depth < 3:
        for _ in range(draw(st.integers(0, 2))):
            items = draw(st.lists(data_sets(depth + 1), max_size=3))
            for item in items:
                item.is_undefined_length_sequence_item = draw(st.booleans())
            tag = draw(st.sampled_from(TAGS["SQ"]))
            dataset.add_new(tag, "SQ", items)
            dataset[tag].is_undefined_length = draw(st.booleans())
    return dataset


@st.composite
def files(draw):
    dataset = draw(data_sets())
    charset = draw(st.shared(st.sampled_from(sorted(ALPHABETS)), key="charset"))
    syntax = draw(
        st.sampled_from(
            [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
        )
    )
    if charset:
        dataset.SpecificCharacterSet = charset
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    dataset.SOPInstanceUID = "1.2.3"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(files())
def test_reads_what_pydicom_writes(content):
    header = read_header(BytesSource(content))
    dataset = pydicom.dcmread(BytesIO(content))
    assert not list(differences(header.dataset, by_pydicom(dataset), header))
    assert not list(differences(header.file_meta, by_pydicom(dataset.file_meta), header))
    assert header.issues == ()
    assert header.status is HeaderStatus.OK
    assert header.reader == "walker"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(files(), st.integers(200, 600))
def test_the_window_changes_nothing(content, head_bytes):
    whole = read_header(BytesSource(content))
    parts = read_header(BytesSource(content), HeaderLimits(head_bytes=head_bytes))
    assert header_json(parts) == header_json(whole)
    assert parts.status is whole.status


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(files(), st.data())
def test_a_cut_file_keeps_its_beginning(content, data):
    whole = read_header(BytesSource(content))
    cut = read_header(BytesSource(content[: data.draw(st.integers(0, len(content)))]))
    assert cut.status in {HeaderStatus.EMPTY, HeaderStatus.NOT_DICOM, HeaderStatus.TRUNCATED, HeaderStatus.OK}
    complete = list(cut.dataset)[: -1 if cut.status is HeaderStatus.TRUNCATED else None]
    assert all(cut.dataset[tag] == whole.dataset[tag] for tag in complete)
