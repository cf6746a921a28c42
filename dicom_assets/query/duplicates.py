"""Files that share a SOP Instance UID, and what they have in common: the view ``duplicates``, and what checks count.

Every UID must name one object (PS3.5 9). Copies of a file are harmless; two images under one UID are not: whoever keeps
objects by their UID, as archives and training sets do, has one of them and does not know which.
"""

from enum import StrEnum

from dicom_assets.query.view import View


class Likeness(StrEnum):
    """What the files of one SOP Instance UID have in common, all of them."""

    SAME_BYTES = "same_bytes"
    """They are of one size and one hash of the whole content: its SHA-256 where files were cataloged with ``--sha256``,
    else the ETag of the object store."""
    SAME_HEADER_AND_PIXELS = "same_header_and_pixels"
    """The data set is the same, and so is the pixel data; they may be wrapped otherwise."""
    SAME_PIXELS = "same_pixels"
    """The same image under another header: a copy that was corrected, coerced or pseudonymised, and kept its UID."""
    DIFFERENT_HEADERS = "different_headers"
    """Objects without pixel data, and their data sets differ."""
    UNKNOWN = "unknown"
    """There is no hash to tell: catalog with ``--pixel-hash``, or some of them could not be read."""
    DIFFERENT_IMAGES = "different_images"
    """Different pixel data under one UID, or an image and an object that is none: one of them is not what its UID says,
    unless an image was compressed anew and kept its UID."""


_OPTIONAL = ("pixel_hash", "header_hash", "pixel_hash_status")
_COLUMNS = ("prefix", "path", "SOPInstanceUID", "size", "sha256", "etag", *_OPTIONAL)


def duplicates_sql(where: str = "true") -> str:
    """Return the SQL that lists the files that share their SOP Instance UID with another, one row each.

    Parameters
    ----------
    where
        Condition on ``object_catalog``; only files that meet it are compared.

    """
    # A catalog without pixel_hashes lacks their columns: a union by name with nothing brings them, as nulls.
    absent = ", ".join(f"NULL::VARCHAR AS {name}" for name in _OPTIONAL)
    alike = " AND ".join(f"count({name}) = count(*) AND min({name}) = max({name})" for name in ("content", "size"))
    compared = f"WHERE SOPInstanceUID IS NOT NULL AND removed_at IS NULL AND {where}"
    # The UIDs first, alone: what is known of every file would take ten times the memory.
    return (
        "WITH shared AS (SELECT SOPInstanceUID FROM object_catalog\n"  # noqa: S608
        f"{compared} GROUP BY SOPInstanceUID HAVING count(*) > 1),\n"
        f"alike AS MATERIALIZED (SELECT {', '.join(_COLUMNS)}, coalesce(sha256, etag) AS content,\n"
        "CASE pixel_hash_status WHEN 'no_pixel_data' THEN 'none' ELSE pixel_hash END AS pixels\n"
        f"FROM (FROM object_catalog UNION ALL BY NAME (SELECT {absent} WHERE false))\n"
        f"{compared} AND SOPInstanceUID IN (FROM shared))\n"
        "SELECT prefix, path, SOPInstanceUID, likeness, files, size, sha256, pixel_hash, header_hash FROM alike\n"
        "JOIN (SELECT SOPInstanceUID, count(*) AS files, CASE\n"
        f"WHEN {alike} THEN '{Likeness.SAME_BYTES}'\n"
        f"WHEN min(pixels) <> max(pixels) THEN '{Likeness.DIFFERENT_IMAGES}'\n"
        f"WHEN count(pixels) < count(*) OR count(header_hash) < count(*) THEN '{Likeness.UNKNOWN}'\n"
        f"WHEN min(header_hash) = max(header_hash) THEN '{Likeness.SAME_HEADER_AND_PIXELS}'\n"
        f"WHEN min(pixels) = 'none' THEN '{Likeness.DIFFERENT_HEADERS}'\n"
        f"ELSE '{Likeness.SAME_PIXELS}' END AS likeness FROM alike GROUP BY SOPInstanceUID) USING (SOPInstanceUID)"
    )


DUPLICATES = View(
    "duplicates",
    "Files that share a SOP Instance UID, one row each, and what the files of that UID have in common (`likeness`).",
    duplicates_sql(),
    ("object_catalog",),
)
