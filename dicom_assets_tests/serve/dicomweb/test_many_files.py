"""Five hundred files in Orthanc and here: every difference is one that the standard explains.

The files are pydicom's, those of the corpus beside the checkout, and slices that are made; one for each SOP Instance
that Orthanc takes. What is asked follows from what the files hold.
"""

import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pydicom
import pytest
from pydicom.errors import InvalidDicomError
from starlette.testclient import TestClient

from benchmarks.mr_files import write_mr_files
from dicom_assets import update_catalog
from dicom_assets.delta.lake import Lake
from dicom_assets.serve.app import create_app
from dicom_assets.serve.site import Site
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.corpus import corpus_files, pydicom_files
from dicom_assets_tests.support.orthanc import Orthanc, orthanc_program

pytestmark = pytest.mark.slow  # a server to start and to load

FILES = 500
UIDS = ("0020000D", "0020000E", "00080018")
MORE = ("00080201", "00400244", "00400245")
"""Returned when they are asked for: no column holds them."""

Dataset = dict[str, Any]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    if not corpus_files():
        pytest.skip("the corpus of real files is not beside the checkout")
    made = write_mr_files(tmp_path_factory.mktemp("made"), FILES // 2)
    return [*pydicom_files(), *corpus_files(), *made]


@pytest.fixture(scope="module")
def servers(files, tmp_path_factory) -> Iterator[tuple[TestClient, Orthanc]]:
    program = orthanc_program()
    if program is None:
        pytest.skip("Orthanc with its DICOMweb plugin is not installed (orthanc, orthanc-dicomweb)")
    folder = tmp_path_factory.mktemp("both")
    (folder / "archive").mkdir()
    server = Orthanc(program, folder)
    try:
        seen: set[str] = set()
        for path in files:
            uid = _instance_of(path)
            if len(seen) < FILES and uid and uid not in seen and server.load([path]):
                seen.add(uid)
                shutil.copy(path, folder / "archive" / f"{len(seen):03d}.dcm")
        assert len(seen) == FILES
        update_catalog(str(folder / "archive"), str(folder / "lake"), engine=InProcess())
        site = Site(Lake(str(folder / "lake")))
        yield TestClient(create_app(site), base_url="http://localhost", follow_redirects=False), server
    finally:
        server.stop()


def _instance_of(path: Path) -> str:
    try:
        return str(pydicom.dcmread(path, stop_before_pixels=True, force=True).get("SOPInstanceUID", ""))
    except (InvalidDicomError, OSError, EOFError, ValueError, AttributeError, KeyError, TypeError, NotImplementedError):
        return ""


def _asked(studies: dict[tuple[str, ...], Dataset]) -> Iterator[str]:
    """Yield searches, and metadata of all studies."""
    yield from ("/studies", "/series", "/instances", "/studies?limit=1000&offset=0", "/studies?PatientID=*")
    for keyword, tag in (("PatientID", "00100020"), ("StudyDate", "00080020"), ("AccessionNumber", "00080050")):
        yield from (f"/studies?{keyword}={value}" for value in _values(studies, tag))
    for name in _values(studies, "00100010"):
        # Orthanc 1.10 does not take "%20" for a space.
        yield f"/studies?PatientName={name['Alphabetic'].replace(' ', '?')}"
    for modality in _values(studies, "00080061"):
        yield f"/studies?ModalitiesInStudy={modality}"
        yield f"/series?Modality={modality}"
    for study, *_ in studies:
        yield f"/studies?StudyInstanceUID={study}"
        yield from (f"/studies/{study}/{below}" for below in ("series", "instances", "metadata"))


def _values(studies: dict[tuple[str, ...], Dataset], tag: str) -> list[Any]:
    """Return the values of an attribute that are ASCII text which has no meaning of its own in a search."""
    found: list[Any] = []
    for study in studies.values():
        for value in study.get(tag, {}).get("Value", []):
            text = value.get("Alphabetic", "") if isinstance(value, dict) else str(value)
            if text and text.isascii() and not set("*?,\\#&+%=") & set(text) and value not in found:
                found.append(value)
    return found


def test_every_difference_is_explained(servers):
    client, orthanc = servers
    reasons: Counter[str] = Counter()
    unexplained: list[str] = []
    asked = equal = 0
    for path in _asked(_keyed(orthanc.get("/studies"))):
        there = _keyed(orthanc.get(path))
        here = _keyed(_ours(client, path))
        found = list(_differences(path, here, there))
        asked, equal = asked + 1, equal + (not found)
        reasons.update(reason for reason, _ in found if reason)
        unexplained += [f"{path}: {text}" for reason, text in found if not reason]
    print(f"{FILES} files, {asked} asked, {equal} equal; others:")
    for reason, times in reasons.most_common():
        print(f"{times:6} {reason}")
    assert not unexplained, "\n".join([f"{len(unexplained)} differences", *unexplained[:40]])
    assert asked > 300
    assert equal > asked / 3


def _ours(client: TestClient, path: str) -> list[Dataset]:
    place, _, query = path.partition("?")
    pairs = [pair.split("=", 1) for pair in query.split("&") if pair]
    if not place.endswith("metadata"):
        pairs += [["includefield", tag] for tag in MORE]
    answer = client.get(f"/dicom-web{place}?" + "&".join(f"{name}={quote(value)}" for name, value in pairs))
    assert answer.status_code in {200, 204}, (path, answer.text)
    return answer.json() if answer.content else []


def _keyed(matches: list[Dataset]) -> dict[tuple[str, ...], Dataset]:
    return {tuple((one.get(tag, {}).get("Value") or [""])[0] for tag in UIDS): one for one in matches}


def _differences(
    path: str, here: dict[tuple[str, ...], Dataset], there: dict[tuple[str, ...], Dataset]
) -> Iterator[tuple[str, str]]:
    """Yield why answers differ, empty where nothing explains it, and what differs."""
    for key in here.keys() ^ there.keys():
        match = here.get(key) or there[key]
        found = (reason for reason, explains in _OTHERS if explains(path.partition("=")[2], key in here, match))
        yield next(found, ""), f"{'only here' if key in here else 'only in Orthanc'}: {key}"
    for key in here.keys() & there.keys():
        yield from _of_datasets(path, here[key], there[key])


_OF_SERIES = "a series has all modalities that its instances state; in Orthanc that of the first one"

_OTHERS: tuple[tuple[str, Callable[[str, bool, Dataset], bool]], ...] = (
    ("a wild card alone is universal matching (PS3.4 C.2.2.2.4)", lambda value, here, _: here and value == "*"),
    (_OF_SERIES, lambda value, here, _: here and value == "SR"),
    (
        "a name without '=' is looked for in each of its groups",
        lambda value, here, match: here and "^" in value and len(match["00100010"]["Value"][0]) > 1,
    ),
    ("a name of nothing but separators is none", lambda value, here, _: not here and not value.strip("^")),
)
"""Why an answer has a match that the other has not, by the value that was searched for."""


@dataclass(frozen=True)
class _Difference:
    """An attribute that is another one here than in Orthanc."""

    path: str
    tag: str
    one: dict[str, Any]
    other: dict[str, Any]

    @property
    def searched(self) -> bool:
        return not self.path.endswith("metadata")

    @property
    def values(self) -> list[Any]:
        found: list[Any] = self.one.get("Value", [])
        return found

    @property
    def others(self) -> list[Any]:
        found: list[Any] = self.other.get("Value", [])
        return found

    def is_of(self, *kinds: str) -> bool:
        return self.other["vr"] in kinds

    def are_names(self) -> bool:
        return self.is_of("PN") and not all("".join(name.values()).isascii() for name in self.values)

    def are_told_otherwise(self) -> bool:
        """Return whether a date or time is the same but for its form, or has no value here because it is none."""
        digits = ["".join(filter(str.isdigit, str(value))) for value in self.others]
        return not self.values or [str(value).replace(".", "").rstrip("0") for value in self.values] == [
            value.rstrip("0") for value in digits
        ]

    def are_close(self) -> bool:
        pairs = zip(self.values, self.others, strict=False)
        return len(self.values) == len(self.others) and all(
            math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-15) for one, other in pairs
        )


