"""Which prefixes the files of studies and series stand below, by the rollups: all others need not be looked at.

``series`` and ``studies`` have a row for each prefix, and stay in memory. A catalog without them, or one whose rollups
do not know an identifier yet, is searched as a whole.
"""

from collections.abc import Iterable, Mapping

from dicom_assets.extract.rollups import SERIES, SERIES_UID, STUDIES, STUDY_UID
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.dicomweb.matching import Condition, in_places

_ROLLUPS = {SERIES_UID: SERIES.name, STUDY_UID: STUDIES.name}
_MOST = 2_000
"""A longer list costs more than it saves."""


def below(catalog: FixedCatalog, column: str, uids: Iterable[str]) -> Condition | None:
    """Return the condition that rows are of the prefixes of some studies or series, ``None`` where that is not known.

    Parameters
    ----------
    catalog
        Where to look.
    column
        ``StudyInstanceUID`` or ``SeriesInstanceUID``.
    uids
        Of the studies or series.

    """
    table, wanted = _ROLLUPS.get(column), list(dict.fromkeys(uids))
    if table is None or column not in catalog.columns(table) or not wanted or len(wanted) > _MOST:
        return None
    named = in_places(column, wanted)
    query = f"SELECT {column} AS uid, prefix FROM {table} WHERE {named.sql}"  # noqa: S608 - values are bound
    found = catalog.ask(query, named.values)
    prefixes = list(dict.fromkeys(found["prefix"].to_pylist()))
    if len(set(found["uid"].to_pylist())) < len(wanted) or len(prefixes) > _MOST:
        return None
    return in_places("prefix", prefixes)


def below_named(catalog: FixedCatalog, uids: Mapping[str, str]) -> Condition | None:
    """Return the same for what an address names: its series, or else its study."""
    for column in (SERIES_UID, STUDY_UID):
        if column in uids:
            return below(catalog, column, [uids[column]])
    return None
