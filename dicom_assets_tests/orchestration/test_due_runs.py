"""Which runs are asked for."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.orchestration.due_runs import FailedAttempts, find_due_runs
from dicom_assets.pipeline.changes import ChangeStatus, Detection

NOW = datetime(2024, 5, 6, tzinfo=UTC)
ORDER = list("fabcdeg")
"""As registered, which is not the order of the alphabet."""


def changed(names, state="s"):
    return [Detection(name, ChangeStatus.CHANGED, f"{state}{name}") for name in names]


def ranges(requests):
    return [(request.first, request.last) for request in requests]


def test_neighbours_are_one_run_and_gaps_are_not_covered():
    assert ranges(find_due_runs(changed("bcadg"), ORDER, 50, {}, NOW)) == [("a", "d"), ("g", "g")]


def test_a_run_takes_no_more_than_its_limit():
    assert ranges(find_due_runs(changed("abcde"), ORDER, 2, {}, NOW)) == [("a", "b"), ("c", "d"), ("e", "e")]


@given(st.sets(st.sampled_from(ORDER)), st.integers(1, 4))
def test_ranges_cover_exactly_what_changed(names, limit):
    requests = find_due_runs(changed(names), ORDER, limit, {}, NOW)
    covered = [key for request in requests for key in ORDER[ORDER.index(request.first) : ORDER.index(request.last) + 1]]
    assert sorted(covered) == sorted(names)
    assert len({request.key for request in requests}) == len(requests)


def test_the_key_changes_with_the_state_of_any_prefix():
    (before,) = find_due_runs(changed("ab"), ORDER, 50, {}, NOW)
    (again,) = find_due_runs(changed("ab"), ORDER, 50, {}, NOW)
    (after,) = find_due_runs([*changed("a"), *changed("b", "t")], ORDER, 50, {}, NOW)
    assert before.key == again.key
    assert before.key != after.key


def test_what_failed_is_asked_for_alone_after_a_pause():
    attempted = {("b", "sb"): FailedAttempts(2, NOW)}
    seen = changed("abc")
    assert ranges(find_due_runs(seen, ORDER, 50, attempted, NOW + timedelta(minutes=1))) == [("a", "a"), ("c", "c")]
    later = find_due_runs(seen, ORDER, 50, attempted, NOW + timedelta(minutes=2))
    assert ranges(later) == [("a", "a"), ("b", "b"), ("c", "c")]
    assert later[1].attempt == 2
    assert later[1].key not in {request.key for request in find_due_runs(changed("b"), ORDER, 50, {}, NOW)}


def test_what_failed_in_another_state_does_not_count():
    attempted = {("b", "earlier"): FailedAttempts(9, NOW)}
    assert ranges(find_due_runs(changed("abc"), ORDER, 50, attempted, NOW)) == [("a", "c")]


def test_pauses_double_up_to_an_hour():
    pauses = [FailedAttempts(count, NOW).retry_at() - NOW for count in (1, 2, 3, 50)]
    assert pauses == [timedelta(minutes=m) for m in (1, 2, 4, 60)]
