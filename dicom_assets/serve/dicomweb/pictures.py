"""Pictures of instances (PS3.18 10.4.1.1.3, 10.4.1.1.4): rendered from the archive, or thumbnails from the tables."""

import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image
from starlette.responses import Response

from dicom_assets.dicom.header import Header
from dicom_assets.dicom.pixels.errors import UnsupportedPixelsError
from dicom_assets.dicom.render.encode import JPEG, PNG
from dicom_assets.dicom.render.frame_choice import representative_frame
from dicom_assets.dicom.render.grey import GreyPipeline, VoiFunction, Window
from dicom_assets.dicom.render.options import ThumbnailOptions
from dicom_assets.dicom.render.plan import Rendered
from dicom_assets.dicom.render.planning import Prepared, prepare_frame
from dicom_assets.dicom.stored_frames import declared_frames
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.dicomweb.accept import MediaRange, choose
from dicom_assets.serve.dicomweb.instances import Files, Instance
from dicom_assets.serve.errors import NotFoundError, RequestError

_LONGEST_SIDE = 8192
_QUALITY = 90
_BEST_QUALITY = 95
THUMBNAIL_SIDE = 256
"""The longest of a thumbnail that is rendered for a client."""
_NUMBER = r"[+-]?\d{1,9}(?:\.\d{1,9})?(?:[eE][+-]?\d{1,2})?"
_WINDOW = re.compile(rf"({_NUMBER}),({_NUMBER})(?:,(linear|linear-exact|sigmoid))?", re.ASCII | re.IGNORECASE)
_VIEWPORT = re.compile(rf"({_NUMBER}),({_NUMBER})(?:,({_NUMBER})?,({_NUMBER})?,({_NUMBER})?,({_NUMBER})?)?", re.ASCII)
_FUNCTIONS = {"linear": VoiFunction.LINEAR, "linear-exact": VoiFunction.LINEAR_EXACT, "sigmoid": VoiFunction.SIGMOID}


