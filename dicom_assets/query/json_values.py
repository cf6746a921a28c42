r"""SQL over a header in the DICOM JSON Model (PS3.18 Annex F): the values of an attribute, as expressions for DuckDB.

Of an element, ``Value`` counts. What is absent, empty, a sequence, or not text in the header (``InlineBinary``,
``BulkData``) is null.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from dicom_assets.dicom.header.attribute_path import ALL, AttributePathError, PrivateElement, Step
from dicom_assets.dicom.header.json_text import MARK
from dicom_assets.dicom.header.text_values import NAME_GROUPS
from dicom_assets.query.sql_text import literal

_DATASET = "$.dataset"
_ELEMENT = r"""":(\{"vr":"(?:[^S].|S[^Q])","Value":\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\]\})"""
"""What follows the tag of an element with values that is no sequence (:mod:`dicom_assets.dicom.header.json_text`)."""
_DATE = r"^\s*(\d{8})(?:(?:\d\d){1,3}(?:\.\d{1,6})?)?(?:[+-]\d{4})?\s*$"


@dataclass(frozen=True, slots=True)
class Place:
    """Where values are.

    Attributes
    ----------
    source
        SQL of JSON.
    path
        The path to them in it, as text.
    rest
        What of the path leads from a top-level element of the data set to its values, where the source is a header and
        the element no sequence: such an element is found without parsing the header.

    """

    source: str
    path: str
    rest: str | None = None

    @property
    def has_many(self) -> bool:
        """Whether DuckDB finds a list at the path, of as many values as there are, and not one value."""
        return ALL in self.path


def texts(values: str) -> str:
    """Return a list of JSON values as a list of texts, null for those that are empty; null where there are none."""
    found = f"list_transform({values}, lambda v: {_text('v')})"
    return _once(found, "CASE WHEN len(x) > 0 THEN list_transform(x, lambda t: nullif(t, '')) END")


def joined(values: str) -> str:
    r"""Return a list of JSON values as one text with ``\`` between them, null where all are empty."""
    found = f"array_to_string(list_transform({values}, lambda v: coalesce({_text('v')}, '')), '\\')"
    return _once(found, r"CASE WHEN NOT regexp_full_match(x, '\\*') THEN x END")


def _text(value: str) -> str:
    """Return the text of one JSON value: of a number the shortest, of a name its groups with ``=`` between."""
    groups = " || '=' || ".join(f"coalesce(json_extract_string({value}, '$.{group}'), '')" for group in NAME_GROUPS)
    text = f"json_extract_string({value}, '$')"
    return (
        f"CASE json_type({value}) WHEN 'OBJECT' THEN rtrim({groups}, '=') "
        rf"WHEN 'DOUBLE' THEN regexp_replace({text}, '\.0$', '') ELSE {text} END"
    )


def _once(expression: str, then: str) -> str:
    """Return what becomes of an expression, ``x`` in SQL that needs it several times, which is computed once."""
    return f"list_extract(list_transform([{expression}], lambda x: {then}), 1)"


def number(text: str) -> str:
    """Return a text as a number, null where it is none or not finite."""
    return rf"TRY_CAST(regexp_extract({text}, '^\s*[-+0-9.eE]+\s*$') AS DOUBLE)"


def date(text: str) -> str:
    """Return the date of a DA, also in the form ``YYYY.MM.DD`` of ACR-NEMA, or that a DT begins with."""
    digits = rf"regexp_replace({text}, '^\s*(\d{{4}})\.(\d\d)\.(\d\d)\s*$', '\1\2\3')"
    return rf"CAST(TRY_STRPTIME(regexp_extract({digits}, '{_DATE}', 1), '%Y%m%d') AS DATE)"


def all_values(place: Place, path: str) -> str:
    """Return the values at a place, whose path is given as SQL, as a list of JSON."""
    found = _extracted("json_extract", place, path)
    return found if place.has_many else f"[{found}]"


