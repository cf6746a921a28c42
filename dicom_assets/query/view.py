"""What a view is. Views stand in modules of their own, by what they are about; ``views`` gathers them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A question that people ask often, by a name that every query can use like a table.

    It is no part of the lake: an engine gets it when a query names it. A table of the lake by the same name hides it.

    Attributes
    ----------
    name
        Lower case, as tables are named.
    description
        One sentence for the documentation.
    sql
        One ``SELECT`` in DuckDB's SQL.
    needs
        All tables and views that the SQL reads. Where one of them is missing, so is the view.

    """

    name: str
    description: str
    sql: str
    needs: tuple[str, ...]
