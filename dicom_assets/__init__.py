"""A queryable, versioned, incremental catalog of a DICOM archive, as Dagster assets on Spark and Delta Lake.

Make a catalog, and bring it up to date::

    dicom_assets.update_catalog("/data/archive", "/data/lake")

Query it::

    catalog = dicom_assets.open_catalog("/data/lake")
    catalog.sql("SELECT Modality, count(*) FROM object_catalog GROUP BY Modality").df()

Keep what a query chose as a cohort, to cite, check, export and train on::

    dicom_assets.create_cohort("/data/lake", "chest_ct", "Modality = 'CT'", split={"train": 0.8, "test": 0.2})
    dicom_assets.open_cohort("/data/lake", "chest_ct").export("/data/chest_ct")

Check what is promised of its tables::

    failed = [outcome for outcome in dicom_assets.check_catalog("/data/lake") if not outcome.passed]

Look at one file, without a catalog::

    header = dicom_assets.read_header("slice.dcm")
    thumbnail = dicom_assets.render_thumbnail("slice.dcm")

Let Dagster do it: :func:`build_definitions` returns the assets, checks, sensors and jobs, and
:class:`DicomCatalogComponent` describes them in the YAML of a project that is made with ``dg``.

Every error of the package is a :class:`DicomAssetsError`. Names are imported when they are first used: to import the
package costs next to nothing, and only what needs Spark or Dagster loads them.
"""

from typing import TYPE_CHECKING

from dicom_assets.lazy import importer

if TYPE_CHECKING:
    from dicom_assets.checks.report import check_catalog
    from dicom_assets.cohorts.cohort import list_cohorts, open_cohort
    from dicom_assets.cohorts.create import create_cohort
    from dicom_assets.dicom.files import read_header, render_thumbnail
    from dicom_assets.errors import DicomAssetsError
    from dicom_assets.orchestration.assets.cohort import build_cohort
    from dicom_assets.orchestration.component import DicomCatalogComponent
    from dicom_assets.orchestration.definitions import build_definitions
    from dicom_assets.pipeline.update import update_catalog
    from dicom_assets.query.opening import open_catalog

    __version__: str

__all__ = [
    "DicomAssetsError",
    "DicomCatalogComponent",
    "__version__",
    "build_cohort",
    "build_definitions",
    "check_catalog",
    "create_cohort",
    "list_cohorts",
    "open_catalog",
    "open_cohort",
    "read_header",
    "render_thumbnail",
    "update_catalog",
]

_HOMES = {
    "DicomAssetsError": "dicom_assets.errors",
    "DicomCatalogComponent": "dicom_assets.orchestration.component",
    "build_cohort": "dicom_assets.orchestration.assets.cohort",
    "build_definitions": "dicom_assets.orchestration.definitions",
    "check_catalog": "dicom_assets.checks.report",
    "create_cohort": "dicom_assets.cohorts.create",
    "list_cohorts": "dicom_assets.cohorts.cohort",
    "open_catalog": "dicom_assets.query.opening",
    "open_cohort": "dicom_assets.cohorts.cohort",
    "read_header": "dicom_assets.dicom.files",
    "render_thumbnail": "dicom_assets.dicom.files",
    "update_catalog": "dicom_assets.pipeline.update",
}
"""In which module each name is defined."""

if not TYPE_CHECKING:  # type checkers see the names above, and no others
    _imported = importer(__name__, _HOMES)

    def __getattr__(name: str) -> object:
        if name != "__version__":
            return _imported(name)
        from importlib.metadata import version

        globals()[name] = version("dicom-assets")
        return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
