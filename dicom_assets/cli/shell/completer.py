"""What Tab offers in the shell: tables and views behind FROM, columns of what the query names, keywords of DICOM."""

import re
from collections.abc import Iterable, Iterator

import duckdb
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from dicom_assets.cli.shell.commands import COMMANDS, MODES
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.vocabulary import Vocabulary, keywords, quoted, reserved_words

_WORD = re.compile(r"\w*$")
_WORDS = re.compile(r"\w+")
_BEFORE_A_TABLE = re.compile(r"\b(FROM|JOIN|DESCRIBE|SUMMARIZE)\s+$", re.IGNORECASE)
_ARGUMENTS = {".mode": tuple(MODES), ".timer": ("on", "off")}
_LEAST = 3
"""Letters of a keyword of DICOM before it is offered outside quotes: there are five thousand."""
_HEADER = "in the header"


class QueryCompleter(Completer):
    """Completes queries and dot commands.

    Parameters
    ----------
    vocabulary
        The words of the catalog.

    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002
        """Yield what the word before the cursor may become."""
        before = document.text_before_cursor
        if document.text.startswith("."):
            yield from self._of_command(before)
            return
        word = _WORD.search(before)
        typed = word[0] if word else ""
        if in_string(before):
            yield from _beginning(typed, keywords(), "DICOM keyword")
        elif _BEFORE_A_TABLE.search(before[: len(before) - len(typed)]):
            yield from _beginning(typed, self._vocabulary.relations, "table")
        else:
            yield from self._anywhere(typed, document.text)

    def _of_command(self, before: str) -> Iterator[Completion]:
        name, space, typed = before.partition(" ")
        if not space:
            yield from _beginning(name, COMMANDS)
        elif name == ".schema":
            yield from _beginning(typed, self._vocabulary.relations, "table")
        else:
            yield from _beginning(typed, _ARGUMENTS.get(name, ()))

    def _anywhere(self, typed: str, text: str) -> Iterator[Completion]:
        """Yield columns first, then what else a query is made of, then attributes that have no column."""
        named = self._vocabulary.mentioned(_WORDS.findall(text)) or (CATALOG_NAME,)
        columns = dict.fromkeys(column for name in named for column in self._vocabulary.columns(name))
        yield from _beginning(typed, columns, "column")
        yield from _beginning(typed, self._vocabulary.relations, "table")
        if typed:
            yield from _beginning(typed, (word.upper() for word in sorted(reserved_words())))
        if len(typed) >= _LEAST:
            for keyword in keywords():
                if keyword.casefold().startswith(typed.casefold()) and keyword not in columns:
                    text = f"dicom(header, '{keyword}')"
                    yield Completion(text, -len(typed), display=keyword, display_meta=_HEADER)


def _beginning(typed: str, candidates: Iterable[str], kind: str = "") -> Iterator[Completion]:
    """Yield those of some words that begin as typed, in any case."""
    for candidate in candidates:
        if candidate.casefold().startswith(typed.casefold()):
            text = quoted(candidate) if kind in {"table", "column"} else candidate
            yield Completion(text, -len(typed), display=candidate, display_meta=kind)


def in_string(text: str) -> bool:
    """Return whether the end of a text is within a string of SQL."""
    try:
        tokens = duckdb.tokenize(text)
        encoded = text.encode()
    except (UnicodeEncodeError, duckdb.Error):
        return False
    if not tokens or tokens[-1][1] != duckdb.token_type.string_const:
        return False
    return encoded[tokens[-1][0] :].count(b"'") % 2 == 1
