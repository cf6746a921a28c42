"""What a catalog gives to researchers beside SQL: selections, headers, pictures, pixels and volumes."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.errors import CatalogError
from dicom_assets.query.sql_text import identifier

if TYPE_CHECKING:
    import duckdb
    import numpy.typing as npt
    from deltalake import DeltaTable
    from PIL.Image import Image

    from dicom_assets.query.database import Catalog
    from dicom_assets.query.pydicom_header import StoredDataset
    from dicom_assets.query.selection import Selection
    from dicom_assets.query.volume import Volume

_LARGE = ("header", "thumbnail")
"""Columns of ``object_catalog`` that are as large as all others together, many times over."""


class Research(ABC):
    """The part of :class:`~dicom_assets.query.database.Catalog` that needs no SQL, or little."""

    __slots__ = ()

    @abstractmethod
    def sql(self, query: str) -> "duckdb.DuckDBPyRelation":
        """Run a query and return its result."""

    def select(self, where: str | None = None, columns: Sequence[str] | None = None) -> "Selection":
        """Return the files that meet a condition, as data frames, Arrow tables or batches.

        Parameters
        ----------
        where
            Condition in SQL on the columns of ``object_catalog``, such as ``Modality = 'CT' AND SliceThickness < 2``;
            by default all files.
        columns
            Names of columns, or expressions of SQL; by default all columns but ``header`` and ``thumbnail``, which are
            large. In a notebook, ``thumbnail`` shows as pictures.

        Raises
        ------
        QueryError
            The condition is no SQL, or names what is not there.
        CatalogError
            There is no catalog, or it cannot be read.

        """
        from dicom_assets.query.selection import HIDDEN, IMAGE, TELLING, Selection, with_hidden

        wanted = [_column(name) for name in (self._all_columns() if columns is None else columns)]
        telling = [f"{column} AS {name}" for column, name in zip(TELLING, HIDDEN, strict=True)]
        pictures = columns is not None and IMAGE in columns
        query = _query(CATALOG_NAME, where, [*wanted, *(telling if pictures else ())])
        return with_hidden(self.sql(query)) if pictures else Selection(self.sql(query))

    def series(self, where: str | None = None, columns: Sequence[str] = ("*",)) -> "Selection":
        """Return the series that meet a condition, one row each, wherever their files are.

        Parameters
        ----------
        where
            Condition in SQL on the columns of ``all_series``, such as ``is_volume AND slice_spacing <= 1``; by default
            all series.
        columns
            Names of columns, or expressions of SQL; by default all.

        Raises
        ------
        QueryError
            The condition is no SQL, or names what is not there; also where no series were put together yet.
        CatalogError
            There is no catalog, or it cannot be read.

        """
        from dicom_assets.query.selection import Selection

        return Selection(self.sql(_query("all_series", where, [_column(name) for name in columns])))

    def studies(self, where: str | None = None, columns: Sequence[str] = ("*",)) -> "Selection":
        """Return the studies that meet a condition, one row each, wherever their files are.

        Parameters
        ----------
        where
            Condition in SQL on the columns of ``all_studies``, such as ``list_contains(modalities, 'PT')``; by default
            all studies.
        columns
            Names of columns, or expressions of SQL; by default all.

        Raises
        ------
        QueryError
            The condition is no SQL, or names what is not there; also where no studies were put together yet.
        CatalogError
            There is no catalog, or it cannot be read.

        """
        from dicom_assets.query.selection import Selection

        return Selection(self.sql(_query("all_studies", where, [_column(name) for name in columns])))

    def header(self, path_or_uid: str) -> "StoredDataset":
        """Return the header of a file as a data set of pydicom, from the catalog alone.

        Parameters
        ----------
        path_or_uid
            Path or URI of a file, absolute or relative to the working directory or to the root of the archive; or a
            SOP Instance UID.

        Returns
        -------
        pydicom.Dataset
            All elements of the file but its pixel data, with ``file_meta``. Long binary values are not in the catalog:
            their elements are empty, and ``bulk_data`` tells where they are in the file. A value that breaks its Value
            Representation has the VR ``UN``.

        Raises
        ------
        NotInCatalogError
            There is no such file, it is no DICOM, or several files have the UID.

        """
        from dicom_assets.query.objects import header_of

        return header_of(self._catalog, path_or_uid)

    def thumbnail(self, path_or_uid: str) -> "Image":
        """Return the thumbnail of a file as a picture of Pillow, whatever is burned into its pixels.

        Parameters
        ----------
        path_or_uid
            As for :meth:`header`.

        Raises
        ------
        NotInCatalogError
            There is no such file, it has no thumbnail, or several files have the UID.

        """
        from dicom_assets.query.objects import thumbnail_of

        return thumbnail_of(self._catalog, path_or_uid)

    def frames(
        self, path_or_uid: str, numbers: Iterable[int] | None = None, *, rescale: bool = False
    ) -> "npt.NDArray[Any]":
        """Return decoded frames of a file, read from the archive: its header, and the bytes of these frames only.

        The file has to be the version that the catalog tells of. Decoders run in a process of their own.

        Parameters
        ----------
        path_or_uid
            As for :meth:`header`.
        numbers
            Which frames, counted from 1, in the order wanted; by default all.
        rescale
            Return values in the units of the modality, such as Hounsfield units, instead of stored values (PS3.3
            C.11.1).

        Returns
        -------
        numpy.ndarray
            Shape ``(frames, rows, columns)``, or ``(frames, rows, columns, samples)`` of colour, which is RGB where a
            JPEG keeps it as YCbCr; rescaled values are floats.

        Raises
        ------
        NotInCatalogError
            There is no such file, or several have the UID.
        ChangedFileError
            The file is gone, or is another version by now.
        PixelError
            It has no pixel data, no such frame, or one that cannot be decoded or is not there as a whole.
        ArchiveError
            The archive cannot be read.

        """
        from dicom_assets.query.objects import frames_of_file

        return frames_of_file(self._catalog, path_or_uid, numbers, rescale=rescale)

    def volume(self, series_uid: str, *, stack: int | None = None) -> "Volume":
        """Return the images of a series as one array in the units of the modality, with its place in the patient.

        Parameters
        ----------
        series_uid
            Series Instance UID.
        stack
            Which one of several stacks (times, echoes, b-values...), counted from 0; needed where there are several.

        Raises
        ------
        NotInCatalogError
            There is no such series.
        NotAVolumeError
            Its images make no regular volume, or several and none was chosen; the message says why.
        ChangedFileError
            One of its files is gone, or is another version by now.
        PixelError, ArchiveError
            One of its files cannot be decoded, or not be read.

        """
        from dicom_assets.query.volume import read_volume

        return read_volume(self._catalog, series_uid, stack)

    def current_version(self) -> int:
        """Return the version of ``object_catalog`` that is read: to be written down, and opened again.

        Raises
        ------
        CatalogError
            There is no catalog, or it cannot be read.

        """
        return self._object_catalog().version()

    @property
    def _catalog(self) -> "Catalog":
        return cast("Catalog", self)

    def _all_columns(self) -> list[str]:
        """Return the columns of ``object_catalog`` but the large ones."""
        schema = pa.schema(self._object_catalog().schema().to_arrow())
        return [name for name in schema.names if name not in _LARGE]

    def _object_catalog(self) -> "DeltaTable":
        catalog = self._catalog
        if CATALOG_NAME not in catalog.tables():
            raise CatalogError(f"there is no {CATALOG_NAME} yet: bring the catalog up to date")
        return catalog.open_table(catalog.location(CATALOG_NAME))


def _query(table: str, where: str | None, columns: Sequence[str] = ("*",)) -> str:
    # On lines of its own, so that a comment at its end is one.
    condition = "" if where is None else f" WHERE (\n{where}\n)"
    return f"SELECT {', '.join(columns)} FROM {table}{condition}"  # noqa: S608 - the user's own SQL


def _column(asked: str) -> str:
    """Return a name as one, and an expression as it is; ``Rows`` and ``Columns`` are words of DuckDB."""
    return identifier(asked) if asked.isidentifier() else asked
