"""A project as ``create-dagster project`` makes it, and ``dg`` in it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import dicom_assets

CHECKOUT = Path(dicom_assets.__file__).parents[1]
TYPE = "dicom_assets.DicomCatalogComponent"

_PYPROJECT = """\
[project]
name = "imaging"
requires-python = ">=3.11,<3.14"
version = "0.1.0"
dependencies = ["dagster", "dicom-assets"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.dg]
directory_type = "project"

[tool.dg.cli.telemetry]
enabled = false

[tool.dg.project]
root_module = "imaging"
registry_modules = ["imaging.components.*"]
"""

_DEFINITIONS = """\
from pathlib import Path

from dagster import definitions, load_from_defs_folder


@definitions
def defs():
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
"""

_SAVING_IMPORTS = """\
import json, sys
from dagster_dg_cli.cli import create_dg_cli
for arguments in json.loads(sys.argv[1]):
    print("$ dg", *arguments, flush=True)
    try:
        create_dg_cli().main(arguments, prog_name="dg")
    except SystemExit as end:
        if end.code:
            raise
"""


def is_registered() -> bool:
    """Tell whether ``dg`` finds the package: editable installs know of new entry points after the next install only."""
    return any(point.value == "dicom_assets" for point in entry_points(group="dagster_dg_cli.registry_modules"))


@dataclass
class Project:
    """One in a folder of its own."""

    root: Path

    def __post_init__(self):
        package = self.root / "src" / "imaging"
        (package / "defs").mkdir(parents=True)
        (package / "components").mkdir()
        for folder in (package, package / "defs", package / "components"):
            (folder / "__init__.py").touch()
        (package / "definitions.py").write_text(_DEFINITIONS)
        (self.root / "pyproject.toml").write_text(_PYPROJECT)
        self.home = self.root / ".dagster_home"
        self.home.mkdir()
        (self.home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        path = [str(self.root / "src"), str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = {
            **os.environ,
            "DAGSTER_HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONWARNINGS": "ignore",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "COLUMNS": "200",
        }

    def yaml(self, folder: str) -> Path:
        return self.root / "src" / "imaging" / "defs" / folder / "defs.yaml"

    def write(self, folder: str, attributes: str) -> None:
        """Write the YAML of a component."""
        self.yaml(folder).parent.mkdir(exist_ok=True)
        self.yaml(folder).write_text(f"type: {TYPE}\n\nattributes:\n{attributes}")

    def dg(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        """Call ``dg``."""
        return self._call("dg", *arguments, **variables)

    def all_of(self, commands: str) -> subprocess.CompletedProcess:
        """Give ``dg`` commands, one a line, in one process: most of the time of each goes into imports."""
        import json
        import shlex

        split = [shlex.split(line)[1:] for line in commands.strip().splitlines()]
        return self._call(sys.executable, "-c", _SAVING_IMPORTS, json.dumps(split))

    def start(self, *command: str, log) -> subprocess.Popen:
        return subprocess.Popen(
            command, cwd=self.root, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )

    def _call(self, *command: str, **variables: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            command,
            cwd=self.root,
            env={**self.environment, **variables},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=300,
        )
