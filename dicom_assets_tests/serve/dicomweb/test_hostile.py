"""Requests that nobody means well with: an answer each, never a fault of the server, nothing that it may not tell."""

import resource
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CT = "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"
SERIES = "1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322"
INSTANCE = "1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322"
OBJECT = f"/dicom-web/studies/{CT}/series/{SERIES}/instances/{INSTANCE}"

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "../../etc/passwd",
            "%00",
            "\0",
            "'; DROP TABLE x",
            "1" * 500,
            "*" * 50,
            "?",
            "\\",
            "-",
            "20240101-",
            '""',
        ]
    ),
)
NAMES = st.one_of(
    st.sampled_from(
        [
            "PatientName", "StudyDate", "StudyTime", "PatientID", "ModalitiesInStudy", "StudyInstanceUID", "Rows",
            "RequestAttributesSequence.StudyInstanceUID", "AcquisitionDateTime", "PixelData", "NumberOfFrames",
            "includefield", "limit", "offset", "fuzzymatching", "accept", "00080061", "SpecificCharacterSet",
        ]
    ),
    st.text(max_size=12),
)  # fmt: skip
PATHS = st.sampled_from(
    ["/dicom-web/studies", "/dicom-web/series", "/dicom-web/instances", f"/dicom-web/studies/{CT}/series", OBJECT]
)
ENDS = st.sampled_from(
    ["", "/metadata", "/frames/", "/rendered", "/thumbnail", "/bulkdata/", "/frames/1/rendered", "/instances"]
)


def check(answer):
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text
    if answer.status_code >= 400:
        assert len(answer.text.splitlines()) == 1
        assert "/site-packages" not in answer.text


def ask_address(client, path, end, tail, query):
    asked = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    check(client.get(f"{path}{end}{quote(tail, safe='') if end.endswith('/') else ''}?{asked}"))


def ask_with_accept_header(client, end, accept):
    check(client.get(f"{OBJECT}{end}{'1' if end == '/frames/' else ''}", headers={"Accept": accept}))


def ask_for_picture(client, window, viewport, numbers, quality):
    query = f"window={quote(window)}&viewport={quote(viewport)}&quality={quote(quality)}"
    check(client.get(f"{OBJECT}/rendered?{query}"))
    check(client.get(f"{OBJECT}/rendered?viewport={','.join(map(str, numbers))}"))
    check(client.get(f"{OBJECT}/rendered?window={','.join(map(str, numbers[:2]))}"))


QUESTIONS = {
    ask_address: {"path": PATHS, "end": ENDS, "tail": TEXTS, "query": st.lists(st.tuples(NAMES, TEXTS), max_size=4)},
    ask_with_accept_header: {
        "end": ENDS,
        "accept": st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
    },
    ask_for_picture: {
        "window": TEXTS,
        "viewport": TEXTS,
        "numbers": st.lists(st.floats(), min_size=2, max_size=6),
        "quality": TEXTS,
    },
}


def ask_at_random(client, question, times):
    @settings(max_examples=times, deadline=None, suppress_health_check=list(HealthCheck))
    @given(asked=st.fixed_dictionaries(QUESTIONS[question]))
    def ask(asked):
        question(client, **asked)

    ask()


@pytest.mark.parametrize(
    ("question", "times"), [(ask_address, 100), (ask_with_accept_header, 60), (ask_for_picture, 60)]
)
def test_random_requests(client, question, times):
    ask_at_random(client, question, times)


def resident():
    """Return the memory of this process in MiB (PROC(5))."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_thousand_random_requests_take_no_memory(client, question):
    ask_at_random(client, question, 100)
    before = resident()
    ask_at_random(client, question, 1_000)
    assert resident() < before + 100


@pytest.mark.parametrize(
    "path",
    [
        "/dicom-web/studies/..%2f..%2fetc%2fpasswd/metadata",
        "/dicom-web/studies/%2e%2e/%2e%2e/etc/passwd",
        f"{OBJECT}/bulkdata/..%2f..%2fetc%2fpasswd",
        f"/dicom-web/studies/{CT}%0d%0aSet-Cookie:%20x=1/metadata",
        "/dicom-web/studies/%27%20OR%20true%20--/metadata",
    ],
)
def test_ways_out(client, path):
    answer = client.get(path)
    assert answer.status_code in {404, 400}
    assert "set-cookie" not in answer.headers
    assert "root:" not in answer.text


def test_a_long_list_of_frames(client):
    assert client.get(f"{OBJECT}/frames/{','.join(['1'] * 5000)}").status_code == 413


def test_a_long_list_of_uids(client):
    uids = ",".join(f"1.{number}" for number in range(2500))
    assert client.get(f"/dicom-web/studies?StudyInstanceUID={uids}").status_code in {400, 414}
