"""Searches (QIDO-RS, PS3.18 10.6): which members of a level match, and what is said of them.

Two steps. The first finds the unique identifiers of one page of matches by few narrow columns. The second reads what is
returned of these, counts over all of their files, and headers only where an attribute without a column is asked for.
Of copies of an instance, one counts (:data:`~dicom_assets.serve.dicomweb.levels.COPY`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from dicom_assets.dicom.header import JsonDataset
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.extract.rollups import SERIES as SERIES_ROLLUP
from dicom_assets.extract.rollups import STUDIES
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.query.sql_text import identifier
from dicom_assets.serve.dicomweb import levels, prefixes
from dicom_assets.serve.dicomweb.attributes import Attribute, attribute_of
from dicom_assets.serve.dicomweb.elements import element
from dicom_assets.serve.dicomweb.keys import Key, Search
from dicom_assets.serve.dicomweb.levels import LEVELS, SERIES, STUDY, Depth, Level
from dicom_assets.serve.dicomweb.matching import Condition, among, condition_of, in_places
from dicom_assets.serve.dicomweb.prefixes import below_named

_HEADERS = 1_000
"""The most matches of a search that returns what only headers hold."""

_ROWS = "StudyInstanceUID IS NOT NULL AND SeriesInstanceUID IS NOT NULL AND SOPInstanceUID IS NOT NULL"
"""Files that have a place in the hierarchy."""

_ROLLUPS = {Depth.STUDY: STUDIES.name, Depth.SERIES: SERIES_ROLLUP.name}
"""Tables with a row for each member of a level, and prefix."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search.

    Attributes
    ----------
    matches
        Data sets in the DICOM JSON Model.
    more
        Whether the server has left some out.

    """

    matches: Sequence[JsonDataset]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Searching:
    """One search at one place.

    Attributes
    ----------
    catalog
        Where to look.
    level
        Whose members are looked for.
    within
        Unique identifiers that the address names, by column.
    search
        What is asked for.
    base
        Address of the service, which addresses of matches begin with.
    most
        The most matches that are returned at once.

    """

    catalog: FixedCatalog
    level: Level
    search: Search
    base: str
    most: int
    within: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> Found:
        """Return what matches.

        Raises
        ------
        RequestError
            A value is none of its attribute's Value Representation.
        QueryError
            The tables cannot be read, or it took too long.

        """
        most = min(self.most, _HEADERS) if self._header_attributes() else self.most
        limit = self.search.limit
        asked = most if limit is None else min(limit, most)
        if asked == 0:
            return Found([])
        uids = self._page(asked + 1)
        cut = len(uids) > asked and (limit is None or limit > most)
        return Found(list(self._described(uids[:asked])), cut)

    def _page(self, count: int) -> list[str]:
        """Return the unique identifiers of a page of matches, in their order."""
        uid = self.level.uid
        conditions = list(self._conditions())
        table = self._table(conditions)
        placed = _ROWS if table == CATALOG_NAME else f"{uid} IS NOT NULL"
        where = " AND ".join([placed, *(f"({condition.sql})" for condition in conditions)])
        values = [value for condition in conditions for value in condition.values]
        columns = dict.fromkeys(part.split()[0] for part in self.level.order)
        if table == CATALOG_NAME:
            read = {column for condition in conditions for column in condition.columns}
            table = self.catalog.narrow(CATALOG_NAME, columns=[*columns, *read])
        picked = ", ".join(f"min({column}) AS {column}" for column in columns)
        query = (
            f"SELECT {uid}, {picked} FROM {table} WHERE {where} GROUP BY {uid} "  # noqa: S608 - values are bound
            f"ORDER BY {', '.join(self.level.order)}, {uid} LIMIT ? OFFSET ?"
        )
        found = self.catalog.ask(query, [*values, count, self.search.offset])[uid]
        return [str(one) for one in found.to_pylist()]

    def _table(self, conditions: Sequence[Condition]) -> str:
        """Return the table to search: a rollup where it has all columns and knows one value of each, else all files."""
        name = _ROLLUPS.get(self.level.depth)
        present = self.catalog.columns(name) if name else frozenset()
        read = {column for condition in conditions for column in condition.columns}
        if name is None or not present >= {*read, *(part.split()[0] for part in self.level.order)}:
            return CATALOG_NAME
        if not read:
            return name
        query = f"SELECT count(*) AS several FROM {name} WHERE list_has_any(disagreements, ?)"  # noqa: S608 - bound
        return CATALOG_NAME if self.catalog.ask(query, [sorted(read)])["several"][0].as_py() else name

    def _conditions(self) -> Iterator[Condition]:
        if (below := below_named(self.catalog, self.within)) is not None:
            yield below
        for column, uid in self.within.items():
            yield Condition(f"{column} = ?", (uid,), columns=(column,))
        for key in self.search.keys:
            condition = self._condition(key)
            if condition is not None:
                yield condition

    def _condition(self, key: Key) -> Condition | None:
        """Return the condition of a key; those on what all files of a study have are about any of these."""
        tag = key.attribute.tag
        source = _OF_ALL_FILES.get(tag)
        if source is not None:
            found = condition_of(replace(key, attribute=attribute_of(source)))
            if found is None:
                return None
            return self._of_any_file(key, found)
        if tag in levels.COMPUTED:
            return None  # counts, and what holds of everything here, are returned and not matched
        return condition_of(key, fuzzy=self.search.fuzzy)

    def _of_any_file(self, key: Key, found: Condition) -> Condition:
        """Return the condition that a file of the study meets another one; rollups know the modalities."""
        if key.attribute.tag == levels.MODALITIES_IN_STUDY and "modalities" in self.catalog.columns(STUDIES.name):
            test = found.sql.replace(identifier("Modality"), "x")
            has = f"len(list_filter(modalities, lambda x: coalesce({test}, false))) > 0"
            matching = f"SELECT StudyInstanceUID FROM {STUDIES.name} WHERE {has}"  # noqa: S608 - values are bound
        else:
            matching = f"SELECT StudyInstanceUID FROM {CATALOG_NAME} WHERE {found.sql}"  # noqa: S608 - values are bound
        return Condition(f"StudyInstanceUID IN ({matching})", found.values, columns=("StudyInstanceUID",))

    def _described(self, uids: Sequence[str]) -> Iterator[JsonDataset]:
        """Yield what is returned of members, in the order of their identifiers."""
        if not uids:
            return
        wanted = list(levels.between(self._above(), self.level))
        rows = self._rows(self.level, uids)
        headers = self._headers(list(rows.values()))
        higher = {level: self._rows(level, {row[level.uid] for row in rows.values()}) for level in wanted[:-1]}
        columns = {level: self._columns(level) for level in wanted}
        for uid in uids:
            row = rows.get(uid)
            if row is None:
                continue
            found: JsonDataset = {}
            for level in wanted:
                source = row if level is self.level else higher[level].get(row[level.uid], row)
                found |= _of_level(level, columns[level], source)
            found |= headers.get(row["path"], {})
            found |= self._of_every_answer(row)
            yield dict(sorted(found.items()))

    def _above(self) -> Depth | None:
        return max(
            (level.depth for level in LEVELS if level.uid in self.within and level is not self.level), default=None
        )

    def _rows(self, level: Level, uids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return one row for each member of a level: the attributes of its first file, and counts of all."""
        wanted = list(dict.fromkeys(uids))
        below = prefixes.below(self.catalog, level.uid, wanted) or below_named(self.catalog, self.within)
        below, members = below or Condition("true"), among(level.uid, wanted)
        source = self.catalog.narrow(CATALOG_NAME, columns=self._read(level))
        query = (
            f"SELECT {level.uid} AS uid, {', '.join(self._picked(level))} FROM {source} "  # noqa: S608 - values are bound
            f"WHERE {' AND '.join([below.sql, _ROWS, *(f'{column} = ?' for column in self.within)])} "
            f"AND {members.sql} GROUP BY {level.uid}"
        )
        found = {}
        for row in self.catalog.ask(query, [*below.values, *self.within.values(), *members.values]).to_pylist():
            found[row["uid"]] = {**row.pop("first"), **row}
        return found

    def _read(self, level: Level) -> frozenset[str]:
        """Return the columns that are read of a member; an older catalog lacks some."""
        names = {"path", "prefix", *(each.uid for each in LEVELS), "TransferSyntaxUID", *self._columns(level).values()}
        return self.catalog.columns(CATALOG_NAME) & names

    def _picked(self, level: Level) -> Iterator[str]:
        """Yield SQL of what is read of a member."""
        struct = ", ".join(f"{identifier(name)} := {identifier(name)}" for name in sorted(self._read(level)))
        yield f"arg_min(struct_pack({struct}), {levels.COPY}) AS first"
        if level.depth <= Depth.SERIES:
            yield "count(DISTINCT SOPInstanceUID) AS instances"
        if level is STUDY:
            yield "count(DISTINCT SeriesInstanceUID) AS series"
            yield "list_sort(list(DISTINCT Modality)) AS modalities"
            yield "list_sort(list(DISTINCT SOPClassUID)) AS classes"

    def _columns(self, level: Level) -> dict[Attribute, str]:
        """Return the attributes of a level that are returned and have a column, each with its name."""
        return {one: one.column.name for one in self._attributes(level) if one.column is not None}

    def _attributes(self, level: Level) -> Iterator[Attribute]:
        """Yield the attributes of a level that are returned and have a column, or may be in a header."""
        yield from (attribute_of(tag) for tag in level.returned)
        asked = (*self.search.included, *(key.attribute for key in self.search.keys))
        yield from (one for one in asked if level.has(one.tag) and one.tag not in levels.COMPUTED)

    def _header_attributes(self) -> set[str]:
        """Return the tags of attributes that are asked for and that only headers hold; ``all`` for all there are."""
        if self.search.include_all:
            return {"all"}
        return {
            attribute.tag
            for level in levels.between(self._above(), self.level)
            for attribute in self._attributes(level)
            if attribute.column is None
        }

    def _headers(self, members: Sequence[Mapping[str, Any]]) -> dict[str, JsonDataset]:
        """Return what is asked for of the headers of some files, by path; long values stay where they are."""
        wanted = self._header_attributes()
        if not wanted:
            return {}
        covered = list(levels.between(self._above(), self.level))

        def asked_for(dataset: JsonDataset) -> JsonDataset:
            return {
                tag: one
                for tag, one in dataset.items()
                if "BulkData" not in one
                and (tag in wanted or ("all" in wanted and any(level.has(tag) for level in covered)))
            }

        below = in_places("prefix", list(dict.fromkeys(row["prefix"] for row in members)))
        named = in_places("path", [row["path"] for row in members])
        query = f"SELECT path, header FROM {CATALOG_NAME} WHERE {below.sql} AND {named.sql}"  # noqa: S608 - bound
        rows = self.catalog.ask(query, [*below.values, *named.values]).to_pylist()
        return {row["path"]: asked_for(orjson.loads(row["header"] or "{}").get("dataset", {})) for row in rows}

    def _of_every_answer(self, row: Mapping[str, Any]) -> JsonDataset:
        """Return what each match has: where it is, that it can be retrieved at once, and how texts are encoded."""
        found: JsonDataset = {
            levels.SPECIFIC_CHARACTER_SET: element("CS", "ISO_IR 192"),
            levels.INSTANCE_AVAILABILITY: element("CS", "ONLINE"),
            levels.RETRIEVE_URL: element("UR", levels.retrieve_url(self.base, row, self.level)),
        }
        for level in LEVELS[: self.level.depth + 1]:
            found[attribute_of(level.uid).tag] = element("UI", row[level.uid])
        if self.level.depth is Depth.INSTANCE and row.get("TransferSyntaxUID"):
            found[levels.AVAILABLE_TRANSFER_SYNTAX] = element("UI", row["TransferSyntaxUID"])
        return found


def _of_level(level: Level, columns: Mapping[Attribute, str], row: Mapping[str, Any]) -> JsonDataset:
    found = {one.tag: element(one.vr, row[name]) for one, name in columns.items() if name in row}
    if level is STUDY:
        found[levels.MODALITIES_IN_STUDY] = element("CS", row["modalities"])
        found[levels.SOP_CLASSES_IN_STUDY] = element("UI", row["classes"])
        found[levels.STUDY_SERIES] = element("IS", row["series"])
        found[levels.STUDY_INSTANCES] = element("IS", row["instances"])
    if level is SERIES:
        found[levels.SERIES_INSTANCES] = element("IS", row["instances"])
    return found


_OF_ALL_FILES = {levels.MODALITIES_IN_STUDY: "Modality", levels.SOP_CLASSES_IN_STUDY: "SOPClassUID"}
"""Keys that a study matches if one of its files has a value that does."""
