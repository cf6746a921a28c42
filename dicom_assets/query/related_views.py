"""Views of what objects say of others: their references, segments and regions of interest, one row for each.

They read columns of ``dicom_headers`` that are lists. Files that are gone, where their rows are kept, are left out.
"""

from dicom_assets.query.view import View

_FILE = "prefix, path, PatientID, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, SOPClassUID, Modality"
"""Of the object that says it."""

_NEEDS = ("dicom_headers", "object_catalog")


def _unnested(column: str, name: str) -> str:
    """Return the SQL of one row for each entry of a column of lists, of files that are there."""
    return (
        f'SELECT {_FILE}, unnest("{column}") AS {name} FROM dicom_headers\n'  # noqa: S608 - our own names
        "ANTI JOIN (SELECT path FROM object_catalog WHERE removed_at IS NOT NULL) USING (path)"
    )


# Of the catalog, only the instances that are referred to are kept in memory. NOT MATERIALIZED, for a condition on the
# prefix has to reach the scan.
_REFERENCES = f"""\
WITH entry AS NOT MATERIALIZED (
{_unnested("references", "r")}
), target AS (
SELECT SOPInstanceUID AS uid, min(path) AS referenced_path FROM object_catalog
WHERE removed_at IS NULL AND SOPInstanceUID IN (SELECT r.instance_uid FROM entry)
GROUP BY ALL
)
SELECT {_FILE}, r.level, r.sequence, r.purpose, r.study_uid AS referenced_study_uid,
r.series_uid AS referenced_series_uid, r.sop_class_uid AS referenced_sop_class_uid,
r.instance_uid AS referenced_instance_uid, r.frames, r.segments, r.mentions, referenced_path,
CASE WHEN r.level = 'instance' THEN referenced_path IS NULL END AS dangling
FROM entry LEFT JOIN target ON target.uid = r.instance_uid"""  # noqa: S608 - our own names

RELATED_VIEWS: tuple[View, ...] = (
    View(
        "derived_references",
        "What segmentations, structure sets, reports and other derived objects refer to, one row for each instance and "
        "place in the object; `dangling` where no file of the catalog is that instance, null where it is no instance.",
        _REFERENCES,
        _NEEDS,
    ),
    View(
        "segments",
        "The segments of segmentations, one row for each.",
        f"SELECT {_FILE}, segment.* FROM ({_unnested('segments', 'segment')})",  # noqa: S608 - our own names
        _NEEDS,
    ),
    View(
        "rois",
        "The regions of interest of structure sets, one row for each.",
        f"SELECT {_FILE}, roi.* FROM ({_unnested('rois', 'roi')})",  # noqa: S608 - our own names
        _NEEDS,
    ),
)
