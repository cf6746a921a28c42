"""The alarm of a catalog: a check of ``file_index`` that is red while its archive is not followed.

Ticks that fail are red in the list of ticks and nowhere else; a check is red on the page of the asset, and what sends
alerts listens to checks. So the sensor tells either: written when something begins or ends, not with every tick.
"""

from collections.abc import Sequence
from hashlib import blake2b

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    DagsterError,
    DagsterInstance,
    MetadataValue,
    asset_check,
)
from deltalake.exceptions import DeltaError

from dicom_assets.archive.base import Archive, Prefixes
from dicom_assets.errors import DicomAssetsError, InfrastructureError
from dicom_assets.extract.model import CatalogModel
from dicom_assets.orchestration.assets.plain_errors import plain_text
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.partitions import registered_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.troubles import Troubles
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.ownership import recognise
from dicom_assets.tables import FILE_INDEX

FOLLOWED = "archive_is_followed"
"""Name of the check."""

LOST = "lost"
"""How the state begins of an archive that cannot be followed at all."""

_STATE = "state"
_HISTORY = 10
_DESCRIPTION = (
    "The archive can be reached and is the one that the catalog belongs to, all its prefixes can be listed, no mass "
    "deletion is refused, and no prefix keeps failing. The archive sensor tells it when that changes."
)


class ArchiveNotFollowedError(InfrastructureError, DagsterError):
    """The archive cannot be followed at all: out of reach, another one, or suddenly empty.

    An error of Dagster's too, because those are shown as they are: others it puts below a line of its own.
    """


def reach(
    archive: ArchiveResource, lake: LakeResource, registered: Sequence[str], model: CatalogModel, *, lists: bool = True
) -> tuple[Archive, Prefixes, CatalogState]:
    """Open an archive and its catalog, and return them with the prefixes that the archive has.

    Parameters
    ----------
    archive, lake, model
        What is opened.
    registered
        Partition keys.
    lists
        Whether the prefixes are listed; otherwise those are returned that are known.

    Raises
    ------
    ArchiveNotFollowedError
        The archive cannot be followed.

    """
    try:
        tables = lake.open()
        files = recognise(tables, archive.open(tables.root))
        files.check()
        listed, state = files.prefixes() if lists else None, CatalogState(tables, model)
        present = listed or Prefixes(sorted({*registered, *state.prefixes}))
        known = bool(registered or state.prefixes)
    except (DicomAssetsError, OSError, DeltaError) as error:
        raise ArchiveNotFollowedError(f"Nothing was changed: {plain_text(error)}") from error
    if known and not (present.found or present.unlisted):
        raise ArchiveNotFollowedError(
            "Nothing was changed: the archive is empty, and it was not before. If that is meant, materialize its "
            "partitions by hand, with allow_mass_deletion in the run config of file_index."
        )
    return files, present, state


def check_key(names: CatalogNames = ALONE) -> AssetCheckKey:
    """Return the key of the check."""
    return AssetCheckKey(names.key(FILE_INDEX.name), FOLLOWED)


def tell(instance: DagsterInstance, now: AssetCheckEvaluation) -> bool:
    """Write down how the archive stands, unless it was told last; return whether it was written."""
    before = _last_told(instance, now.asset_check_key)
    if before is not None and _state_of(before) == _state_of(now):
        return False
    instance.report_runless_asset_event(now)
    return True


def told_state(instance: DagsterInstance, names: CatalogNames = ALONE) -> str | None:
    """Return the state that was told last, ``None`` where none was."""
    before = _last_told(instance, check_key(names))
    return None if before is None else _state_of(before)


def in_trouble(troubles: Troubles, names: CatalogNames = ALONE) -> AssetCheckEvaluation:
    """Return what a sweep over the archive came to."""
    told = troubles.line() or "All prefixes are followed."
    # As text: what is JSON or Markdown is shown after a click only.
    reasons = "\n".join(dict.fromkeys(one.reason for one in troubles.shown if one.reason))
    prefixes = "\n".join(one.prefix for one in troubles.shown if one.prefix)
    return _evaluation(
        told,
        troubles.state,
        {
            **{kind: MetadataValue.int(count) for kind, count in troubles.counts.items()},
            **({"prefixes": MetadataValue.text(prefixes)} if prefixes else {}),
            **({"reasons": MetadataValue.text(reasons)} if reasons else {}),
        },
        names,
        passed=not troubles,
    )


def lost(error: ArchiveNotFollowedError, names: CatalogNames = ALONE) -> AssetCheckEvaluation:
    """Return that the archive cannot be followed at all."""
    state = f"{LOST} {blake2b(str(error).encode(), digest_size=8).hexdigest()}"
    return _evaluation(str(error), state, {"reason": MetadataValue.text(str(error))}, names, passed=False)


def build_archive_check(model: CatalogModel, names: CatalogNames = ALONE) -> AssetChecksDefinition:
    """Return the check, as it is executed by hand or in a run: it reaches for the archive, and sweeps nothing.

    What it cannot see, which prefixes are in trouble, it repeats as the sensor told it last.
    """

    @asset_check(asset=names.key(FILE_INDEX.name), name=FOLLOWED, description=_DESCRIPTION)
    @names.takes_resources
    def archive_is_followed(
        context: AssetCheckExecutionContext, archive: ArchiveResource, lake: LakeResource
    ) -> AssetCheckResult:
        before = _last_told(context.instance, check_key(names))
        try:
            reach(archive, lake, registered_prefixes(context.instance, names.partitions), model)
        except ArchiveNotFollowedError as error:
            told = lost(error, names)
        else:
            told = in_trouble(Troubles(), names) if before is None or _state_of(before).startswith(LOST) else before
        return AssetCheckResult(
            passed=told.passed, metadata=told.metadata, severity=told.severity, description=told.description
        )

    return archive_is_followed


def _evaluation(
    description: str, state: str, metadata: dict[str, MetadataValue], names: CatalogNames, *, passed: bool
) -> AssetCheckEvaluation:
    key = check_key(names)
    return AssetCheckEvaluation(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=passed,
        severity=AssetCheckSeverity.ERROR,
        description=description,
        metadata={**metadata, _STATE: MetadataValue.text(state)},
    )


def _last_told(instance: DagsterInstance, key: AssetCheckKey) -> AssetCheckEvaluation | None:
    """Return the last evaluation; of a run that is only about to evaluate the check there is none yet."""
    for record in instance.event_log_storage.get_asset_check_execution_history(key, _HISTORY):
        event = record.event.dagster_event if record.event else None
        if event is not None and isinstance(event.event_specific_data, AssetCheckEvaluation):
            return event.event_specific_data
    return None


def _state_of(evaluation: AssetCheckEvaluation) -> str:
    told = evaluation.metadata.get(_STATE)
    return "" if told is None else str(told.value)
