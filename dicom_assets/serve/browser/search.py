"""What a text or a condition finds, with its counts, from one pass over the table.

Texts are long columns: to read them twice, for the counts and for the rows, would double the time of a search. So the
matching rows are kept by the engine for the length of the query, with what both need.
"""

from dataclasses import dataclass

import pyarrow as pa

from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.browser.columns import order_of
from dicom_assets.serve.browser.conditions import condition_of, facets_of
from dicom_assets.serve.browser.facet import FACETS
from dicom_assets.serve.browser.facets import Cube, groups_sql
from dicom_assets.serve.browser.selection import PAGE_ROWS, Level, Selection


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave.

    Attributes
    ----------
    cube
        The matching files, counted.
    keys
        Prefix and path of those on the page, in order.

    """

    cube: Cube
    keys: tuple[tuple[str, str], ...]


def is_search(selection: Selection) -> bool:
    """Return whether one pass is worth it: files, by a text or a condition."""
    return bool(selection.text or selection.where) and selection.level in {Level.FILES, Level.PROBLEMS}


def search(catalog: FixedCatalog, selection: Selection) -> Found:
    """Return what a selection of files finds; raises as :func:`~dicom_assets.serve.browser.listing.rows_of` does."""
    known, source = catalog.columns(CATALOG_NAME), catalog.narrow(CATALOG_NAME, selection.where)
    condition = condition_of(catalog, selection, with_facets=False)
    chosen = facets_of(selection, after=condition)
    order = order_of(selection)
    needed = dict.fromkeys(["prefix", "path", order.column.name, *(facet.column for facet in FACETS)])
    columns = ", ".join(name for name in needed if name in known)
    answer = catalog.ask(
        f"WITH matching AS MATERIALIZED (SELECT {columns} FROM {source}\nWHERE {condition.sql}\n)\n"  # noqa: S608
        f"SELECT (SELECT list(one) FROM ({groups_sql('matching', known)}) AS one) AS groups,\n"
        f"(SELECT list({{'prefix': prefix, 'path': path, 'place': place}}) FROM (SELECT prefix, path, "
        f"row_number() OVER (ORDER BY {order.sql}, path) AS place FROM matching WHERE {chosen.sql} "
        f"ORDER BY {order.sql}, path LIMIT {PAGE_ROWS:d} OFFSET {selection.offset:d})) AS keys",
        chosen.values,
    )
    keys = sorted(answer["keys"][0].as_py() or (), key=lambda key: key["place"])
    groups = answer["groups"].combine_chunks().flatten()
    return Found(Cube.of(pa.Table.from_struct_array(groups)), tuple((key["prefix"], key["path"]) for key in keys))
