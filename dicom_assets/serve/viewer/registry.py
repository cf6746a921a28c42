"""Where packages of npm come from on this machine: its registry, as npm itself would find it.

A plain request fetches a tarball, so no npm is needed. Only the address of the registry is read of npm's settings;
one that asks for credentials is for npm: ``npm pack`` fetches the tarball, and ``--from`` takes it.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from dicom_assets.serve.viewer.errors import ViewerError

DEFAULT = "https://registry.npmjs.org/"
_VARIABLE = "npm_config_registry"
_USER_SETTINGS = "npm_config_userconfig"


def registry_for(package: str, environment: Mapping[str, str] = os.environ, home: Path | None = None) -> str:
    """Return the address of the registry for a package, with a slash at its end.

    Parameters
    ----------
    package
        Name of the package; settings may name a registry for its scope, which goes before the general one.
    environment
        Variables that npm looks at, in any case of letters.
    home
        Folder of the user, who may have an ``.npmrc`` there.

    Raises
    ------
    ViewerError
        A setting names something that is no address of a registry.

    """
    variables = {name.lower(): value for name, value in environment.items() if name.lower().startswith("npm_config_")}
    own = variables.get(_USER_SETTINGS)
    settings = dict(_settings(Path(own) if own else (home or Path.home()) / ".npmrc", environment))
    scope = package.partition("/")[0]
    found = settings.get(f"{scope}:registry") or variables.get(_VARIABLE) or settings.get("registry") or DEFAULT
    parts = urlsplit(found)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ViewerError("the registry in the settings of npm is no address that begins with https:// or http://")
    return found.rstrip("/") + "/"


def _settings(path: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the settings of an ``.npmrc``; none where there is no such file, or it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith(("#", ";")):
            yield name.strip(), _expanded(value.strip().strip("\"'"), environment)


def _expanded(value: str, environment: Mapping[str, str]) -> str:
    """Return a value with the variables that it names as ``${NAME}``."""
    for name, content in environment.items():
        value = value.replace(f"${{{name}}}", content)
    return value
