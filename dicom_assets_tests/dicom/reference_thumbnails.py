"""The reference table: what the thumbnail of every real file at hand must be, one row per file.

``python -m dicom_assets_tests.dicom.reference_thumbnails`` writes ``references.csv`` anew from what rendering yields
now. A row is worth something because its picture was compared with an independent rendering, or looked at, before it
was committed: look at what ``git diff`` says of the table.
"""

import csv
import importlib.util
import tempfile
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.pixels.errors import PixelError
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.thumbnail import Thumbnail, ThumbnailOptions, prepare_image_or_icon, render_thumbnail
from dicom_assets_tests.support.corpus import CORPUS, PYDICOM_FILES, corpus_files, files_below, pydicom_files
from dicom_assets_tests.support.dicom import oracles

TABLE = Path(__file__).with_name("references.csv")
OPTIONS = ThumbnailOptions(jpeg_quality=100)
"""Compared is what the pipelines do; what JPEG does to it at the default quality is another matter."""

_SERIES = "FNNDSC+SAG-anon"
_SERIES_STEP = 16
"""One MR series has 192 slices that differ in nothing that matters here; every sixteenth is in the table."""


@dataclass(frozen=True)
class Reference:
    """One row.

    Attributes
    ----------
    file
        ``pydicom:``, ``pydicom-data:`` or ``corpus:`` and a path.
    status, width, height, frame, window_center, window_width
        Of the thumbnail; empty where it has none.
    pipeline
        Class that renders it.
    oracles
        Independent renderers that it resembles.
    levels
        Grey levels or colours at a quarter, the half and three quarters of the diagonal.

    """

    file: str
    status: str
    pipeline: str
    width: str
    height: str
    frame: str
    window_center: str
    window_width: str
    oracles: str
    levels: str


def _pydicom_data_root() -> Path | None:
    spec = importlib.util.find_spec("data_store")
    return Path(spec.origin).parent / "data" if spec and spec.origin else None


def roots() -> dict[str, Path | None]:
    """Return where the files of each prefix are, ``None`` where they are not at hand."""
    corpus = CORPUS if CORPUS.is_dir() else None
    return {"pydicom": PYDICOM_FILES.parent, "pydicom-data": _pydicom_data_root(), "corpus": corpus}


def path_of(file: str) -> Path | None:
    """Return the path of a row's file, ``None`` when it is not at hand."""
    prefix, _, name = file.partition(":")
    root = roots()[prefix]
    path = root / name if root else None
    return path if path and path.is_file() else None


def read_table() -> list[Reference]:
    """Return all rows."""
    with TABLE.open(newline="") as lines:
        return [Reference(**row) for row in csv.DictReader(lines)]


def levels_of(thumbnail: Thumbnail) -> str:
    """Return what a thumbnail shows at three points of its diagonal."""
    if thumbnail.data is None:
        return ""
    picture = oracles.picture_of(thumbnail)
    points = [picture[picture.shape[0] * q // 4, picture.shape[1] * q // 4] for q in (1, 2, 3)]
    return " ".join("/".join(str(int(level)) for level in point.reshape(-1)) for point in points)


@cache
def rendering(path: Path) -> Thumbnail:
    """Return the thumbnail of a file."""
    return render_thumbnail(read_header(BytesSource(path.read_bytes())), OPTIONS)


def pipeline_of(path: Path) -> str:
    """Return the name of the pipeline that renders a file."""
    try:
        header = read_header(BytesSource(path.read_bytes()))
        return type(prepare_image_or_icon(header, OPTIONS).plan.pipeline).__name__
    except PixelError:
        return ""


def reference_of(file: str, path: Path, folder: Path) -> Reference:
    """Return the row of a file as rendering yields it now."""
    thumbnail = rendering(path)
    shown = thumbnail.data is not None
    agreeing = []
    if shown:
        for name in oracles.ORACLES:
            theirs = oracles.render(name, path, thumbnail, folder)
            if theirs is not None and oracles.agree(oracles.picture_of(thumbnail), theirs):
                agreeing.append(name)
    return Reference(
        file=file,
        status=str(thumbnail.status),
        pipeline=pipeline_of(path) if shown else "",
        width=_text(thumbnail.width),
        height=_text(thumbnail.height),
        frame=_text(thumbnail.frame_number),
        window_center=_text(thumbnail.window_center),
        window_width=_text(thumbnail.window_width),
        oracles=" ".join(agreeing),
        levels=levels_of(thumbnail),
    )


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _all_files() -> list[tuple[str, Path]]:
    found: list[tuple[str, Path]] = [
        (f"pydicom:{path.relative_to(PYDICOM_FILES.parent).as_posix()}", path) for path in pydicom_files()
    ]
    data = _pydicom_data_root()
    if data:
        found += [(f"pydicom-data:{path.relative_to(data).as_posix()}", path) for path in files_below(data)]
    series = [path for path in corpus_files() if _SERIES in path.parts]
    kept = set(corpus_files()) - set(series) | set(series[::_SERIES_STEP])
    found += [(f"corpus:{path.relative_to(CORPUS).as_posix()}", path) for path in sorted(kept)]
    return found


def main() -> None:
    """Write the table."""
    with tempfile.TemporaryDirectory() as folder, TABLE.open("w", newline="") as out:
        writer = csv.DictWriter(out, [field.name for field in fields(Reference)], lineterminator="\n")
        writer.writeheader()
        for file, path in _all_files():
            writer.writerow(asdict(reference_of(file, path, Path(folder))))


if __name__ == "__main__":
    main()
