"""``dicom-assets notify``: asks the archive sensor for a look at what has changed, before its sweep gets there."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dicom_assets.cli.errors import clear_errors
from dicom_assets.cli.options import LakeOption, Schema
from dicom_assets.errors import InfrastructureError

if TYPE_CHECKING:
    from dicom_assets.orchestration.naming import CatalogNames

_PATIENCE = 30.0
_STDIN = "-"


class WebserverError(InfrastructureError):
    """The Dagster webserver does not take what it is told."""


def notify(
    lake: LakeOption,
    changed: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH|URI]...",
            help="Files that are new, changed or gone, or folders that end in a slash, from the source down or whole; "
            "- reads them from standard input, one a line, or events of S3 as JSON.",
        ),
    ] = None,
    schema: Schema = "dicom",
    events: Annotated[
        Path | None, typer.Option("--events", metavar="FILE", help="Read paths, or events of S3 as JSON, from a file.")
    ] = None,
    prefix: Annotated[
        list[str] | None, typer.Option("--prefix", help="A partition that changed; may be given several times.")
    ] = None,
    dagster_url: Annotated[
        str | None,
        typer.Option(
            "--dagster-url", help="Address of the Dagster webserver, where the instance of the lake is not the one."
        ),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Name of the catalog, where the code location has several.")] = "",
) -> None:
    """Tell that files changed: the sensor looks at their prefixes in its next tick, and asks for runs of just these.

    Only prefixes are passed on, not the names of files. Nothing is believed but that it is worth a look.
    """
    from dicom_assets.archive.news import prefixes_told
    from dicom_assets.delta.lake import Lake
    from dicom_assets.orchestration.naming import CatalogNames
    from dicom_assets.pipeline.ownership import owner_of

    with clear_errors():
        owner = owner_of(Lake(lake, schema))
        news = prefixes_told(_told(changed or (), events), owner.source, owner.whole_cut)
        for one in prefix or ():
            owner.whole_cut.place(one)
        prefixes = sorted({*news.prefixes, *(prefix or ())})
        names = CatalogNames(name)
        if dagster_url is None:
            _tell_instance(lake, prefixes, names)
        else:
            for one in prefixes:
                _post(dagster_url, names, one)
    strange = f" {news.strange} names are of no file below the source." if news.strange else ""
    typer.echo(f"{len(prefixes)} prefix{'' if len(prefixes) == 1 else 'es'} told.{strange}")
    if news.strange and not prefixes:
        raise typer.Exit(1)


def _told(changed: Sequence[str], events: Path | None) -> Iterator[str]:
    from dicom_assets.archive.news import NewsError, names_in

    try:
        if events is not None:
            yield from names_in(events.read_text(encoding="utf-8"))
        for one in changed:
            if one == _STDIN:
                yield from names_in(sys.stdin.read())
            else:
                yield one
    except (OSError, UnicodeDecodeError) as error:
        raise NewsError(f"cannot read what changed: {type(error).__name__}") from error


def _tell_instance(lake: str, prefixes: Iterable[str], names: "CatalogNames") -> None:
    from dicom_assets.orchestration.instance import open_instance
    from dicom_assets.orchestration.news import tell_news
    from dicom_assets.storage.addresses import absolute

    with open_instance(absolute(lake)) as instance:
        tell_news(instance, prefixes, names)


def _post(server: str, names: "CatalogNames", prefix: str) -> None:
    """Report an observation of the archive to a webserver."""
    from dicom_assets.orchestration.assets.archive import ARCHIVE, NEVER_NEWER
    from dicom_assets.orchestration.news import TOLD

    asset = "/".join(names.key(ARCHIVE).path)
    body = json.dumps({"partition": prefix, "data_version": NEVER_NEWER.value, "description": TOLD}).encode()
    if not server.startswith(("http://", "https://")):
        raise WebserverError(f"{server} is no address of a webserver: it begins with http:// or https://")
    request = urllib.request.Request(  # noqa: S310 - checked above
        f"{server.rstrip('/')}/report_asset_observation/{asset}", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310
            pass
    except urllib.error.HTTPError as error:
        raise WebserverError(f"the Dagster webserver at {server} refuses: HTTP {error.code}") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise WebserverError(f"the Dagster webserver at {server} cannot be reached: {reason}") from error
