"""Run config of the catalog's assets, and the names of the ops that it is for."""

from typing import Any

from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.tables import FILE_INDEX

EXTRACTION_OP = "extraction"
"""The op of all extracted tables. Ops of single tables have their names."""

ROLLUPS_OP = "rollups"
"""The op of ``series`` and ``studies``."""

_OPS = (FILE_INDEX.name, EXTRACTION_OP, CATALOG_NAME, ROLLUPS_OP)


def update_config(
    mode: UpdateMode, names: CatalogNames = ALONE, *, allow_mass_deletion: bool = False
) -> dict[str, Any]:
    """Return the run config of an update of all tables; what is as by default is left out.

    Parameters
    ----------
    mode
        How the run treats rows that exist.
    names
        What the catalog is called.
    allow_mass_deletion
        Whether most files may go from the index.

    """
    common = {} if mode is UpdateMode.SYNC else {"mode": mode.value}
    index = {"allow_mass_deletion": True} if allow_mass_deletion else {}
    config = {op: {**common, **(index if op == FILE_INDEX.name else {})} for op in _OPS}
    ops = {names.op(op): {"config": options} for op, options in config.items() if options}
    return {"ops": ops} if ops else {}
