"""A listing goes on where it broke off, and gives up in time."""

import time

import obstore
import pytest
from obstore.exceptions import GenericError
from obstore.store import MemoryStore

from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.bucket_listing import list_objects
from dicom_assets.archive.listing import ListingError
from dicom_assets.storage import retries
from dicom_assets.storage.retries import ATTEMPTS, retry_listing

BROKEN = GenericError("Generic S3 error: Error getting list response body: HTTP error: request or response body error")
TRIED = GenericError("Generic S3 error: Error performing list request: after 10 retries, max_retries: 10 - HTTP error")
KEYS = [f"a/{number:02d}" for number in range(12)]


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    taken = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


class Line:
    """Stands for obstore.list: pages of three keys, of which each request gives some before it breaks off."""

    def __init__(self, gives, order=sorted, error=BROKEN):
        self.gives, self.order, self.error = list(gives), order, error
        self.offsets = []

    def __call__(self, store, folder, *, offset, chunk_size):
        self.offsets.append(offset)
        keys = self.order(KEYS)
        keys = keys if offset is None else keys[keys.index(offset) + 1 :]
        pages = [[{"path": key} for key in keys[start : start + 3]] for start in range(0, len(keys), 3)]
        whole = self.gives.pop(0) if self.gives else len(pages)
        yield from pages[:whole]
        if whole < len(pages):
            raise self.error


def listed(monkeypatch, line):
    monkeypatch.setattr(obstore, "list", line)
    return [entry["path"] for entry in list_objects(MemoryStore(), None)]


def test_a_listing_goes_on_behind_the_last_key_that_arrived(monkeypatch):
    line = Line([1, 0, 2])
    assert listed(monkeypatch, line) == KEYS
    assert line.offsets == [None, "a/02", "a/02", "a/08"]


def test_a_listing_that_always_moves_on_is_not_given_up(monkeypatch):
    assert listed(monkeypatch, Line([1, 1, 1])) == KEYS
    monkeypatch.setattr(retries, "ATTEMPTS", 2)
    assert listed(monkeypatch, Line([1, 1, 1])) == KEYS


def test_a_listing_that_does_not_move_on_is_given_up_after_ten_attempts(monkeypatch, pauses):
    line = Line([1] + [0] * 99)
    with pytest.raises(GenericError):
        listed(monkeypatch, line)
    assert len(line.offsets) == 1 + ATTEMPTS - 1 == 10
    assert len(pauses) == ATTEMPTS - 1
    assert max(pauses) <= 15
    assert 5 < sum(pauses) < 180


def test_a_listing_that_takes_too_long_without_moving_on_is_given_up(monkeypatch):
    clock = iter(range(0, 10_000, 100))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    line = Line([0] * 99)
    with pytest.raises(GenericError):
        listed(monkeypatch, line)
    assert len(line.offsets) == 2


def test_a_listing_in_another_order_begins_anew(monkeypatch):
    line = Line([2], order=lambda keys: sorted(keys, reverse=True))
    assert sorted(listed(monkeypatch, line)) == KEYS
    assert line.offsets == [None, None]


def test_an_order_that_shows_only_behind_the_break_loses_nothing(monkeypatch):
    late = [*KEYS[:3], *KEYS[6:], *KEYS[3:6]]
    line = Line([2], order=lambda _: late)
    assert sorted(listed(monkeypatch, line)) == KEYS
    assert line.offsets == [None, "a/08", None]


def test_what_obstore_tried_again_already_is_not_tried_again(monkeypatch):
    line = Line([0], error=TRIED)
    with pytest.raises(GenericError):
        listed(monkeypatch, line)
    assert len(line.offsets) == 1


def test_a_page_that_breaks_off_is_asked_for_again(monkeypatch):
    answers = iter([BROKEN, BROKEN, "answer"])

    def request():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert retry_listing(request) == "answer"


def test_a_bucket_that_stays_out_of_reach_is_an_error_of_the_archive(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    archive = BucketArchive(f"file://{tmp_path}", 1)

    def broken(*_, **__):
        raise BROKEN

    monkeypatch.setattr(obstore, "list", broken)
    with pytest.raises(ListingError):
        archive.list("a")
    monkeypatch.setattr(obstore, "list_with_delimiter", broken)
    with pytest.raises(ArchiveError):
        archive.check()
    with pytest.raises(ArchiveError):
        archive.prefixes()