_OF_STUDIES = {
    *("00080020", "00080030", "00080050", "00080061", "00080090", "00081030", "00100010", "00100020", "00100030"),
    *("00100040", "00200010", "00201206", "00201208", "00081190"),
}

_REASONS: tuple[tuple[str, Callable[[_Difference], bool]], ...] = (
    (
        "attributes of the study are not repeated with its series and instances (PS3.18 10.6.3.3.2)",
        lambda its: not its.one and its.tag in _OF_STUDIES and its.path.startswith("/studies/"),
    ),
    (
        "dates and times are told in the form of PS3.5, whatever the file has; what is none has no value",
        lambda its: its.searched and its.is_of("DA", "TM") and its.are_told_otherwise(),
    ),
    (
        _OF_SERIES,
        lambda its: (
            its.searched
            and ((its.tag == "00080061" and set(its.values) > set(its.others)) or its.tag in {"00080060", "0008103E"})
        ),
    ),
    (
        "names have all their characters; Orthanc reads one character set, and its index has those of Latin-1",
        _Difference.are_names,
    ),
    ("the trailing padding is no attribute (PS3.10 7.2)", lambda its: its.tag == "FFFCFFFC"),
    (
        "bytes are told inline where they are few (PS3.18 F.2.2)",
        lambda its: "BulkDataURI" in its.other and "InlineBinary" in its.one,
    ),
    (
        "private attributes in UN are read by the dictionary of private attributes",
        lambda its: "BulkDataURI" in its.other and int(its.tag[:4], 16) % 2 == 1 and bool(its.values),
    ),
    (
        "a backslash is text in LT, ST and UT (PS3.5 6.2)",
        lambda its: its.is_of("LT", "ST", "UT") and its.values == ["\\".join(part or "" for part in its.others)],
    ),
    (
        "a backslash separates values, whatever it looks like in the character set (PS3.5 6.1.2.5.3)",
        lambda its: (its.is_of("DS") and not its.others) or any("¥" in str(value) for value in its.others),
    ),
    ("numbers that are nearly 0 stay what they are", lambda its: its.is_of("FL", "FD", "DS") and its.are_close()),
    (
        "spaces at the end are padding (PS3.5 6.2)",
        lambda its: its.values == [value.strip(" ") if isinstance(value, str) else value for value in its.others],
    ),
    (
        "what is no number is told as the text that it is",
        lambda its: its.is_of("IS") and bool(its.values) and not its.others,
    ),
    (
        "pixels in YBR_FULL_422 that are not compressed are sent, and announced, as RGB",
        lambda its: (its.tag, its.values, its.others) == ("00280004", ["RGB"], ["YBR_FULL_422"]),
    ),
)
"""Why an attribute may differ."""


def _of_datasets(path: str, here: Dataset, there: Dataset) -> Iterator[tuple[str, str]]:
    for tag in there.keys() - {"00080005", "00081190"}:  # the encoding of the answer, and the address of the server
        its = _Difference(path, tag, here.get(tag, {}), there[tag])
        if its.one.get("vr") == "SQ" and len(its.values) == len(its.others):
            for item, other in zip(its.values, its.others, strict=True):
                yield from _of_datasets(path, item or {}, other or {})
        elif its.values != its.others or ("BulkDataURI" in its.one) != ("BulkDataURI" in its.other):
            found = (reason for reason, explains in _REASONS if explains(its))
            yield next(found, ""), f"{tag}: {str(its.one)[:120]} here, {str(its.other)[:120]} there"
