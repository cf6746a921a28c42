"""``dicom-assets serve``: the catalog over HTTP."""

import ipaddress
from pathlib import Path
from typing import Annotated

import typer

from dicom_assets.cli.errors import clear_errors, refuse, stderr
from dicom_assets.cli.options import LakeOption, Schema
from dicom_assets.cli.viewer import viewer_for
from dicom_assets.query.visible import visible

_TOKEN = "DICOM_ASSETS_TOKEN"  # noqa: S105 - the name of the variable
_SHORTEST_TOKEN = 8

ArchiveOption = Annotated[
    str | None,
    typer.Option("--source", help="The archive as it is reached from here, where that is not as it was cataloged."),
]
HostOption = Annotated[str, typer.Option("--host", help="Address to listen at.")]
PortOption = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0 takes a free one.")]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token", envvar=_TOKEN, help="What clients have to show: Authorization: Bearer TOKEN, or at /login."
    ),
]
NoTokenOption = Annotated[
    bool, typer.Option("--no-token", help="Let everyone in who can reach the port, from other machines too.")
]
HostNames = Annotated[
    list[str] | None,
    typer.Option("--host-name", help="A name that clients call this server by; may be given several times."),
]
DagsterUrl = Annotated[str | None, typer.Option("--dagster-url", help="Address of the Dagster UI, for links to runs.")]
ViewerOption = Annotated[
    bool,
    typer.Option("--viewer", help="Serve a viewer for studies, OHIF, at /viewer; it is fetched at the first time."),
]
ViewerFolder = Annotated[
    Path | None,
    typer.Option(
        "--viewer-dir", exists=True, file_okay=False, help="Serve this build of OHIF instead: the folder of index.html."
    ),
]


def serve(  # noqa: PLR0913, PLR0917 - the options of the command
    lake: LakeOption,
    schema: Schema = "dicom",
    source: ArchiveOption = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8042,
    token: TokenOption = None,
    no_token: NoTokenOption = False,
    host_name: HostNames = None,
    dagster_url: DagsterUrl = None,
    viewer: ViewerOption = False,
    viewer_dir: ViewerFolder = None,
) -> None:
    """Serve the catalog: pages for people, DICOMweb at /dicom-web, a viewer at /viewer. Nothing is written.

    Only this machine can reach it, unless --host says otherwise; then a token is needed.
    """
    from dicom_assets.delta.lake import Lake
    from dicom_assets.serve.run import listen, run
    from dicom_assets.serve.site import LOOPBACK, Site

    _check_token(token, host, no_token=no_token)
    with clear_errors():
        names = (*LOOPBACK, host, *(host_name or ()))
        build = viewer_for(viewer_dir, wanted=viewer)
        site = Site(Lake(lake, schema), source, token, names, dagster_url, build)
        site.catalog().tables()  # says where there is no catalog
        listening = listen(host, port)
        _tell(host, listening.getsockname()[1], is_open=token is None, has_viewer=build is not None)
        run(site, listening)


def _check_token(token: str | None, host: str, *, no_token: bool) -> None:
    """Refuse to let everyone in, unless that is meant."""
    if token is not None and no_token:
        refuse("give either --token or --no-token")
    if token is not None and (len(token) < _SHORTEST_TOKEN or not (token.isascii() and token.isprintable())):
        refuse(
            f"a token has at least {_SHORTEST_TOKEN} characters, all printable ASCII; `openssl rand -hex 16` makes one"
        )
    if token is None and not no_token and not _is_loopback(host):
        refuse(
            f"{host} can be reached from other machines, and whoever reaches it could read everything: give a --token "
            f"(or {_TOKEN}), or --no-token if that is meant"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tell(host: str, port: int, *, is_open: bool, has_viewer: bool) -> None:
    """Say where the server is, and who is let in."""
    root = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    parts = [f"DICOMweb: {root}/dicom-web", *([f"viewer: {root}/viewer/"] if has_viewer else [])]
    lines = [f"Serving at {root}/  ({'; '.join(parts)})  Ctrl-C ends it."]
    if not _is_loopback(host):
        lines.append("Other machines can reach it." + (" It asks nobody for a token." if is_open else ""))
        lines.append("It speaks plain HTTP: put a proxy with TLS before it where the network is not yours alone.")
    for line in lines:
        stderr.print(visible(line), markup=False, highlight=False, soft_wrap=True)
