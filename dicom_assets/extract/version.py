"""Options as part of an extractor's version: those that are not the default, all of them, by their names.

Made from the fields of the dataclass that holds them, so that an option that is added later cannot be left out.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any


def changed_options(options: Any) -> str:
    """Return what differs from the defaults, such as ``+limits.seconds=5``; empty where nothing does.

    Parameters
    ----------
    options
        An instance of a dataclass whose fields all have defaults; dataclasses within it are followed.

    """
    return "".join(f"+{name}={_text(value)}" for name, value in _differences(options, type(options)(), ""))


def _differences(options: Any, default: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for option in fields(options):
        name, value, usual = prefix + option.name, getattr(options, option.name), getattr(default, option.name)
        if is_dataclass(value):
            yield from _differences(value, usual, f"{name}.")
        elif value != usual:
            yield name, value


def _text(value: Any) -> str:
    """Return a value as text that is the same in every process: functions have an address in theirs."""
    if callable(value):
        return f"{value.__module__}:{value.__qualname__}"
    return str(value)
