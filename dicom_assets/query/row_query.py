"""Rows of one table or view, chosen by a condition: the SQL of commands that are not SQL."""

from dataclasses import dataclass

from dicom_assets.query.sql_text import identifier


@dataclass(frozen=True, slots=True)
class RowQuery:
    """What rows are asked for.

    Attributes
    ----------
    table
        A table or view.
    where
        Condition in SQL that they meet.
    columns
        Expressions of SQL, by commas.
    order
        What they are ordered by, in SQL; as they come where it is empty.
    limit
        The most of them, ``None`` for all.

    """

    table: str
    where: str = "true"
    columns: str = "*"
    order: str = ""
    limit: int | None = None

    @property
    def sql(self) -> str:
        """The query. What users wrote stands on lines of its own, where a comment at its end ends with it."""
        parts = [f"SELECT\n{self.columns}\nFROM {identifier(self.table)}\nWHERE (\n{self.where}\n)"]
        if self.order:
            parts.append(f"ORDER BY {self.order}")
        if self.limit is not None:
            parts.append(f"LIMIT {self.limit}")
        return "\n".join(parts)
