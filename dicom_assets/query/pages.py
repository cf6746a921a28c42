"""HTML made of what the tables hold: everything is escaped, and nothing reorders the text around it."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from dicom_assets.query.visible import visible


def template(name: str, package: str = "dicom_assets.query") -> Template:
    """Return a template by its file name, of those in the folder ``templates`` of a package."""
    return _environment(package).get_template(name)


def _finalize(value: Any) -> Any:
    """Return a value as the page shows it: without characters that reorder the text around it."""
    return visible(value) if type(value) is str else value


def _lines(text: str) -> Markup:
    """Return a text that a form sends back: its lines and tabs stay, all else is shown as it is elsewhere."""
    return escape(visible(text.replace("\r\n", "\n"), keep="\n\t"))


@cache
def _environment(package: str) -> Environment:
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["lines"] = _lines
    return environment
