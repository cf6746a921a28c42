"""A move of a catalog that is killed before it is done."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dicom_assets.delta.commit import commit
from dicom_assets.delta.location import TableLocation
from dicom_assets.pipeline import follow_move


class Killed(BaseException):
    """Stands for a process that ends."""


@contextmanager
def killed_move(monkeypatch: pytest.MonkeyPatch, commits: int, conclusion: str) -> Iterator[list[TableLocation]]:
    """Kill the move that is made in the context; gives the tables that have followed it.

    Parameters
    ----------
    monkeypatch
        Of the test.
    commits
        How many tables follow before.
    conclusion
        Function that ends the move, before which it is killed at the latest: ``module.name``.

    """
    done: list[TableLocation] = []

    def until(location, change):
        if len(done) == commits:
            raise Killed
        done.append(location)
        return commit(location, change)

    def last(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(follow_move, "commit", until)
        patched.setattr(conclusion, last)
        with pytest.raises(Killed):
            yield done
