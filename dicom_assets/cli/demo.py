"""``dicom-assets demo``: the main job on real files that are on every machine that has this package."""

import sys
from pathlib import Path

import pydicom.data
from rich.console import Console

from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.cli.catalog import CatalogCommand, run_catalog
from dicom_assets.cli.places import Places, checked_places
from dicom_assets.orchestration.instance import open_instance
from dicom_assets.orchestration.launch import Launcher
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.query.database import Catalog
from dicom_assets.query.formats import Format, write
from dicom_assets.query.gallery import write_gallery
from dicom_assets.query.summary import summarize
from dicom_assets.query.visible import visible

stdout = Console(highlight=False, soft_wrap=True)

_QUERY = """\
SELECT relative_path, Modality, Manufacturer, Rows, Columns, PixelSpacing, WindowCenter
FROM object_catalog
WHERE Modality IN ('CT', 'MR') AND Rows >= 64 AND thumbnail_status = 'ok'
ORDER BY Modality, relative_path
LIMIT 12"""


def run_demo(folder: Path) -> bool:
    """Catalog pydicom's test files below a folder and show counts, one selection and a page of thumbnails."""
    source = Path(pydicom.data.__file__).parent
    places = checked_places(Places(str(source), str(folder / "lake"), "dicom", PrefixCut()))
    stdout.print(visible(f"Cataloging the DICOM files that come with pydicom: {source}"), markup=False)
    stdout.print("By Spark, which takes half a minute to start: so few files would otherwise go without.", end="\n\n")
    with open_instance(places.lake) as instance:
        # Small as it is, it shows what a large archive takes.
        succeeded = run_catalog(CatalogCommand(places, (), spark=SparkResource(small_files=0)), Launcher(instance))
    catalog = Catalog(places.lake_resource.open())
    summary = summarize(catalog)
    for title, counts in (("modality", summary.modality), ("transfer syntax", summary.transfer_syntax)):
        stdout.print(f"\n[bold]DICOM files by {title}[/]")
        for count in counts:
            stdout.print(f"  {count.files:4}  {visible(count.value or 'not stated')}", markup=False)
    stdout.print(f"\n[bold]A selection by SQL[/]\n{_QUERY}\n")
    write(catalog.sql(_QUERY), Format.TABLE)
    page = folder / "thumbnails.html"
    write_gallery(catalog, page, title="pydicom's test files")
    stdout.print()
    for line in (
        f"Tables:     {places.lake}/{places.schema}",
        f"Thumbnails: {page}",
        f"Dagster UI: {sys.argv[0]} ui {source} --lake {places.lake}",
        f"Browser:    {sys.argv[0]} serve --lake {places.lake}",
    ):
        stdout.print(visible(line), markup=False)
    return succeeded
