"""``dicom-assets viewer``: the viewer that ``serve`` serves, fetched once."""

from pathlib import Path
from typing import Annotated

import typer

from dicom_assets.cli.errors import clear_errors, refuse, stderr
from dicom_assets.query.visible import visible

app = typer.Typer(no_args_is_help=True, help="The viewer for studies that `serve --viewer` serves.")


@app.callback()
def common() -> None:
    """Take what goes for every command of the viewer."""


@app.command()
def install(
    tarball: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="The package, as `npm pack` writes it, for a machine that reaches no registry.",
        ),
    ] = None,
) -> None:
    """Fetch the viewer, OHIF, from the npm registry into your cache folder, where it is not there yet.

    The registry is the one in the settings of npm; npm itself is not needed. What is fetched is checked by its hash.
    """
    with clear_errors():
        folder = installed(tarball)
    typer.echo(visible(str(folder)))


def installed(tarball: Path | None = None) -> Path:
    """Return the folder of the viewer, which is fetched where it is not there yet.

    Raises
    ------
    ViewerError, ViewerFetchError
        There is none, and it cannot be fetched.

    """
    from dicom_assets.serve.viewer.checked import check_once
    from dicom_assets.serve.viewer.install import install_viewer, installed_viewer
    from dicom_assets.serve.viewer.package import OHIF

    folder = installed_viewer(OHIF)
    if folder is None:
        size = f" ({OHIF.megabytes} MB)" if OHIF.megabytes and tarball is None else ""
        stderr.print(f"Installing the viewer, {OHIF}{size}, once.", markup=False, highlight=False)
        folder = install_viewer(OHIF, tarball)
    check_once(folder, OHIF.places)
    return folder


def viewer_for(folder: Path | None, *, wanted: bool) -> Path | None:
    """Return the folder of the viewer to serve, as the options of ``serve`` say; ``None`` for none.

    Raises
    ------
    ViewerError, ViewerFetchError
        It cannot be served, or not be fetched.

    """
    from dicom_assets.serve.viewer.checked import check_once

    if folder is None:
        return installed() if wanted else None
    if wanted:
        refuse("give either --viewer or --viewer-dir")
    check_once(folder)
    return folder
