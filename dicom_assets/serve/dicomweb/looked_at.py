"""The series that clients are looking at: a viewer asks for one frame of a series after the other.

To look each instance up in the tables takes longer than to read its frame. So a series is looked up as a whole, once
for a version of the tables: its instances, and what the index says of their files.
"""

from collections.abc import Mapping
from dataclasses import replace

from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.dicomweb.instances import NONE, Instance, find_few, find_files, find_instances
from dicom_assets.serve.dicomweb.levels import INSTANCE, SERIES, STUDY
from dicom_assets.serve.errors import NotFoundError
from dicom_assets.serve.remembered import Remembered

_SERIES = 16
_FILES = 5_000
"""Of one series; the instances of a longer one are looked up one by one."""


class LookedAt:
    """Instances by their three identifiers; safe to use from several threads."""

    def __init__(self) -> None:
        self._known: Remembered[Mapping[str, Instance] | None] = Remembered(_SERIES)

    def instance(self, catalog: FixedCatalog, uids: Mapping[str, str]) -> Instance:
        """Return one instance.

        Parameters
        ----------
        catalog
            Where to look.
        uids
            Those of the study, the series and the instance, by column.

        Raises
        ------
        NotFoundError
            There is none.

        """
        above = {level.uid: uids[level.uid] for level in (STUDY, SERIES)}
        series = self._known.get(catalog, tuple(above.values()), lambda: _look_up(catalog, above))
        if series is None:
            return find_instances(catalog, uids)[0]
        found = series.get(uids[INSTANCE.uid])
        if found is None:
            raise NotFoundError(NONE)
        return found


def _look_up(catalog: FixedCatalog, uids: Mapping[str, str]) -> Mapping[str, Instance] | None:
    """Return the instances of a series, each with its file; ``None`` where they are too many."""
    instances = find_few(catalog, uids, _FILES)
    if instances is None:
        return None
    files = find_files(catalog, instances)
    return {one.uids[INSTANCE.uid]: replace(one, file=files.get((one.path, one.fingerprint))) for one in instances}
