"""From values to HTML: templates that escape everything, and what all of them know of the site."""

import re
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from dicom_assets.delta.origin import is_of_dagster
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.query.pages import template
from dicom_assets.query.sql_text import identifier
from dicom_assets.query.visible import visible
from dicom_assets.serve.browser import formats, static
from dicom_assets.serve.browser.images import is_covered, link_of, picture_of
from dicom_assets.serve.browser.listing import Row
from dicom_assets.serve.browser.selection import Level, Selection, View
from dicom_assets.serve.site import Site
from dicom_assets.tables import FILE_INDEX, SOURCE

_PACKAGE = "dicom_assets.serve.browser"
_CODE = re.compile(r"`([^`\n]+)`")


class Pages:
    """The pages of a site.

    Parameters
    ----------
    site
        Tells whether there is a viewer, and where the Dagster UI is.

    """

    def __init__(self, site: Site) -> None:
        self._viewer = site.viewer is not None
        url = (site.dagster_url or "").rstrip("/")
        self._dagster = url if urlsplit(url).scheme in {"http", "https"} else ""

    def page(self, name: str, catalog: FixedCatalog, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page of a catalog, by the name of its template."""
        known = {
            "count": formats.count,
            "shown": formats.value,
            "anything": formats.anything,
            "file_link": file_link,
            "image_link": link_of,
            "has_image": has_image,
            "is_covered": is_covered,
            "sql_link": sql_link,
            "viewer_link": self.viewer_link,
            "run_link": self.run_link,
            "rendered_link": rendered_link,
            "target": target,
            "static": static.link,
            "identifier": identifier,
            "prose": prose,
            "source": source_of(catalog),
            "has_viewer": self._viewer,
            "Selection": Selection,
            "Level": Level,
            "View": View,
        }
        return HTMLResponse(template(f"{name}.html.jinja", _PACKAGE).render(known | values), status)

    def viewer_link(self, study: str | None) -> str:
        """Return where a study opens in the viewer; nothing where there is none."""
        return f"/viewer/viewer?{urlencode({'StudyInstanceUIDs': study})}" if self._viewer and study else ""

    def run_link(self, run: str | None) -> str:
        """Return where the Dagster UI shows a run; nothing where it does not."""
        return f"{self._dagster}/runs/{quote(run, safe='')}" if self._dagster and run and is_of_dagster(run) else ""


def source_of(catalog: FixedCatalog) -> str:
    """Return which archive a catalog is of; nothing where an older one does not say."""
    index = catalog.fixed.get(FILE_INDEX.name)
    return "" if index is None else str(index.delta.metadata().configuration.get(SOURCE, ""))


def prose(text: str) -> Markup:
    """Return a text of ours whose names in backticks are shown as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(visible(text)))))  # noqa: S704 - all else is escaped


def target(selection: Selection, row: Row) -> str:
    """Return where a row of a list leads: one level down, a file to its page."""
    if selection.level is Level.PATIENTS:
        return selection.within("patient", str(row["PatientID"]), Level.STUDIES).link()
    if selection.level is Level.STUDIES:
        return selection.within("study", str(row["StudyInstanceUID"]), Level.SERIES).link()
    if selection.level is Level.SERIES:
        return selection.within("series", str(row["SeriesInstanceUID"]), Level.FILES).link()
    return file_link(row)


def file_link(row: Row) -> str:
    """Return the address of the page of a file."""
    pairs = {"prefix": row.get("prefix") or "", "path": row["path"]}
    return f"/file?{urlencode(pairs, errors='replace')}"


def sql_link(query: str) -> str:
    """Return the address of a query with its answer."""
    return f"/sql?{urlencode({'query': query}, errors='replace')}"


def rendered_link(row: Row) -> str:
    """Return where the whole image is rendered (PS3.18 10.4); nothing where UIDs are missing or are none."""
    uids = [row.get(name) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")]
    if not row.get("Rows") or not all(isinstance(uid, str) and uid.replace(".", "").isdigit() for uid in uids):
        return ""
    study, series, instance = uids
    return f"/dicom-web/studies/{study}/series/{series}/instances/{instance}/rendered"


def has_image(row: Row) -> bool:
    """Return whether a row has a thumbnail, as far as it tells."""
    if "thumbnail" in row:
        return picture_of(row) is not None
    return row.get("thumbnail_status") in {"ok", "partial"}
