"""Files in flight: how many, in which order they come, and what becomes of those that fail, hang or are not wanted."""

import threading
from contextlib import closing, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.archive.prefetch import ONE_BY_ONE, Prefetch, Upcoming, prefetch
from dicom_assets.archive.versions import FileChangedError
from dicom_assets.dicom.source import BytesSource, StorageError

pytestmark = pytest.mark.timeout(60)


class Storage:
    """Files that are opened from many threads; their size is their length ahead."""

    def __init__(self):
        self.lock = threading.Lock()
        self.open = self.opened = self.size = self.most_open = self.most_bytes = 0

    @contextmanager
    def file(self, content, before=lambda: None, after=lambda: None):
        with self.lock:
            self.open += 1
            self.opened += 1
            self.size += len(content)
            self.most_open, self.most_bytes = max(self.most_open, self.open), max(self.most_bytes, self.size)
        try:
            before()
            yield BytesSource(content)
            after()
        finally:
            with self.lock:
                self.open -= 1
                self.size -= len(content)

    def upcoming(self, name, group="g", size=10, **doing):
        return Upcoming(name, group, size, lambda: self.file(bytes([name % 256]) * size, **doing))


@pytest.fixture
def storage():
    return Storage()


def read(files, bounds=Prefetch(files=4, size=1 << 20)):  # noqa: B008 - frozen
    found = []
    for name, opened in prefetch(files, bounds):
        with opened as source:
            found.append((name, source.read(0, 1 << 20)))
    return found


@given(
    sizes=st.lists(st.tuples(st.integers(0, 30), st.sampled_from("aabbc")), max_size=40),
    files=st.integers(1, 6),
    size=st.integers(1, 60),
)
def test_each_file_comes_once_in_its_group_and_never_more_are_in_flight_than_may_be(sizes, files, size):
    storage = Storage()
    coming = [storage.upcoming(name, group, length) for name, (length, group) in enumerate(sizes)]
    found = read(coming, Prefetch(files, size))
    groups = [sizes[name][1] for name, _ in found]
    assert groups == [group for _, group in sizes], "groups in order"
    assert sorted(found) == [(name, bytes([name]) * length) for name, (length, _) in enumerate(sizes)]
    assert storage.open == 0
    assert storage.most_open <= files
    assert storage.most_bytes <= max([size, *(length for length, _ in sizes)])


def test_many_files_are_in_flight_at_once(storage):
    together = threading.Barrier(4, timeout=30)
    files = [storage.upcoming(name, before=together.wait) for name in range(8)]
    assert len(read(files)) == 8


def test_what_arrives_first_comes_first_within_its_group_only(storage):
    late, next_group = threading.Event(), threading.Event()
    files = [
        storage.upcoming(0, "a", before=late.wait),
        storage.upcoming(1, "a"),
        storage.upcoming(2, "b", before=next_group.set),
        storage.upcoming(3, "b"),
    ]
    order = []
    for name, opened in prefetch(files, Prefetch(files=4)):
        with opened:
            order.append(name)
            if name == 1:
                assert next_group.wait(30)
                late.set()
    assert order[:2] == [1, 0]
    assert sorted(order[2:]) == [2, 3]


def test_a_file_that_hangs_holds_up_no_other_of_its_group(storage):
    hung = threading.Event()
    files = [storage.upcoming(0, before=hung.wait), *(storage.upcoming(name) for name in range(1, 50))]
    order = []
    for name, opened in prefetch(files, Prefetch(files=2)):
        with opened:
            order.append(name)
        if len(order) == 49:
            hung.set()
    assert order == [*range(1, 50), 0]


def test_a_file_that_fails_fails_where_it_is_entered(storage):
    def fail():
        raise StorageError(5, "Input/output error")

    files = [storage.upcoming(name, **({"before": fail} if name == 1 else {})) for name in range(3)]
    failed, fine = [], []
    for name, opened in prefetch(files, Prefetch(files=3)):
        try:
            with opened as source:
                fine.append((name, source.size))
        except StorageError:
            failed.append(name)
    assert failed == [1]
    assert sorted(fine) == [(0, 10), (2, 10)]


def test_a_change_that_closing_finds_is_told_to_who_has_read(storage):
    def changed():
        raise FileChangedError("the file is not the version that was listed")

    for _, opened in prefetch([storage.upcoming(0, after=changed)], Prefetch(files=2)):
        with pytest.raises(FileChangedError), opened as source:
            assert source.read(0, 10) == bytes(10)


def test_what_is_left_early_is_closed_and_no_more_is_asked_for(storage):
    files = [storage.upcoming(name, group="ab"[name > 2]) for name in range(100)]
    with closing(prefetch(files, Prefetch(files=4))) as coming:
        _, opened = next(coming)
        with opened:
            pass
    assert storage.open == 0
    assert storage.opened <= 4


def test_one_by_one_opens_a_file_when_it_is_its_turn(storage):
    coming = prefetch([storage.upcoming(name) for name in range(3)], ONE_BY_ONE)
    for name, opened in coming:
        assert storage.opened == name
        with opened as source:
            assert source.read(0, 10) == bytes([name]) * 10


def test_only_the_part_that_is_asked_for_is_kept_and_the_rest_is_read_on(storage):
    asked = []

    class Source(BytesSource):
        def read(self, offset, length):
            asked.append((offset, length))
            return super().read(offset, length)

    @contextmanager
    def opening():
        yield Source(bytes(range(100)))

    for _, opened in prefetch([Upcoming(0, "g", 10, opening)], Prefetch(files=2)):
        with opened as source:
            assert source.read(0, 10) == bytes(range(10))
            assert source.read(5, 10) == bytes(range(5, 15))
    assert asked == [(0, 10), (10, 5)]
