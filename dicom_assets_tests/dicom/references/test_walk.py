"""What is found equals what pydicom's walk finds, in real files and in made-up ones of any shape."""

import io
from collections import Counter

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.references import read_related
from dicom_assets.dicom.references.collect import sequence_path
from dicom_assets.dicom.references.sop_classes import is_about_others
from dicom_assets.dicom.references.walk import ItemWalk
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.support.corpus import CORPUS, corpus_files, pydicom_files
from dicom_assets_tests.support.dicom.derived import whole
from dicom_assets_tests.support.dicom.walked import items_below, listed, walked

REPORT = "1.2.840.10008.5.1.4.1.1.88.33"
SEQUENCES = ("ContentSequence", "ReferencedSOPSequence", "ReferencedSeriesSequence", "SourceImageSequence")
UIDS = st.sampled_from([f"1.2.{number}" for number in range(5)])


def about_others(paths):
    """Yield the readable files among some that are about others, with their headers."""
    for path in paths:
        header = read_header(BytesSource(path.read_bytes()))
        sop_class = header.first("00080016")
        if header.status in (HeaderStatus.OK, HeaderStatus.ISSUES) and sop_class and is_about_others(sop_class):
            yield path, header


@pytest.mark.parametrize("source", ["pydicom", "corpus"])
def test_real_files(source):
    if source == "corpus" and not CORPUS.exists():
        pytest.skip(f"there is no corpus at {CORPUS}")
    seen: Counter[str] = Counter()
    for path, header in about_others(pydicom_files() if source == "pydicom" else corpus_files()):
        dataset = pydicom.dcmread(path, force=True)
        related = read_related(header)
        assert listed(related) == walked(dataset), path
        assert related.incomplete == (), path
        assert len(related.segments or ()) == len(dataset.get("SegmentSequence") or ()), path
        assert [roi.name for roi in related.regions or ()] == [
            str(roi.get("ROIName") or "").strip() or None for roi in dataset.get("StructureSetROISequence") or ()
        ], path
        seen[header.first("00080060")] += 1
    assert seen.total() > 5, seen


@st.composite
def datasets(draw, depth=0):
    made = Dataset()
    for keyword in draw(st.sets(st.sampled_from(SEQUENCES), max_size=3 if depth < 3 else 0)):
        setattr(made, keyword, draw(st.lists(datasets(depth + 1), max_size=4)))
    for keyword in draw(st.sets(st.sampled_from(["ReferencedSOPClassUID", "StudyInstanceUID", "SeriesInstanceUID"]))):
        setattr(made, keyword, draw(UIDS))
    if draw(st.booleans()):
        made.ReferencedSOPInstanceUID = draw(UIDS | st.just(""))
    if draw(st.booleans()):
        made.ReferencedFrameNumber = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))
    if draw(st.booleans()):
        made.TextValue = "x" * draw(st.integers(0, 300))
    return made


def written(tree, *, implicit, undefined):
    """Return a report with the content of a tree."""
    made = whole(REPORT, "1.2.3", "1.2.4")
    made.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    made.update({element.tag: element for element in tree if element.VR == "SQ"})
    for _, item in items_below(made):
        item.is_undefined_length_sequence_item = undefined
    for element in made.iterall():
        if element.VR == "SQ":
            element.is_undefined_length = undefined
    sink = io.BytesIO()
    made.save_as(sink, enforce_file_format=True)
    return sink.getvalue()


@settings(max_examples=50)
@given(datasets(), st.booleans(), st.booleans(), st.sampled_from([0, 60, 500, 1 << 20]))
def test_made_up_files(tree, implicit, undefined, kept):
    content = written(tree, implicit=implicit, undefined=undefined)
    limits = HeaderLimits(sequence_bytes=kept)
    header = read_header(BytesSource(content), limits)
    dataset = pydicom.dcmread(io.BytesIO(content))

    related = read_related(header)
    assert listed(related) == walked(dataset)
    walk = ItemWalk(header, 10_000, limits=limits)
    assert Counter(sequence_path(visited.tags) for visited in walk) == Counter(
        ".".join(path) for path, _ in items_below(dataset)
    )
    assert not walk.incomplete
    _check_context(related, dataset)


def _check_context(related, dataset):
    """The series is that of the nearest item around that has one; without one, a series known from another place."""
    stated = {}
    for path, instance, series in _contexts(dataset):
        stated.setdefault((path, instance), set()).add(series)
    found = {}
    for reference in related.references or ():
        found.setdefault((reference.sequence, reference.instance_uid), set()).add(reference.series_uid)
    assert found.keys() == stated.keys()
    for (path, instance), series in stated.items():
        known = {uid for (_, other), uids in stated.items() if other == instance for uid in uids if uid}
        ours = found[path, instance]
        assert series - {None} <= ours
        assert ours - series <= known
        assert (None in ours) is (None in series and not known)


def _contexts(dataset, names=(), series=None):
    for element in dataset:
        if element.VR == "SQ":
            inner = (*names, element.keyword)
            for item in element.value:
                nearest = item.get("SeriesInstanceUID") or series
                if instance := item.get("ReferencedSOPInstanceUID"):
                    yield ".".join(inner), instance, nearest
                yield from _contexts(item, inner, nearest)
