"""What ``dg scaffold defs dicom_assets.DicomCatalogComponent`` writes: YAML, or Python, to begin with."""

import json
import re

from dagster import Scaffolder, ScaffoldRequest
from pydantic import BaseModel, Field, field_validator

from dicom_assets.orchestration.definitions import LAKE, SOURCE
from dicom_assets.orchestration.naming import CatalogNames

_VARIABLES = {"source": SOURCE, "lake": LAKE}

_YAML = """\
type: {type}

attributes:
  # First part of the asset keys ({name}/object_catalog), and of all other names.
  name: {name}
  # Folder or bucket URI of the DICOM files. Relative folders count from the root of the project.
  source: {source}
  # Folder or bucket URI of the Delta tables.
  lake: {lake}
  # How many directories below the source make a partition.
  prefix_depth: {depth}
  # More: `dg docs component`, or docs/component.md of dicom-assets.
"""

_PYTHON = """\
import dagster as dg
from dicom_assets import DicomCatalogComponent


@dg.component_instance
def load(context: dg.ComponentLoadContext) -> DicomCatalogComponent:
    return DicomCatalogComponent(name={name!r}, source={source}, lake={lake}, prefix_depth={depth})
"""


class ScaffoldParams(BaseModel):
    """Options of the command."""

    name: str = Field(default="", description="What the catalog is called, by default as its folder.")
    source: str = Field(
        default="", description="Folder or bucket URI of the DICOM files, by default from DICOM_ASSETS_SOURCE."
    )
    lake: str = Field(default="", description="Folder or bucket URI of the tables, by default from DICOM_ASSETS_LAKE.")
    prefix_depth: int = Field(default=1, description="How many directories below the source make a partition.")

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        return CatalogNames(value).name


class DicomCatalogScaffolder(Scaffolder[ScaffoldParams]):
    """Writes a component with its places filled in."""

    @classmethod
    def get_scaffold_params(cls) -> type[ScaffoldParams]:
        """Return the options of the command."""
        return ScaffoldParams

    def scaffold(self, request: ScaffoldRequest[ScaffoldParams]) -> None:
        """Write ``defs.yaml``, or ``component.py``, or one more component to a file that is there."""
        given, target = request.params, request.target_path
        name = given.name or _name_of((target.parent if request.append else target).name)
        if request.scaffold_format == "python":
            places = {key: _in_python(key, getattr(given, key)) for key in ("source", "lake")}
            text = _PYTHON.format(name=name, depth=given.prefix_depth, **places)
            (target / "component.py").write_text(text, encoding="utf-8")
            return
        places = {key: _in_yaml(key, getattr(given, key)) for key in ("source", "lake")}
        text = _YAML.format(type=request.type_name, name=name, depth=given.prefix_depth, **places)
        if request.append:
            with target.open("a", encoding="utf-8") as file:
                file.write(f"\n---\n{text}")
        else:
            (target / "defs.yaml").write_text(text, encoding="utf-8")


def _in_yaml(key: str, place: str) -> str:
    # Text in JSON is text in YAML, whatever is in it.
    return json.dumps(place or f"{{{{ env.{_VARIABLES[key]} }}}}", ensure_ascii=False)


def _in_python(key: str, place: str) -> str:
    return repr(place) if place else f"dg.EnvVar({_VARIABLES[key]!r}).get_value()"


def _name_of(folder: str) -> str:
    """Return the name of a catalog in a folder."""
    words = re.findall(r"[A-Za-z0-9]+", folder)
    name = "_".join(words)
    return name if name and name[0].isalpha() else "dicom"
