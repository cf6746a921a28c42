"""Unpacking a build: plain files below one folder, within bounds, without what is not served."""

import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from dicom_assets.serve.viewer.errors import ViewerError

_ROOT, _BUILD = "package", "dist"
_LICENCE = PurePosixPath("LICENSE")
_MOST_FILES, _MOST_BYTES = 5_000, 500 << 20

_LEFT_OUT_FOLDERS = frozenset({"ort"})
"""Models that segment by a click: they are fetched from elsewhere, and their engine is two thirds of the package."""
_LEFT_OUT = frozenset(
    {
        "_headers", "_redirects", "serve.json",  # for servers of others
        "app-config.js",  # ours is served
        "es6-shim.min.js", "polyfill.min.js", "google.js", "oidc-client.min.js", "silent-refresh.html",  # not used
        "init-service-worker.js", "sw.js",  # they load code from elsewhere
    }
)  # fmt: skip
_LEFT_OUT_SUFFIXES = frozenset({".map"})


def unpack(tarball: Path, folder: Path) -> None:
    """Unpack the build in a tarball of npm to a folder that is there, with its licence.

    Parameters
    ----------
    tarball
        Of the package.
    folder
        Where its files go.

    Raises
    ------
    ViewerError
        It is no such package, or has in it what no build needs: links, devices, names that lead out of the folder.
    OSError
        The files cannot be written.

    """
    try:
        with tarfile.open(tarball, "r:gz") as archive:
            for member, name in _wanted(archive):
                content = archive.extractfile(member)
                assert content is not None  # it is a plain file
                target = folder.joinpath(*name.parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    shutil.copyfileobj(content, file)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ViewerError("the package of the viewer is no tarball, or a damaged one") from error
    if not (folder / "index.html").is_file():
        raise ViewerError("the package of the viewer has no build in it")


def _wanted(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, PurePosixPath]]:
    """Yield the files that are kept, each with its name below the folder."""
    files = size = 0
    for member in archive:
        files, size = files + 1, size + member.size
        if files > _MOST_FILES or size > _MOST_BYTES:
            raise ViewerError("the package of the viewer is larger than any build of it")
        if member.isdir():
            continue
        name = PurePosixPath(member.name)
        if not member.isreg() or name.is_absolute() or ".." in name.parts or set(member.name) & set("\\:\0"):
            raise ViewerError("the package of the viewer holds a file that a build has no use for")
        if name.parts[:1] == (_ROOT,) and PurePosixPath(*name.parts[1:]) == _LICENCE:
            yield member, _LICENCE
        elif name.parts[:2] == (_ROOT, _BUILD) and _is_served(PurePosixPath(*name.parts[2:])):
            yield member, PurePosixPath(*name.parts[2:])


def _is_served(name: PurePosixPath) -> bool:
    if not name.parts or name.parts[0] in _LEFT_OUT_FOLDERS:
        return False
    return name.as_posix() not in _LEFT_OUT and name.suffix not in _LEFT_OUT_SUFFIXES
