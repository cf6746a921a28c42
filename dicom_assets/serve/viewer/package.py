"""Which build of the viewer is served: its name, its version, and the hash that what is fetched has to have."""

import base64
import re
from dataclasses import dataclass

_INTEGRITY = re.compile(r"sha512-([A-Za-z0-9+/]{86}==)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Places:
    """How many places of a build hold an address that begins at the root of the server.

    Attributes
    ----------
    page
        Links of ``index.html``, and its statements of where the build stands.
    scripts
        In the scripts: where further scripts are loaded from.
    styles
        In the style sheets.

    """

    page: int
    scripts: int
    styles: int


@dataclass(frozen=True, slots=True)
class Package:
    """A build in the npm registry.

    Attributes
    ----------
    name, version
        As the registry has them.
    integrity
        Hash of the tarball, as in a lock file of npm (Subresource Integrity): ``sha512-`` and base64.
    megabytes
        About how much is fetched, for people.
    places
        What is found in it; ``None`` takes any build that can be moved.

    """

    name: str
    version: str
    integrity: str
    megabytes: int = 0
    places: Places | None = None

    @property
    def digest(self) -> bytes:
        """The SHA-512 of the tarball; raises :class:`ValueError` where the integrity states none."""
        match = _INTEGRITY.fullmatch(self.integrity)
        if match is None:
            raise ValueError("an integrity is sha512- and 88 characters of base64")
        return base64.b64decode(match[1])

    @property
    def address(self) -> str:
        """Where the tarball is, below the address of a registry."""
        return f"{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"

    @property
    def folder(self) -> str:
        """Name of the folder that it is unpacked to, another for each version."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


OHIF = Package(
    name="@ohif/app",
    version="3.13.2",
    integrity="sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==",
    megabytes=50,
    places=Places(page=33, scripts=9, styles=5),
)
"""What ``dicom-assets viewer install`` fetches. Another version takes a look at every part of this package."""
