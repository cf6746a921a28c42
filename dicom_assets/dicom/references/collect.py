"""From items to references: every item with a Referenced SOP Instance UID is one (PS3.3 table 10-11)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pydicom.datadict import keyword_for_tag

from dicom_assets.dicom.header import Header
from dicom_assets.dicom.references.bounds import ReferenceBounds
from dicom_assets.dicom.references.model import Code, Level, Reference
from dicom_assets.dicom.references.sop_classes import DETACHED_STUDY_MANAGEMENT, SERVICE_CLASSES
from dicom_assets.dicom.references.values import code, text, whole_numbers
from dicom_assets.dicom.references.walk import Visited

_CLASS, _INSTANCE = "00081150", "00081155"
_STUDY_UID, _SERIES_UID = "0020000D", "0020000E"
_FRAMES, _SEGMENTS = "00081160", "0062000B"
_PURPOSE, _CONCEPT_NAME = "0040A170", "0040A043"
_REFERENCED_SERIES = "00081115"
_REFERENCED_SOP = "00081199"
_RT_REFERENCED_STUDY = "30060012"
_OF_STUDIES = frozenset({"00081110", _RT_REFERENCED_STUDY})
_OF_SERVICES = frozenset({"00081111", "00081120", "00081125"})
"""Referenced Performed Procedure Step, Patient and Visit Sequence."""

_UNKNOWN = (None, None)

_Key = tuple[tuple[str, ...], Code | None, str | None, str | None, str | None, str]


@dataclass(slots=True)
class _Mentions:
    """What was said so far of one instance at one place; of numbers their order counts, so these are dicts."""

    frames: dict[int, None] | None = field(default_factory=dict)
    segments: dict[int, None] | None = field(default_factory=dict)
    count: int = 0


class ReferenceCollector:
    """Gathers the references of one object.

    Parameters
    ----------
    header
        Of the object.
    bounds
        How many are kept.

    Attributes
    ----------
    incomplete
        Tags of the sequences of the data set of which references, or numbers of them, were left out.

    """

    def __init__(self, header: Header, bounds: ReferenceBounds) -> None:
        self.incomplete: dict[str, None] = {}
        self._header = header
        self._own_study = text(header.dataset, _STUDY_UID)
        self._most = bounds.references
        self._numbers_left = bounds.numbers
        self._found: dict[_Key, _Mentions] = {}
        self._series_of: dict[str, tuple[str | None, str]] = {}

    def add(self, visited: Visited) -> None:
        """Note what an item refers to, if it does; raises :class:`OSError` if the source does."""
        item = visited.item
        instance = text(item, _INSTANCE)
        if instance is None:
            return
        study, series = self._study(visited), _nearest(visited, _SERIES_UID)
        key = (visited.tags, _purpose(visited), study, series, text(item, _CLASS), instance)
        mentions = self._found.get(key)
        if mentions is None:
            if len(self._found) >= self._most:
                self.incomplete[visited.tags[0]] = None
                return
            mentions = self._found[key] = _Mentions()
        if series is not None:
            self._series_of.setdefault(instance, (study, series))
        mentions.count += 1
        mentions.frames = self._merged(mentions.frames, visited, _FRAMES)
        mentions.segments = self._merged(mentions.segments, visited, _SEGMENTS)

    def references(self) -> Sequence[Reference]:
        """Return what was found, in the order of the first mention."""
        return list(self._references())

    def _references(self) -> Iterator[Reference]:
        for (tags, purpose, study, series, sop_class, instance), mentions in self._found.items():
            # A content item names the instance alone; its series stands in the evidence of the same report.
            known = (study, series) if series is not None else self._series_of.get(instance, _UNKNOWN)
            yield Reference(
                level=_level(tags[-1], sop_class),
                sequence=sequence_path(tags),
                purpose=purpose,
                study_uid=study or known[0],
                series_uid=known[1],
                sop_class_uid=sop_class,
                instance_uid=instance,
                frames=list(mentions.frames) if mentions.frames else None,
                segments=list(mentions.segments) if mentions.segments else None,
                mentions=mentions.count,
            )

    def _study(self, visited: Visited) -> str | None:
        stated = _nearest(visited, _STUDY_UID)
        if stated is not None:
            return stated
        if _RT_REFERENCED_STUDY in visited.tags:
            return text(visited.items[visited.tags.index(_RT_REFERENCED_STUDY)], _INSTANCE)
        # Referenced Series Sequence of a data set is of series in its own study (PS3.3 C.12.2.1, C.11.11).
        return self._own_study if visited.tags[0] == _REFERENCED_SERIES else None

    def _merged(self, known: dict[int, None] | None, visited: Visited, tag: str) -> dict[int, None] | None:
        """Return known numbers with those of another mention; ``None`` from the first that is of the whole on."""
        if known is None or tag not in visited.item:
            return None
        numbers = whole_numbers(self._header, visited.item, tag, self._numbers_left + 1)
        if not numbers:
            return None
        if len(numbers) > self._numbers_left:
            numbers = numbers[: self._numbers_left]
            self.incomplete[visited.tags[0]] = None
        before = len(known)
        known.update(dict.fromkeys(numbers))
        self._numbers_left -= len(known) - before
        return known


def _nearest(visited: Visited, tag: str) -> str | None:
    """Return a value of the item, or of the nearest around it that has one."""
    for item in reversed(visited.items):
        if tag in item and (found := text(item, tag)) is not None:
            return found
    return None


def _purpose(visited: Visited) -> Code | None:
    own = code(visited.item, _PURPOSE)
    if own is None and visited.tags[-1] == _REFERENCED_SOP and len(visited.items) > 1:
        return code(visited.items[-2], _CONCEPT_NAME)
    return own


def _level(sequence: str, sop_class: str | None) -> Level:
    if sequence in _OF_STUDIES or sop_class == DETACHED_STUDY_MANAGEMENT:
        return Level.STUDY
    return Level.SERVICE if sequence in _OF_SERVICES or sop_class in SERVICE_CLASSES else Level.INSTANCE


@lru_cache(maxsize=1024)
def sequence_path(tags: tuple[str, ...]) -> str:
    """Return the names of nested sequences, outermost first: keywords of PS3.6, or tags where there is none."""
    return ".".join(keyword_for_tag(int(tag, 16)) or tag for tag in tags)
