"""Moving a build below a prefix: it is made to stand at the root of a server, and says so in a few places.

Only those are changed, each by its own pattern, and counted: where a build has none of them, it is not one that can be
moved. A build that was made for the prefix (``PUBLIC_URL=/viewer/``) stays as it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from dicom_assets.serve.viewer.errors import ViewerError
from dicom_assets.serve.viewer.package import Places

PAGE = PurePosixPath("index.html")
PREFIX = "/viewer/"
"""Where builds are served."""


class Rewritten(NamedTuple):
    """The content of a file after it was moved.

    Attributes
    ----------
    content
        New.
    places
        How many were changed.

    """

    content: bytes
    places: int


@dataclass(frozen=True, slots=True)
class _Rule:
    """What is looked for: what stands before an address, and the slash that the address begins with or is."""

    before: bytes
    after: bytes = rb"(?!/)"

    def apply(self, found: Rewritten) -> Rewritten:
        prefix = PREFIX.encode()
        pattern = rb"(%s)/%s(?!%s)" % (self.before, self.after, re.escape(prefix[1:]))
        content, places = re.subn(pattern, rb"\g<1>" + prefix, found.content)
        return Rewritten(content, found.places + places)


_RULES = {
    ".html": (_Rule(rb'\b(?:href|src|content)="'), _Rule(rb'PUBLIC_URL="', rb'(?=")')),
    ".js": (_Rule(rb'__webpack_require__\.p = "', rb'(?=")'), _Rule(rb"'", rb"(?=dicom-microscopy-viewer/)")),
    ".css": (_Rule(rb"url\(", rb"(?!/)"),),
}
_DROPPED = re.compile(
    rb'<script[^>]* src="[^"]*init-service-worker\.js"[^>]*></script>|<link rel="manifest"[^>]*>', re.ASCII
)
"""Tags of the page: what loads code from elsewhere, and what is fetched without the cookie."""


def rewrite(name: PurePosixPath, content: bytes) -> Rewritten:
    """Return a file of a build as it is served below the prefix.

    Parameters
    ----------
    name
        Of the file, below the folder of the build.
    content
        As it was built.

    """
    if name == PAGE:
        content = _DROPPED.sub(b"", content)
    return reduce(lambda found, rule: rule.apply(found), _RULES.get(name.suffix, ()), Rewritten(content, 0))


def check_build(folder: Path, expected: Places | None = None) -> None:
    """Find out whether a folder holds a build that can be served.

    Parameters
    ----------
    folder
        Of the build.
    expected
        How many places are to be found, where that is known.

    Raises
    ------
    ViewerError
        It holds none, or one that would not run below the prefix.

    """
    try:
        page = (folder / PAGE).read_bytes()
        found = Places(*(sum(_places(folder, suffix)) for suffix in (".html", ".js", ".css")))
    except OSError as error:
        raise ViewerError(f"{folder} holds no viewer that can be read: {error.strerror}") from error
    if expected is not None and found != expected:
        raise ViewerError(
            f"the viewer in {folder} is not as it was installed; remove that folder, and run "
            "`dicom-assets viewer install` again"
        )
    if not found.scripts and b'src="%s' % PREFIX.encode() not in page:
        raise ViewerError(f"{folder} holds no viewer that can stand below {PREFIX}: build it with PUBLIC_URL={PREFIX}")


def _places(folder: Path, suffix: str) -> Iterator[int]:
    paths = [folder / PAGE] if suffix == PAGE.suffix else folder.rglob(f"*{suffix}")
    for path in paths:
        yield rewrite(PurePosixPath(path.relative_to(folder).as_posix()), path.read_bytes()).places
