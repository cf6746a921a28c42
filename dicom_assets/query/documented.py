"""What the members of an enum say of themselves, for pages and for people who query."""

import ast
import inspect
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from itertools import pairwise


@cache
def documented(enum: type[StrEnum]) -> dict[str, str]:
    """Return the values of an enum with the docstring that follows each in its source; nothing without its source."""
    try:
        source = inspect.getsource(enum)
    except OSError:  # an installation of compiled modules alone
        return {}
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.ClassDef)
    return dict(_members(definition))


def _members(definition: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for statement, following in pairwise(definition.body):
        match statement, following:
            case ast.Assign(value=ast.Constant(value=str(state))), ast.Expr(value=ast.Constant(value=str(text))):
                yield state, " ".join(text.replace("``", "`").split())
