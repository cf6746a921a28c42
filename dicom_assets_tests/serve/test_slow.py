"""Clients that send a byte at a time, that read nothing, that ask for too much: others are served meanwhile."""

import http.client
import resource
import socket
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import anyio
import pytest

from dicom_assets.serve import forms, patience
from dicom_assets.serve.outbox import PART, CutOffError, Outbox
from dicom_assets.serve.patience import PatientProtocol, bound_reading
from dicom_assets.serve.run import listen
from dicom_assets.serve.site import Site
from dicom_assets_tests.support.serving import served

CLIENTS = 100
HEAD = b"GET /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nX-Long: "
FRAMES = "/dicom-web/studies/1.2.9.0/series/1.2.9.0.0/instances/1.2.3.100/frames/"


@pytest.fixture(scope="module")
def address(served_lake):
    with served(Site(served_lake)) as address:
        yield address


@contextmanager
def connected(address, count=1, receive=None):
    """Open connections; with so many bytes at most that the system takes in for who reads nothing."""
    parts = urlsplit(address)
    with ExitStack() as stack:
        made = []
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            if receive is not None:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
            one.settimeout(30)
            one.connect((parts.hostname, parts.port))
            made.append(one)
        yield made


def status(address, path="/dicom-web/studies?limit=1", headers=None):
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    return answer.status


def is_ended(one, sent):
    """Return whether a connection has ended, which is seen by sending."""
    try:
        one.sendall(sent)
    except OSError:
        return True
    return False


def test_others_are_served_while_many_send_a_byte_at_a_time(address):
    with connected(address, CLIENTS) as slow:
        for one in slow:
            one.sendall(HEAD)
        for _ in range(3):
            for one in slow:
                one.sendall(b"x")
            started = time.monotonic()
            assert status(address) == 200
            assert time.monotonic() - started < 10


def test_others_are_served_while_many_read_nothing(address):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with connected(address, CLIENTS, receive=2048) as slow:
        for one in slow:
            one.sendall(b"GET /dicom-web/studies?includefield=all HTTP/1.1\r\nHost: localhost\r\n\r\n")
        started = time.monotonic()
        assert status(address) == 200
        assert status(address, "/?level=files") == 200
        assert time.monotonic() - started < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # kilobytes


@pytest.mark.parametrize(
    "sent", [b"", HEAD, b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\ntok"]
)
def test_a_request_that_does_not_come_ends_the_connection(address, monkeypatch, sent):
    monkeypatch.setattr(PatientProtocol, "seconds", 0.5)
    monkeypatch.setattr(forms, "BODY_SECONDS", 0.5)
    with connected(address) as (one,):
        one.sendall(sent)
        started = time.monotonic()
        one.settimeout(10)
        answer = one.recv(1 << 16)
        assert time.monotonic() - started < 8
        assert not answer or b" 40" in answer


def test_bytes_that_drip_in_do_not_buy_time(address, monkeypatch):
    monkeypatch.setattr(PatientProtocol, "seconds", 0.6)
    with connected(address) as (one,):
        one.sendall(HEAD)
        started = time.monotonic()
        while not is_ended(one, b"x"):
            assert time.monotonic() - started < 15
            time.sleep(0.1)


def test_a_connection_goes_on_as_long_as_requests_come(address, monkeypatch):
    monkeypatch.setattr(PatientProtocol, "seconds", 0.5)
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    for _ in range(4):
        connection.request("GET", "/static/browser.css")
        assert connection.getresponse().read()
        time.sleep(0.3)
    connection.close()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such time")
def test_who_reads_nothing_is_cut_off_by_the_system(served_lake):
    listening = listen("127.0.0.1", 0)
    with listening:
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == patience.READ_SECONDS * 1000
        bound_reading(listening, 1)
        with socket.create_connection(listening.getsockname()) as client:
            accepted, _ = listening.accept()
            accepted.settimeout(30)
            with accepted:
                started = time.monotonic()
                while not is_ended(accepted, b"x" * (1 << 20)):
                    pass
                assert time.monotonic() - started < 25
            assert client.fileno() >= 0


def test_ten_thousand_frames_are_refused_at_once(address):
    numbers = ",".join(str(number) for number in range(1, 2500))
    assert status(address, f"{FRAMES}{numbers}") == 413
    assert status(address, f"{FRAMES}{','.join(map(str, range(1, 10_001)))}") in {400, 414}


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "application/json;" + "q=0." + "1" * 5000},
        {"Accept": ",".join(["*/*;q=0.1"] * 3000)},
        {"Accept": 'multipart/related; type="application/dicom; transfer-syntax=*'},
        {"Accept": "\x7f"},
        {"Range": "bytes=0-,0-,0-" + ",0-" * 3000},
        {"Range": "bytes=99999999999999999999-"},
        {"Range": "bytes=-0", "If-Range": "W/" + '"' * 3000},
        {"If-None-Match": '"' * 9000},
        {"Accept-Encoding": "gzip;q=" + "9" * 5000},
    ],
)
@pytest.mark.parametrize("path", ["/dicom-web/studies", f"{FRAMES}1", "/static/browser.css", "/?level=files"])
def test_headers_that_mean_no_good(address, path, headers):
    assert status(address, path, headers) < 500


def test_what_waits_for_slow_clients_is_bounded():
    outbox, ended = Outbox(3 * PART), []

    async def send_to(name, send):
        try:
            await outbox.send(send, {"type": "http.response.body", "body": b"x" * (2 * PART)})
        except CutOffError:
            ended.append(name)

    async def stuck(_):
        await anyio.sleep_forever()

    parts = []

    async def quick(message):
        parts.append((len(message["body"]), message["more_body"]))

    async def all_of_them():
        async with anyio.create_task_group() as group:
            group.start_soon(send_to, "first", stuck)
            await anyio.sleep(0.01)
            group.start_soon(send_to, "second", stuck)
            await anyio.sleep(0.01)
            assert ended == ["first"]
            await outbox.send(quick, {"type": "http.response.body", "body": b"x" * (2 * PART + 1)})
            await anyio.sleep(0.01)
            assert ended == ["first", "second"]
            group.cancel_scope.cancel()

    anyio.run(all_of_them)
    assert parts == [(PART, True), (PART, True), (1, False)]
