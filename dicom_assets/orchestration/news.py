"""News of the archive, told to Dagster as observations of the asset ``archive`` and heard by the archive sensor.

Anybody may tell: ``dicom-assets notify``, a sensor of one's own, or a request to the webserver, which takes
observations of external assets (``POST /report_asset_observation/archive``). The partition is a prefix, or the metadata
name files. What is told leads to a look at these prefixes in the next tick, and to runs where they have changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dagster import AssetObservation, AssetRecordsFilter, DagsterInstance, MetadataValue

from dicom_assets.archive.base import Archive
from dicom_assets.archive.news import News, prefixes_told
from dicom_assets.archive.prefixes import PrefixError
from dicom_assets.orchestration.assets.archive import ARCHIVE, NEVER_NEWER
from dicom_assets.orchestration.naming import ALONE, CatalogNames

NAMES = "changed"
"""Metadata of an observation: paths or URIs of files that changed, a list of them or one a line."""
TOLD = "Told to have changed"
"""Description of an observation that tells."""
_MOST_EVENTS = 1_000
"""How many are heard in one tick; the next hears the others."""


@dataclass(frozen=True, slots=True)
class Heard:
    """News since a moment.

    Attributes
    ----------
    news
        Where to look.
    last
        Number of the last event that was heard.

    """

    news: News
    last: int


def tell_news(instance: DagsterInstance, prefixes: Iterable[str], names: CatalogNames = ALONE) -> None:
    """Ask the archive sensor of an instance for a look at some prefixes."""
    for prefix in prefixes:
        instance.report_runless_asset_event(
            AssetObservation(
                names.key(ARCHIVE),
                partition=prefix,
                description=TOLD,
                tags={"dagster/data_version": NEVER_NEWER.value},
            )
        )


def hear_news(
    instance: DagsterInstance,
    archive: Archive,
    after: int | None,
    names: CatalogNames = ALONE,
    room: int = _MOST_EVENTS,
) -> Heard:
    """Return what was told of an archive since an event.

    Parameters
    ----------
    instance
        Where it was told.
    archive
        What it was told of.
    after
        Number of the event; ``None`` hears nothing and returns where to begin.
    names
        Of the catalog.
    room
        The most events that are heard.

    """
    key = names.key(ARCHIVE)
    if after is None:
        newest = instance.fetch_observations(key, limit=1).records
        return Heard(News(()), newest[0].storage_id if newest else 0)
    if room < 1:
        return Heard(News(()), after)
    asked = AssetRecordsFilter(asset_key=key, after_storage_id=after)
    records = instance.fetch_observations(asked, limit=min(room, _MOST_EVENTS), ascending=True).records
    observed = [(record.storage_id, record.event_log_entry.asset_observation) for record in records]
    told = [_told(one, archive) for _, one in observed if one is not None]
    prefixes = dict.fromkeys(prefix for one in told for prefix in one.prefixes)
    news = News(tuple(prefixes), sum(one.strange for one in told))
    return Heard(news, max((number for number, _ in observed), default=after))


def _told(observation: AssetObservation, archive: Archive) -> News:
    """Return what one observation tells; those of runs, which list the archive, tell nothing."""
    files = prefixes_told(_names(observation.metadata), archive.root, archive.cut)
    if observation.partition is None:
        return files
    try:
        archive.cut.place(observation.partition)
    except PrefixError:
        return News(files.prefixes, files.strange + 1)
    return News((*files.prefixes, observation.partition), files.strange)


def _names(metadata: Mapping[str, MetadataValue]) -> list[str]:
    value = metadata[NAMES].value if NAMES in metadata else ()
    if isinstance(value, str):
        return [line for line in value.splitlines() if line]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else []
