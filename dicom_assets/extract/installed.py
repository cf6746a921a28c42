"""The extractors of a deployment: those of this package, and those that other packages bring.

A package offers one by an entry point in the group ``dicom_assets.extractors``, whose object is an instance of
:class:`~dicom_assets.extract.extractor.Extractor`, or is called without arguments to make one.
"""

from importlib.metadata import EntryPoint, entry_points

from dicom_assets.extract.extractor import Extractor
from dicom_assets.extract.headers import HeaderExtractor
from dicom_assets.extract.metadata import MetadataExtractor
from dicom_assets.extract.pixel_hashes import PixelHashExtractor
from dicom_assets.extract.thumbnails import ThumbnailExtractor
from dicom_assets.extract.validation import ExtractorError

GROUP = "dicom_assets.extractors"


def installed_extractors(*, sha256: bool = False, pixel_hash: bool = False) -> tuple[Extractor, ...]:
    """Return the extractors of this package, then those that are installed, in the order of their names.

    Parameters
    ----------
    sha256
        Whether ``file_metadata`` has the SHA-256 of every file, for which each is read whole.
    pixel_hash
        Whether there is a table ``pixel_hashes``, for which the pixel data of each is read whole.

    Raises
    ------
    ExtractorError
        An installed one cannot be loaded, or is none.

    """
    own = (MetadataExtractor(sha256), HeaderExtractor(), ThumbnailExtractor())
    return (*own, *((PixelHashExtractor(),) if pixel_hash else ()), *offered_extractors())


def offered_extractors() -> tuple[Extractor, ...]:
    """Return the extractors that other packages bring, in the order of their names; raises :class:`ExtractorError`."""
    found = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    return tuple(map(_load, found))


def named_extractor(name: str) -> Extractor:
    """Return an extractor by its name.

    Parameters
    ----------
    name
        That of an installed one, or the dotted path of an instance or a class: ``package.module.Name``.

    Raises
    ------
    ExtractorError
        There is none of this name, it cannot be loaded, or is none.

    """
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name in points:
        return _load(points[name])
    module, _, attribute = name.replace(":", ".").rpartition(".")
    if not module:
        raise ExtractorError(
            f"there is no extractor {name!r}: installed are {', '.join(sorted(points)) or 'none'}; one that is not "
            "installed is named by its dotted path, package.module.Name"
        )
    return _load(EntryPoint(name, f"{module}:{attribute}", GROUP))


def _load(point: EntryPoint) -> Extractor:
    try:
        loaded = point.load()
        made = loaded if isinstance(loaded, Extractor) else loaded()
    except Exception as error:
        raise ExtractorError(
            f"the extractor {point.name} ({point.value}) cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(made, Extractor):
        raise ExtractorError(f"the extractor {point.name} ({point.value}) is no Extractor")
    return made
