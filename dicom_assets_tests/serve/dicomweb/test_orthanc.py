"""The same files in Orthanc: answers are equal, or differ in what the standard leaves to servers."""

from pathlib import Path

import pytest

from dicom_assets_tests.support.orthanc import Orthanc, orthanc_program

pytestmark = pytest.mark.slow  # a server to start and to load

UIDS = ("0020000D", "0020000E", "00080018")
NOT_COMPARED = {"00080005", "00081190"}
"""Encoding of the answer, and address of the server."""

CUT_NAME = {"Alphabetic": "Yamada^Tarou", "Ideographic": "^", "Phonetic": "^"}
"""What Orthanc's store keeps of a name in three scripts."""

EQUAL = (
    "/studies",
    "/studies?limit=3",
    "/studies?PatientID=M1",
    "/studies?PatientID=M*",
    "/studies?PatientID=M?",
    "/studies?PatientID=nobody",
    "/studies?PatientName=MULLER^ANNA",
    "/studies?StudyDate=20210131",
    "/studies?StudyDate=20210101-20221231",
    "/studies?StudyDate=20210131-",
    "/studies?StudyTime=1030-1031",
    "/studies?StudyTime=103015.25",
    "/studies?ModalitiesInStudy=SEG",
    "/studies?ModalitiesInStudy=MR",
    "/studies?StudyInstanceUID=1.2.9.0,1.2.9.1",
    "/studies?AccessionNumber=",
    "/studies?PatientSex=M",
    "/series?Modality=MR",
    "/series?Modality=CT&PatientID=1CT1",
    "/studies/1.2.9.0/series",
    "/studies/1.2.9.0/instances",
    "/studies/1.2.9.0/series/1.2.9.0.0/instances",
    "/instances?SOPClassUID=1.2.840.10008.5.1.4.1.1.7",
    "/instances?InstanceNumber=1",
    "/instances?Rows=8",
)
MORE_HERE = {
    "/studies?PatientName=muller*": "accents make no difference, which PS3.4 C.2.2.2.1 leaves to servers",
    "/studies?PatientName=M%C3%BCller*": "the same",
    "/studies?PatientName=O%27Brien*": "an apostrophe means itself",
    "/studies?StudyDescription=a%25b_c*": "a percent sign means itself",
    "/studies?StudyID=*": "a wild card alone is universal matching (PS3.4 C.2.2.2.4), so that an absent value matches",
    "/series?SeriesNumber=1": "numbers are compared as such, 001 is 1",
    "/series?SeriesDescription=*": "as StudyID",
}
LESS_HERE = {"/studies?StudyDate=-20210131": "a study without a date is in no range of dates (PS3.4 C.2.2.2.5)"}


@pytest.fixture(scope="module")
def orthanc(served_lake, tmp_path_factory):
    program = orthanc_program()
    if program is None:
        pytest.skip("Orthanc with its DICOMweb plugin is not installed (orthanc, orthanc-dicomweb)")
    server = Orthanc(program, tmp_path_factory.mktemp("orthanc"))
    files = sorted(Path(served_lake.root).with_name("archive").rglob("*.dcm"))
    try:
        assert server.load(files) == files
        yield server
    finally:
        server.stop()


def ours(client, path):
    answer = client.get(f"/dicom-web{path}")
    assert answer.status_code in {200, 204}, answer.text
    return answer.json() if answer.content else []


def keyed(matches):
    return {tuple(one.get(tag, {}).get("Value", [""])[0] for tag in UIDS): one for one in matches}


@pytest.mark.parametrize("path", EQUAL)
def test_answers_are_equal(client, orthanc, path):
    here, there = keyed(ours(client, path)), keyed(orthanc.get(path))
    if "limit" in path:  # the order is each server's own
        assert len(here) == len(there)
        return
    assert here.keys() == there.keys()
    for key, match in here.items():
        for tag in (match.keys() & there[key].keys()) - NOT_COMPARED:
            if there[key][tag].get("Value", [{}])[0] != CUT_NAME:
                assert match[tag].get("Value") == there[key][tag].get("Value"), tag


@pytest.mark.parametrize("path", MORE_HERE)
def test_more_is_found_here(client, orthanc, path):
    assert keyed(ours(client, path)).keys() > keyed(orthanc.get(path)).keys(), MORE_HERE[path]


@pytest.mark.parametrize("path", LESS_HERE)
def test_less_is_found_here(client, orthanc, path):
    assert keyed(ours(client, path)).keys() < keyed(orthanc.get(path)).keys(), LESS_HERE[path]


@pytest.mark.parametrize("patient", ["1CT1", "4MR1"])
def test_metadata_is_equal(client, orthanc, patient):
    (study,) = ours(client, f"/studies?PatientID={patient}&limit=1")
    place = f"/studies/{study['0020000D']['Value'][0]}/metadata"
    (here,), (there,) = ours(client, place), orthanc.get(place)
    assert there.keys() - {"00080005", "FFFCFFFC"} <= here.keys(), "the trailing padding is no attribute of the image"
    for tag in (here.keys() & there.keys()) - NOT_COMPARED:
        if "Value" in there[tag]:
            assert here[tag].get("Value") == there[tag]["Value"], tag
