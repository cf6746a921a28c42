"""The addresses of DICOMweb (PS3.18 10.1.1), and from each to what answers it."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from dicom_assets.serve.dicomweb.accept import JSON, check_json, read_accept
from dicom_assets.serve.dicomweb.bulk import send_bulk
from dicom_assets.serve.dicomweb.frames import read_numbers, send_frames
from dicom_assets.serve.dicomweb.instances import Files, Instance, find_instances
from dicom_assets.serve.dicomweb.keys import read_search
from dicom_assets.serve.dicomweb.levels import INSTANCE, LEVELS, SERIES, STUDY, Level
from dicom_assets.serve.dicomweb.looked_at import LookedAt
from dicom_assets.serve.dicomweb.metadata import metadata
from dicom_assets.serve.dicomweb.objects import send_objects
from dicom_assets.serve.dicomweb.pictures import THUMBNAIL_SIDE, read_rendering, render, thumbnail
from dicom_assets.serve.dicomweb.searching import Found, Searching
from dicom_assets.serve.dicomweb.sending import send
from dicom_assets.serve.entity import conditional, tag_of
from dicom_assets.serve.service import Service, catalog_of
from dicom_assets.serve.site import LOOPBACK

Answer = Callable[[Request], Response]
Find = Callable[[Request], Instance]

_STUDY = "/studies/{study}"
_SERIES = f"{_STUDY}/series/{{series}}"
_INSTANCE = f"{_SERIES}/instances/{{instance}}"
_NAMES = ("study", "series", "instance")
_SEARCHES: Sequence[tuple[str, Level]] = (
    ("/studies", STUDY),
    ("/series", SERIES),
    ("/instances", INSTANCE),
    (f"{_STUDY}/series", SERIES),
    (f"{_STUDY}/instances", INSTANCE),
    (f"{_SERIES}/instances", INSTANCE),
)


def routes(service: Service) -> Iterable[BaseRoute]:
    """Return the routes below ``/dicom-web``."""
    for path, level in _SEARCHES:
        yield Route(path, service.endpoint(_search(level, service.site.limits.results)))
    for path, answer in _retrievals(service.site.limits.frames, _finder()):
        yield Route(path, service.endpoint(answer))


def _finder() -> Find:
    """Return what finds the instance that an address names."""
    looked_at = LookedAt()
    return lambda request: looked_at.instance(catalog_of(request), _uids(request))


def _retrievals(most_frames: int, find: Find) -> Iterator[tuple[str, Answer]]:
    for path in (_STUDY, _SERIES, _INSTANCE):
        yield f"{path}/metadata", _metadata
        yield f"{path}/thumbnail", _thumbnail
        yield path, _objects
    yield f"{_INSTANCE}/rendered", _rendered(find)
    yield f"{_INSTANCE}/frames/{{frames}}", _frames(most_frames, find)
    yield f"{_INSTANCE}/frames/{{frames}}/rendered", _rendered(find)
    yield f"{_INSTANCE}/frames/{{frames}}/thumbnail", _frame_thumbnail(find)
    yield f"{_INSTANCE}/bulkdata/{{place:path}}", _bulk(most_frames, find)


def _uids(request: Request) -> dict[str, str]:
    """Return the unique identifiers in an address, by column."""
    named = zip(_NAMES, LEVELS, strict=True)
    return {level.uid: request.path_params[name] for name, level in named if name in request.path_params}


def _base(request: Request) -> str:
    """Return the address of the service, as the client calls this server.

    Some clients leave the port out of Host (dicomweb-client does). Where no proxy is between, the socket tells it.
    """
    url = request.base_url
    server = request.scope.get("server")
    direct = not any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-forwarded-host", "via"))
    if url.port is None and direct and url.hostname in LOOPBACK and server and server[1] not in _DEFAULT_PORTS:
        url = url.replace(port=server[1])
    return f"{str(url).rstrip('/')}/dicom-web"


_VARYING = {"Vary": "Accept"}
_DEFAULT_PORTS = frozenset({None, 80, 443})


def _search(level: Level, most: int) -> Answer:
    def search(request: Request) -> Response:
        check_json(read_accept(request))
        asked = read_search(request.query_params.multi_items())
        searching = Searching(catalog_of(request), level, asked, _base(request), most, _uids(request))
        found = searching.run()
        headers = {"Warning": warning} if (warning := _warnings(asked.ignored, found)) else {}
        if not found.matches:
            return Response(None, 204, headers)
        return Response(orjson.dumps(found.matches), 200, headers, JSON)

    return search


def _warnings(ignored: Sequence[str], found: Found) -> str:
    """Return what the answer does not say (PS3.18 8.4.2, 10.6.3.1)."""
    said = []
    if found.more:
        said.append("There are additional results that can be requested")
    if ignored:
        said.append("Some parameters are not supported and were passed over")
    return ", ".join(f'299 dicom-assets "{text}"' for text in said)


def _metadata(request: Request) -> Response:
    check_json(read_accept(request))
    catalog, uids, base = catalog_of(request), _uids(request), _base(request)
    instances = find_instances(catalog, uids)
    tag = _tag(request, instances, base)
    return conditional(request, tag, lambda: send(metadata(catalog, uids, instances, base), JSON), _VARYING)


def _objects(request: Request) -> Response:
    catalog, uids = catalog_of(request), _uids(request)
    found = find_instances(catalog, uids)
    return send_objects(Files(catalog), found, read_accept(request), one=INSTANCE.uid in uids)


def _tag(request: Request, instances: Sequence[Instance], *others: str) -> str:
    """Return the tag of what is made of some instances; answers in parts differ in what is between these."""
    asked = (request.url.path, request.url.query, request.headers.get("accept", ""))
    return tag_of(*asked, *others, *(one.version for one in instances), weak=True)


def _frames(most: int, find: Find) -> Answer:
    def frames(request: Request) -> Response:
        ranges = read_accept(request)
        numbers = read_numbers(request.path_params["frames"], most)
        instance, files = find(request), Files(catalog_of(request))
        tag = _tag(request, [instance])
        return conditional(request, tag, lambda: send_frames(files, instance, ranges, numbers, most), _VARYING)

    return frames


def _bulk(most_frames: int, find: Find) -> Answer:
    def bulk(request: Request) -> Response:
        ranges, place = read_accept(request), request.path_params["place"]
        instance, files = find(request), Files(catalog_of(request))
        tag = _tag(request, [instance])
        return conditional(request, tag, lambda: send_bulk(files, instance, ranges, place, most_frames), _VARYING)

    return bulk


def _rendered(find: Find) -> Answer:
    def rendered(request: Request) -> Response:
        ranges, how = read_accept(request), read_rendering(request.query_params)
        return render(Files(catalog_of(request)), find(request), ranges, how, _frame(request))

    return rendered


def _frame_thumbnail(find: Find) -> Answer:
    def frame_thumbnail(request: Request) -> Response:
        ranges, how = read_accept(request), read_rendering(request.query_params)
        frame = _frame(request) or 1
        return render(Files(catalog_of(request)), find(request), ranges, how, frame, THUMBNAIL_SIDE)

    return frame_thumbnail


def _thumbnail(request: Request) -> Response:
    """Answer with the thumbnail of an instance; the middle one with pixels stands for a series or a study."""
    catalog, uids = catalog_of(request), _uids(request)
    found = find_instances(catalog, uids)
    images = [one for one in found if one.has_pixels] or found
    return thumbnail(catalog, images[len(images) // 2], read_accept(request), read_rendering(request.query_params))


def _frame(request: Request) -> int | None:
    """Return the one frame that an address names, from 1."""
    text = request.path_params.get("frames")
    return None if text is None else read_numbers(text, 1)[0]
