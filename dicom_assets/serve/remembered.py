"""What was found out about one version of the tables, kept while that is the present one."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """Answers by question, the latest of them; safe to use from several threads.

    Parameters
    ----------
    most
        Answers that are kept.

    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._version: object = None
        self._known: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, version: object, question: Hashable, find: Callable[[], Value]) -> Value:
        """Return the answer to a question, found anew where it is not known.

        Parameters
        ----------
        version
            What it is about. Answers about another one are forgotten, so that it can go.
        question
            What is asked.
        find
            Finds the answer. Two threads may do that at once.

        """
        with self._lock:
            if self._version is version and question in self._known:
                self._known.move_to_end(question)
                return self._known[question]
        found = find()
        with self._lock:
            if self._version is not version:
                self._known.clear()
                self._version = version
            self._known[question] = found
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return found
