"""What others tell of an archive: files and folders that changed, as paths, as URIs, or as events of a bucket.

Believed is only that it is worth a look: what a prefix holds is told by its listing.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from dicom_assets.archive.prefixes import PrefixCut, is_no_name
from dicom_assets.archive.sources import below_source
from dicom_assets.errors import UserError

_NESTED = 4
"""Events come in messages of queues, these in events of their own."""


class NewsError(UserError, ValueError):
    """What was told is neither paths nor events."""


@dataclass(frozen=True, slots=True)
class News:
    """Where an archive should be looked at.

    Attributes
    ----------
    prefixes
        In order, each once.
    strange
        Number of names that are not below the source, or of folders above the prefixes.

    """

    prefixes: tuple[str, ...]
    strange: int = 0


def prefixes_told(told: Iterable[str], source: str, cut: PrefixCut) -> News:
    """Return the prefixes that files or folders stand in.

    Parameters
    ----------
    told
        Paths or URIs below the source, or paths from the source down. Those of folders end in a slash.
    source
        Root of the archive.
    cut
        How it is cut.

    """
    found: dict[str, None] = {}
    strange = 0
    for one in told:
        relative = below_source(one, source)
        *directories, name = (relative or "").split("/")
        is_odd = relative is None or any(map(is_no_name, directories))
        if is_odd or name in {".", ".."} or (not name and len(directories) < cut.depth):
            strange += 1
        else:
            found[cut.key(directories)] = None
    return News(tuple(sorted(found)), strange)


def names_in(text: str) -> Iterator[str]:
    """Yield the paths and URIs in a text: one a line, or JSON that holds events of S3.

    Events are taken as S3 sends them, in messages of SNS and SQS, and as EventBridge sends them; those of tests, and of
    other services, name nothing.

    Raises
    ------
    NewsError
        What begins like JSON is none.

    """
    stripped = text.lstrip()
    if not stripped.startswith(("{", "[")):
        yield from filter(None, text.splitlines())
        return
    decoder = json.JSONDecoder()
    while stripped:
        try:
            event, end = decoder.raw_decode(stripped)
        except (ValueError, RecursionError) as error:
            raise NewsError("this begins like an event, but is not JSON: tell paths one a line, or events") from error
        yield from _named(event, _NESTED)
        stripped = stripped[end:].lstrip()


def _named(event: Any, nested: int) -> Iterator[str]:
    if nested < 0:
        return
    if isinstance(event, str) and event.lstrip().startswith("{"):
        try:
            event = json.loads(event)
        except (ValueError, RecursionError):
            return
    if isinstance(event, list):
        for one in event:
            yield from _named(one, nested)
    if not isinstance(event, dict):
        return
    if isinstance(about := event.get("s3"), dict):
        yield from _uri(about, encoded=True)
    elif isinstance(about := event.get("detail"), dict):
        yield from _uri(about, encoded=False)
    for inner in ("Records", "Messages", "Message", "Sns", "Body", "body"):
        yield from _named(event.get(inner), nested - 1)


def _uri(about: dict[str, Any], *, encoded: bool) -> Iterator[str]:
    bucket, found = about.get("bucket"), about.get("object")
    bucket_name = bucket.get("name") if isinstance(bucket, dict) else None
    key = found.get("key") if isinstance(found, dict) else None
    if isinstance(bucket_name, str) and isinstance(key, str):
        yield f"s3://{bucket_name}/{unquote_plus(key) if encoded else key}"
