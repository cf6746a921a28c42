"""Private modules of Dagster are imported in one place."""

import ast
from pathlib import Path

import dicom_assets
from dicom_assets.orchestration import dagster_internals

PACKAGE = Path(dicom_assets.__file__).parent


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def is_private(module):
    root, *rest = module.split(".")
    return root.startswith("dagster") and any(part.startswith("_") for part in rest)


def test_nobody_else_reaches_into_dagster():
    found = {path.name for path in PACKAGE.rglob("*.py") if any(map(is_private, imported(path)))}
    assert found == {"dagster_internals.py"}


def test_every_name_is_used():
    others = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "dagster_internals.py"]
    assert [name for name in dagster_internals.__all__ if not any(name in text for text in others)] == []
