"""The documentation of the checks, generated from their declarations: ``python -m dicom_assets.checks.describe``.

Rewrites ``docs/checks.md``; a test fails when it is stale.
"""

import sys
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

from dicom_assets.checks.check import Check, Scope, Unit, bound_text
from dicom_assets.checks.declared import checks_of
from dicom_assets.checks.options import Bounds, CheckOptions
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel

_HEAD = """\
# The checks

Generated from the code by `make reference`.

Every table of a catalog has checks, those of your own extractors included. In Dagster they run after each
materialization and look at the prefixes of their run, and again at those where they failed before: a check stays red
until what it found is mended, whichever prefixes run in between. *Execute all* on the checks tab looks at all prefixes.
Without Dagster, `dicom-assets check --lake LAKE` runs them all, over all prefixes or those named by `--prefix`, and
`dicom_assets.check_catalog(lake)` does so in Python.

A result tells what was found, the bound, in which prefixes, and the SQL that lists the cases for `dicom-assets sql`. It
holds no paths and no values. A *warning* wants somebody to look; an *error* means that what is built on the table would
be wrong. A *blocking* check that fails with an error stops the run before the tables that follow.

What two prefixes have in common, such as a file that was sent twice, is seen only where both are looked at.
"""

_OPTIONS = """\
## Bounds

`build_definitions(checks=CheckOptions(...))` sets them, for a table by its name:

```python
from datetime import timedelta

from dicom_assets import build_definitions
from dicom_assets.checks import Bounds, CheckOptions

defs = build_definitions(
    checks=CheckOptions(of_table={"thumbnails": Bounds(errors=0.1)}, newest_file=timedelta(days=3)),
)
```
"""


def checks_page(model: CatalogModel = DEFAULT_MODEL) -> str:
    """Return ``docs/checks.md``: every check of a catalog, its bounds, and the SQL behind it."""
    checks = checks_of(model, CheckOptions(newest_file=timedelta(days=1)))
    parts = [_HEAD, _rows(checks), _OPTIONS, _option_rows(), "## The SQL\n", *_statements(checks, model)]
    return "\n".join(parts)


def _rows(checks: tuple[Check, ...]) -> str:
    lines = ["| Check | Table | Bound | If it fails | |", "|---|---|---|---|---|"]
    for check in checks:
        bound = "none by default" if check.unit is Unit.HOURS else bound_text(check.bound, check.unit)
        means = f"{check.severity}{', blocking' if check.blocking else ''}"
        lines.append(f"| `{check.name}` | `{check.table.name}` | {bound} | {means} | {check.description} |")
    lines.append(
        "| `listed_whole` | `file_index` | 0 | error | Every folder of the run's prefixes could be listed; told by the "
        "run that lists, and by no other. |"
    )
    return "\n".join(lines) + "\n"


def _option_rows() -> str:
    """Return the options with their defaults, as their docstrings explain them."""
    lines = ["| Option | Default | |", "|---|---|---|"]
    for options in (CheckOptions(), Bounds()):
        texts = _documented(type(options).__doc__ or "")
        for field in fields(options):
            value = getattr(options, field.name)
            lines.append(f"| `{type(options).__name__}.{field.name}` | `{value!r}` | {texts[field.name]} |")
    return "\n".join(lines) + "\n"


def _documented(docstring: str) -> dict[str, str]:
    """Return the attributes that a numpydoc docstring describes."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in docstring.partition("----------\n")[2].partition("\n\n")[0].splitlines():
        text = line.removeprefix("    ")
        if text.startswith(" "):
            found[name].append(text.strip())
        else:
            name = text.strip()
            found[name] = []
    return {name: " ".join(lines).replace("``", "`") for name, lines in found.items()}


def _statements(checks: tuple[Check, ...], model: CatalogModel) -> list[str]:
    """Return the SQL of each kind of check, once."""
    scope = Scope.of(Lake("/lake"), model)
    last = {check.name: check for check in checks}
    return [f"`{name}` of `{c.table.name}`:\n\n```sql\n{c.statement(scope)}\n```\n" for name, c in last.items()]


def main(root: Path) -> None:
    """Rewrite the generated page of a checkout."""
    page = root / "docs" / "checks.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(checks_page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())
