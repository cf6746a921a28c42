"""Searches over a real lake: what is found, what is returned, and which part of it."""

import pytest

BASE = "/dicom-web"
NAME, ID, STUDY, SERIES, INSTANCE = "00100010", "00100020", "0020000D", "0020000E", "00080018"


def search(client, path, status=200):
    answer = client.get(BASE + path)
    assert answer.status_code == status, answer.text
    return answer.json() if status == 200 else answer


def first(match, tag):
    return match[tag]["Value"][0]


def patients(client, query):
    answer = client.get(f"{BASE}/studies?{query}")
    assert answer.status_code in {200, 204}, answer.text
    return sorted(first(match, ID) for match in (answer.json() if answer.content else []))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("PatientID=M1", ["M1"]),
        ("00100020=M1", ["M1"]),
        ("PatientID=M?", ["M0", "M1", "M2", "M3"]),
        ("PatientName=MULLER^*", ["M0", "M1"]),
        ("PatientName=%E5%B1%B1%E7%94%B0*", ["M3"]),
        ("PatientName=jurgen&fuzzymatching=true", ["M0"]),
        ("PatientName=jurgen", []),
        ("PatientName=O%27Brien^100%25*", ["M2"]),
        ("StudyDescription=a%25b_c*", ["M2"]),
        ("StudyDescription=a%25*&PatientID=M?", ["M2"]),
        ("StudyDate=20210101-20221231&PatientID=M*", ["M1", "M2"]),
        ("StudyTime=1030&PatientID=M*", ["M0", "M1", "M2", "M3"]),
        ("ModalitiesInStudy=SEG&PatientID=M*", ["M0", "M1", "M2", "M3"]),
        ("ModalitiesInStudy=SEG,CT&PatientID=M0,M1", []),
        ("StudyInstanceUID=1.2.9.0,1.2.9.3", ["M0", "M3"]),
        ("PatientWeight=61", ["M1"]),
        ("00101030=61.0", ["M1"]),
        ("PatientID=%27%20OR%201=1%20--", []),
    ],
)
def test_studies_are_found(client, query, expected):
    assert patients(client, query) == expected


def test_a_study_is_described(client):
    (match,) = search(client, "/studies?PatientID=M0")
    assert first(match, NAME) == {"Alphabetic": "Müller^Jürgen"}
    assert first(match, "00080020") == "20200131"
    assert first(match, "00080030") == "103015.25"
    assert match["00080061"]["Value"] == ["MR", "SEG"]
    assert (first(match, "00201206"), first(match, "00201208")) == (2, 4)
    assert first(match, "00080056") == "ONLINE"
    assert first(match, "00081190") == "http://localhost/dicom-web/studies/1.2.9.0"
    assert match["00080090"] == {"vr": "PN"}
    assert list(match) == sorted(match)


def test_counts_are_of_the_whole_study_whatever_matched(client):
    (match,) = search(client, "/studies?PatientID=M0&Modality=SEG")
    assert first(match, "00201208") == 4


def test_series_of_a_study_and_of_all(client):
    matches = search(client, "/studies/1.2.9.1/series")
    assert [first(match, SERIES) for match in matches] == ["1.2.9.1.0", "1.2.9.1.1"]
    assert [first(match, "00201209") for match in matches] == [2, 2]
    assert NAME not in matches[0]
    (match,) = search(client, "/series?PatientID=M1&Modality=MR")
    assert first(match, NAME) == {"Alphabetic": "Muller^Anna"}
    assert first(match, "00201208") == 4


def test_instances_at_each_place(client):
    assert len(search(client, "/studies/1.2.9.1/instances")) == 4
    matches = search(client, "/studies/1.2.9.1/series/1.2.9.1.0/instances")
    assert [first(match, "00200013") for match in matches] == [0, 1]
    assert first(matches[0], "00080060") == "MR" if "00080060" in matches[0] else True
    assert len(search(client, "/instances?PatientID=M1")) == 4


def test_attributes_that_are_asked_for(client):
    (match,) = search(client, "/studies?PatientID=M1&includefield=PatientWeight,00101010")
    assert first(match, "00101030") == 61
    (match,) = search(client, "/studies?PatientID=M1&includefield=all")
    assert first(match, "00101030") == 61
    assert "00280010" not in match, "of no study but of its images"
    match = search(client, "/instances?PatientID=M1&includefield=all&limit=1")[0]
    assert first(match, "00280010") == 8
    (match,) = search(client, "/studies?PatientID=M1&PatientWeight=")
    assert first(match, "00101030") == 61


def test_pages_are_parts_of_one_order(client):
    everything = [first(match, STUDY) for match in search(client, "/studies")]
    pages = [
        first(match, STUDY)
        for offset in range(0, len(everything), 3)
        for match in search(client, f"/studies?limit=3&offset={offset}")
    ]
    assert pages == everything
    assert len(set(everything)) == len(everything)
    dates = [match["00080020"].get("Value", [""])[0] for match in search(client, "/studies")]
    assert dates == sorted(dates, reverse=True)


def test_nothing_found_is_no_content(client):
    for path in ("/studies?PatientID=nobody", "/studies/9.9/series", "/studies?limit=0", "/studies?offset=99999"):
        assert search(client, path, 204).content == b""


def test_what_was_left_out_is_said(client, served_lake):
    from starlette.testclient import TestClient

    from dicom_assets.serve.app import create_app
    from dicom_assets.serve.site import Limits, Site

    small = TestClient(create_app(Site(served_lake, limits=Limits(results=2))), base_url="http://localhost")
    answer = small.get(f"{BASE}/studies")
    assert len(answer.json()) == 2
    assert "additional results" in answer.headers["warning"]
    assert "warning" not in small.get(f"{BASE}/studies?limit=2").headers
    assert "not supported" in client.get(f"{BASE}/studies?limit=1&orderby=x").headers["warning"]


@pytest.mark.parametrize(
    "query", ["PatientIds=1", "limit=a", "StudyDate=x", "00400275=x", "fuzzymatching=3", "includefield=x"]
)
def test_what_has_no_sense_is_refused(client, query):
    answer = search(client, f"/studies?{query}", 400)
    assert len(answer.text.splitlines()) == 1


def test_only_json_is_served(client):
    assert client.get(f"{BASE}/studies?limit=1", headers={"Accept": "application/json"}).status_code == 200
    assert client.get(f"{BASE}/studies?limit=1&accept=text/html").status_code == 406
    xml = 'multipart/related; type="application/dicom+xml"'
    assert client.get(f"{BASE}/studies", headers={"Accept": xml}).status_code == 406


def test_a_copy_counts_once(client):
    (match,) = search(client, "/series?PatientID=M1&Modality=SEG")
    assert first(match, "00201209") == 2
