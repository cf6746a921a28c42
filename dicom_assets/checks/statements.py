"""SQL that lists the cases of a check: what people run to see them is what was counted."""

from collections.abc import Iterable, Sequence

from dicom_assets.checks.check import Scope
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.duplicates import Likeness, duplicates_sql
from dicom_assets.query.sql_text import identifier, literal
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION, Table

REACHES = "to_prefix"
"""Column of the last prefix that a study or series has files in."""
WITHOUT_ROW, WITHOUT_FILE = "files without a row", "rows without a file"


def listed(texts: Iterable[str]) -> str:
    """Return texts as the inside of an SQL list."""
    return ", ".join(map(literal, texts))


def within(scope: Scope) -> str:
    """Return the condition that a row is in the scope: data files of other prefixes are skipped."""
    return "true" if scope.prefixes is None else f"{PARTITION} IN ({listed(scope.prefixes)})"


def repeated_keys(table: Table, scope: Scope) -> str:
    """List the keys that stand more than once: a file in all prefixes, another key in one."""
    by = KEY if table.key == KEY else ", ".join(table.identity)
    return (
        f"SELECT min({PARTITION}) AS {PARTITION}, {table.key}, count(*) AS copies FROM {identifier(table.name)} "  # noqa: S608 - our names
        f"WHERE {within(scope)} GROUP BY {by} HAVING count(*) > 1"
    )


def unpaired(table: Table, scope: Scope) -> str:
    """List the files of the index that have no row, and the rows that have no file.

    Kept rows of removed files may stand in any table; the catalog has all that the index has.
    """
    here, index = within(scope), FILE_INDEX.name
    live = "" if table.name == CATALOG_NAME else " AND removed_at IS NULL"
    return (
        f"SELECT {literal(WITHOUT_ROW)} AS what, {PARTITION}, {KEY} FROM {index} "  # noqa: S608 - our own names
        f"ANTI JOIN (SELECT {KEY} FROM {identifier(table.name)} WHERE {here}) USING ({KEY}) WHERE {here}{live}\n"
        f"UNION ALL\n"
        f"SELECT {literal(WITHOUT_FILE)} AS what, {PARTITION}, {KEY} FROM {identifier(table.name)} "
        f"ANTI JOIN (SELECT {KEY} FROM {index} WHERE {here}) USING ({KEY}) WHERE {here}"
    )


def of_status(table: Table, states: Sequence[str], scope: Scope) -> str:
    """List the rows that are in one of some states."""
    return (
        f"SELECT {PARTITION}, {table.key}, status, error FROM {identifier(table.name)} "  # noqa: S608 - our own names
        f"WHERE status IN ({listed(states)}) AND {within(scope)}"
    )


def stored_columns(table: Table, _: Scope) -> str:
    """List the columns that a table has."""
    return f"SELECT column_name, column_type FROM (DESCRIBE {identifier(table.name)})"  # noqa: S608 - our own names


def repeated_instances(scope: Scope) -> str:
    """List the files that share their SOP Instance UID with another, and what they have in common."""
    return duplicates_sql(within(scope))


def unlike_images(scope: Scope) -> str:
    """List the files whose SOP Instance UID names different images."""
    return f"FROM ({duplicates_sql(within(scope))}) WHERE likeness = {literal(Likeness.DIFFERENT_IMAGES)}"


def disagreeing(table: Table, entity: str, attributes: Sequence[str], scope: Scope) -> str:
    """List the attributes that have several values in one study or series; an absent value is none."""
    several = ", ".join(
        f"CASE WHEN min({attribute}) <> max({attribute}) THEN {literal(attribute)} END" for attribute in attributes
    )
    return (
        f"SELECT * FROM (SELECT min({PARTITION}) AS {PARTITION}, max({PARTITION}) AS {REACHES}, "  # noqa: S608 - ours
        f"{entity}, count(*) AS files, "
        f"unnest([{several}]) AS attribute FROM {identifier(table.name)} "
        f"WHERE {entity} IS NOT NULL AND {within(scope)} AND removed_at IS NULL GROUP BY {entity}) "
        "WHERE attribute IS NOT NULL"
    )


def dangling_references(scope: Scope) -> str:
    """List the references of objects in a scope to instances that no file of the whole catalog is."""
    return (
        f"SELECT {PARTITION}, {KEY}, Modality, sequence, referenced_study_uid, referenced_series_uid, "  # noqa: S608
        f"referenced_instance_uid FROM derived_references WHERE dangling AND {within(scope)}"
    )


def instances_referred_to(table: Table, scope: Scope) -> str:
    """List the instances that objects in a scope refer to, by modality and prefix of those, and how many times.

    The same references as :func:`dangling_references` looks at.
    """
    here = within(scope)
    return (
        f"SELECT r.instance_uid AS uid, Modality, {PARTITION}, count(*) AS times FROM ("  # noqa: S608 - our own names
        f'SELECT Modality, {PARTITION}, unnest("references") AS r FROM {table.name} '
        f"ANTI JOIN (SELECT {KEY} FROM {CATALOG_NAME} WHERE removed_at IS NOT NULL AND {here}) USING ({KEY}) "
        f"WHERE {here}) WHERE r.level = 'instance' GROUP BY ALL"
    )


def instances_among(uids: Sequence[str] | str, scope: Scope) -> str:
    """List which of some UIDs are instances of the catalog in a scope.

    Parameters
    ----------
    uids
        Themselves, or a query with a column ``uid``.
    scope
        Where to look.

    """
    wanted = f"SELECT uid FROM ({uids})" if isinstance(uids, str) else listed(uids)  # noqa: S608 - our own names
    return (
        f"SELECT DISTINCT SOPInstanceUID AS uid FROM {CATALOG_NAME} "  # noqa: S608 - our own names
        f"WHERE removed_at IS NULL AND SOPInstanceUID IN ({wanted}) AND {within(scope)}"
    )


def flat_thumbnails(table: Table, digests: Sequence[str], scope: Scope) -> str:
    """List the thumbnails with the content of those that were found, whether they were looked at or not."""
    return (
        f"SELECT {PARTITION}, {KEY}, status FROM {identifier(table.name)} "  # noqa: S608 - our own names
        f"WHERE md5(thumbnail) IN ({listed(digests) or 'NULL'}) AND {within(scope)}"
    )


def newest_files(_: Scope) -> str:
    """List the newest file of each prefix."""
    return (
        f"SELECT {PARTITION}, max(modified_at) AS newest, count(*) AS files FROM {FILE_INDEX.name} "  # noqa: S608
        f"WHERE removed_at IS NULL AND modified_at <= now() GROUP BY {PARTITION} ORDER BY newest DESC"
    )