def first_text(place: Place, path: str) -> str:
    """Return the value at a place, the first of many, as text: cheaper than :func:`all_values`."""
    found = _extracted("json_extract_string", place, path)
    return f"list_extract({found}, 1)" if place.has_many else found


def _extracted(function: str, place: Place, path: str) -> str:
    """Return what a function of DuckDB extracts at a place: from the text of one element where that can be found."""
    parsed = f"{function}({place.source}, {path})"
    if place.rest is None:
        return parsed
    text = f"CAST({place.source} AS VARCHAR)"
    pattern = f"'\"' || substr({path}, {len(_DATASET) + 2}, 8) || {literal(_ELEMENT)}"
    element = f"'[' || regexp_extract({text}, {pattern}, 1) || ']'"
    found = f"{function}({element}, {literal(f'$[0]{place.rest}')})"
    return f"CASE WHEN {_is_marked(text)} THEN {found} ELSE {parsed} END"


def as_json(place: Place, path: str) -> str:
    """Return what is at a place as JSON, an array where it is many."""
    found = f"json_extract({place.source}, {path})"
    return f"to_json({found})" if place.has_many else found


def place_of_values(header: str, steps: Sequence[Step]) -> Place:
    """Return where the values of an attribute are, those of every item where a step says so."""
    source, path = header, "$.fileMeta" if steps[0].in_meta else _DATASET
    for number_, step in enumerate(steps, 1):
        if isinstance(step.element, PrivateElement):
            if ALL in path:
                raise AttributePathError("a private element is looked for in one item: give its number instead of [*]")
            source, path = _private(source, path, step.element), "$"
        else:
            path += f".{step.element}.Value"
        item = step.item if step.item is not None else (ALL if number_ == len(steps) else 0)
        path += f"[{item}]"
    return Place(source, path, path[len(_DATASET) + 9 :] if _is_top_level(steps) else None)


def _is_top_level(steps: Sequence[Step]) -> bool:
    """Return whether steps lead to an element of the data set that the standard knows, and not as a sequence."""
    first = steps[0]
    return len(steps) == 1 and not first.in_meta and first.is_public and first.vr not in (None, "SQ")


def place_of_first(header: str, steps: Sequence[Step]) -> Place:
    """Return where the first value of an attribute is, in every item where a step says so."""
    *outer, last = steps
    return place_of_values(header, [*outer, Step(last.element, 0 if last.item in (None, ALL) else last.item)])


def place_of_array(header: str, steps: Sequence[Step]) -> Place:
    """Return where all values of an attribute are as one array, unless it is one of them that is asked for."""
    place = place_of_values(header, steps)
    return place if steps[-1].item is not None else Place(place.source, place.path.removesuffix("[*]"))


def _private(source: str, dataset: str, element: PrivateElement) -> str:
    """Return the ``Value`` of a private element: its block is the one that its creator has reserved in the data set.

    Parsing for the tags takes time, so headers without the name of the creator are passed over by a search in the text.
    """
    creator, named = literal(element.creator), orjson.dumps(element.creator).decode()
    reserves = (
        f"starts_with(k, '{element.group}00') AND "
        f"json_extract_string({source}, '{dataset}.' || k || '.Value[0]') = {creator}"
    )
    block = f"list_extract(list_filter(json_keys({source}, '{dataset}'), lambda k: {reserves}), 1)[7:8]"
    text = f"CAST({source} AS VARCHAR)"
    if dataset == _DATASET:
        # To ask for the values of the creators one by one is to parse the header as often.
        pattern = rf'"{element.group}00(..)":\{{"vr":"..","Value":\[{re.escape(named)}[,\]]'
        block = f"CASE WHEN {_is_marked(text)} THEN regexp_extract({text}, {literal(pattern)}, 1) ELSE {block} END"
    path = f"'{dataset}.{element.group}' || {block} || '{element.offset}.Value'"
    return f"CASE WHEN contains({text}, {literal(named)}) THEN json_extract({source}, {path}) END"


def _is_marked(text: str) -> str:
    """Return whether the text of a header tells elements of the data set from those in items."""
    return f"ends_with({text}, {literal(MARK)})"
