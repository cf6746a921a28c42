"""Values and names as SQL writes them."""


def literal(text: str) -> str:
    """Return a text as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name as SQL takes it for a name, whatever it is: ``Columns`` is a word of DuckDB, too."""
    return '"' + name.replace('"', '""') + '"'
