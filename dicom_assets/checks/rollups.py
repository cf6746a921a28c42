"""SQL that lists where ``series`` and ``studies`` are not what the catalog says, and what is wrong with them."""

from dicom_assets.checks.check import Scope
from dicom_assets.checks.statements import REACHES, within
from dicom_assets.extract.model import CatalogModel
from dicom_assets.extract.rollups import RollupTable
from dicom_assets.query.sql_text import literal
from dicom_assets.tables import PARTITION

NO_ROW, NO_FILES, OTHER_COUNTS = "without a row", "rows without files", "rows of other counts"


def unlike_groups(table: RollupTable, model: CatalogModel, scope: Scope) -> str:
    """List the rows that are not what grouping the catalog gives: by their counts, which is quick."""
    here, key = within(scope), table.key
    counts = ("files", "instances", "bytes")
    differs = " OR ".join(f"held.{name} IS DISTINCT FROM due.{name}" for name in counts)
    return (
        f"SELECT {PARTITION}, {key}, CASE WHEN held.files IS NULL THEN {literal(NO_ROW)} "  # noqa: S608 - our own names
        f"WHEN due.files IS NULL THEN {literal(NO_FILES)} ELSE {literal(OTHER_COUNTS)} END AS what\n"
        f"FROM (SELECT {PARTITION}, {key}, count(*) AS files, "
        "count(DISTINCT SOPInstanceUID) + count(*) - count(SOPInstanceUID) AS instances, "
        f"coalesce(sum(size), 0)::BIGINT AS bytes FROM {model.catalog.name} "
        f"WHERE {key} IS NOT NULL AND removed_at IS NULL AND {here} GROUP BY ALL) AS due\n"
        f"FULL JOIN (SELECT {PARTITION}, {key}, {', '.join(counts)} FROM {table.name} WHERE {here}) AS held "
        f"USING ({PARTITION}, {key})\nWHERE {differs}"
    )


def of_several_patients(table: RollupTable, scope: Scope) -> str:
    """List the studies whose files name several patients, below one prefix or in several."""
    return (
        f"SELECT min({PARTITION}) AS {PARTITION}, max({PARTITION}) AS {REACHES}, {table.key}, "  # noqa: S608 - ours
        f"sum(files)::BIGINT AS files FROM {table.name} WHERE {within(scope)} GROUP BY {table.key}\n"
        "HAVING min(PatientID) <> max(PatientID) OR bool_or(list_contains(disagreements, 'PatientID'))"
    )