@dataclass(frozen=True, slots=True)
class Viewport:
    """What part of a picture is shown how large (PS3.18 8.3.5.1.4).

    Attributes
    ----------
    width, height
        Of the room that the part is fitted into, in pixels.
    x, y, region_width, region_height
        Of the part, in pixels of the frame; of negative sizes it is shown the other way round. ``None`` is all.

    """

    width: int
    height: int
    x: float = 0.0
    y: float = 0.0
    region_width: float | None = None
    region_height: float | None = None

    @property
    def shows_all(self) -> bool:
        """Whether nothing is cut off or turned."""
        return self.x == self.y == 0 and self.region_width is self.region_height is None


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a picture is to look.

    Attributes
    ----------
    viewport, window, quality
        As asked for; ``None`` where that is left to the server.

    """

    viewport: Viewport | None = None
    window: Window | None = None
    quality: int | None = None


def read_rendering(parameters: Mapping[str, str]) -> Rendering:
    """Return how a picture is to look; raises :class:`RequestError` where a parameter has no sense."""
    viewport, window, quality = (parameters.get(name) for name in ("viewport", "window", "quality"))
    best = None
    if quality is not None:
        if not (quality.isascii() and quality.isdigit() and 1 <= int(quality[:4]) <= 100):
            raise RequestError("quality is a number from 1 to 100")
        best = min(int(quality), _BEST_QUALITY)
    return Rendering(
        None if viewport is None else _viewport(viewport), None if window is None else _window(window), best
    )


def _window(text: str) -> Window:
    found = _WINDOW.fullmatch(text)
    if found is not None:
        window = Window(float(found[1]), float(found[2]), _FUNCTIONS[(found[3] or "linear").lower()])
        if window.usable:
            return window
    raise RequestError("window is a center, a width, and linear, linear-exact or sigmoid, with commas between them")


def _viewport(text: str) -> Viewport:
    found = _VIEWPORT.fullmatch(text)
    if found is None:
        raise RequestError("viewport is a width and a height, and perhaps x, y, width and height of the part to show")
    width, height = float(found[1]), float(found[2])
    if not (1 <= width <= _LONGEST_SIDE and 1 <= height <= _LONGEST_SIDE):
        raise RequestError(f"a viewport is 1 to {_LONGEST_SIDE} pixels wide and high")
    x, y, region_width, region_height = (None if part is None else float(part) for part in found.groups()[2:])
    return Viewport(int(width), int(height), x or 0.0, y or 0.0, region_width, region_height)


def render(
    files: Files,
    instance: Instance,
    ranges: Sequence[MediaRange],
    how: Rendering,
    frame: int | None,
    longest_side: int = _LONGEST_SIDE,
) -> Response:
    """Return a picture of a frame, by the greyscale pipeline of the standard.

    Parameters
    ----------
    files
        Of the archive.
    instance
        Of what.
    ranges
        What the client takes.
    how
        How it is to look.
    frame
        Number of the frame, from 1; ``None`` for the one that stands for the object.
    longest_side
        It is made no larger.

    Raises
    ------
    NotAcceptableError
        The client takes neither JPEG nor PNG.
    RequestError
        The part to show is outside the picture, or the object has no window.
    PixelError
        There is no such frame, or it cannot be rendered.
    ChangedFileError, ArchiveError
        The file is not what it was, or cannot be read.

    """
    kind = choose(ranges, (JPEG, PNG))
    with files.header(instance) as header:
        rendered = _rendered(header, how, frame, longest_side)
    return _as_asked(rendered.data, rendered.media_type, kind, how)


def _rendered(header: Header, how: Rendering, frame: int | None, longest_side: int) -> Rendered:
    options = ThumbnailOptions(
        longest_side=longest_side, jpeg_quality=_BEST_QUALITY if how.viewport else how.quality or _QUALITY
    )
    number = representative_frame(header, declared_frames(header)) if frame is None else frame - 1
    return _fitted(prepare_frame(header, number, options), how).execute(options)


def _fitted(prepared: Prepared, how: Rendering) -> Prepared:
    """Return what is to be rendered with the window and in the size that are asked for."""
    plan = prepared.plan
    if how.window is not None:
        if not isinstance(plan.pipeline, GreyPipeline):
            raise UnsupportedPixelsError("only grey images have a window")
        pipeline = replace(plan.pipeline, voi=how.window, exact=True)
        plan = replace(plan, pipeline=pipeline, step=pipeline.step)
    view = how.viewport
    if view is not None and view.shows_all:
        scale = min(1.0, view.height / plan.size[0], view.width / plan.size[1])
        rows, columns = (max(1, round(side * scale)) for side in plan.size)
        plan = replace(plan, size=(rows, columns))
    return replace(prepared, plan=plan)


def thumbnail(catalog: FixedCatalog, instance: Instance, ranges: Sequence[MediaRange], how: Rendering) -> Response:
    """Return the thumbnail of an instance from the tables.

    Parameters
    ----------
    catalog
        Where it is.
    instance
        Of what.
    ranges, how
        As for :func:`render`; a window makes no difference.

    Raises
    ------
    NotAcceptableError
        The client takes neither JPEG nor PNG.
    NotFoundError
        There is no thumbnail.

    """
    if "thumbnail" not in catalog.columns(CATALOG_NAME):
        raise NotFoundError("this catalog has no thumbnails")
    query = f"SELECT thumbnail, thumbnail_media_type FROM {CATALOG_NAME} WHERE prefix = ? AND path = ?"  # noqa: S608
    rows = catalog.ask(query, [instance.prefix, instance.path]).to_pylist()
    if not rows or rows[0]["thumbnail"] is None:
        raise NotFoundError("there is no thumbnail of this")
    stored = rows[0]["thumbnail_media_type"] or JPEG
    kind = choose(ranges, (stored, *(other for other in (JPEG, PNG) if other != stored)))
    return _as_asked(rows[0]["thumbnail"], stored, kind, how)


def _as_asked(data: bytes, stored: str, kind: str, how: Rendering) -> Response:
    """Return a picture in the media type and the viewport that are asked for; as it is, where it is so already."""
    if how.viewport is None and stored == kind:
        return Response(data, media_type=kind)
    picture: Image.Image = Image.open(io.BytesIO(data))
    if how.viewport is not None:
        picture = _shown(picture, how.viewport)
    out = io.BytesIO()
    if kind == JPEG:
        picture.convert("L" if picture.mode in {"L", "1", "I", "F"} else "RGB").save(
            out, "JPEG", quality=how.quality or _QUALITY
        )
    else:
        picture.save(out, "PNG")
    return Response(out.getvalue(), media_type=kind)


def _shown(picture: Image.Image, view: Viewport) -> Image.Image:
    """Return the part of a picture that a viewport shows, as large as fits into it; small ones grow no larger."""
    if not view.shows_all:
        picture = _part(picture, view)
    scale = min(1.0 if view.shows_all else math.inf, view.width / picture.width, view.height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BILINEAR)


def _part(picture: Image.Image, view: Viewport) -> Image.Image:
    width = picture.width - view.x if view.region_width is None else view.region_width
    height = picture.height - view.y if view.region_height is None else view.region_height
    box = (max(0, int(view.x)), max(0, int(view.y)), int(view.x + abs(width)), int(view.y + abs(height)))
    box = (box[0], box[1], min(box[2], picture.width), min(box[3], picture.height))
    if box[0] >= box[2] or box[1] >= box[3]:
        raise RequestError("the part to show is outside the picture")
    part = picture.crop(box)
    if width < 0:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return part.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if height < 0 else part
