"""``dicom-assets changes``: what became of files between two versions of the catalog."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pyarrow as pa
import typer

from dicom_assets.cli.destination import Destination
from dicom_assets.cli.errors import clear_errors, tell
from dicom_assets.cli.options import Json, LakeOption, OutputFile, Schema
from dicom_assets.query.labels import uid_name

if TYPE_CHECKING:
    from dicom_assets.query.version_changes import VersionChanges

_KIND = 28
"""Characters of the name of a SOP Class."""


def changes(
    lake: LakeOption,
    since: Annotated[
        str,
        typer.Option(
            "--since", metavar="VERSION|TIME", help="Version of object_catalog, or a time in ISO 8601, by default UTC."
        ),
    ],
    until: Annotated[
        str | None, typer.Option("--until", metavar="VERSION|TIME", help="The later one; by default the newest.")
    ] = None,
    schema: Schema = "dicom",
    json: Json = False,
    output: OutputFile = None,
) -> None:
    """List the files that were added, changed or removed since a version or a time; their UIDs are in JSON and files.

    Rows are compared, so compaction shows no change, nor does what was changed and changed back.
    """
    from dicom_assets.query.as_of import read_moment
    from dicom_assets.query.opening import open_catalog
    from dicom_assets.query.version_changes import changes_between

    with clear_errors():
        destination = Destination.chosen(output, json=json)
        moments = read_moment(since), None if until is None else read_moment(until)
        found = changes_between(open_catalog(lake, schema), *moments)
        tell(_versions(found), style="dim")
        destination.write(_overview(found.rows) if destination.is_read else found.rows)


def _versions(found: "VersionChanges") -> str:
    """Return what was compared: a time stands for a version."""
    since = "no table" if found.since is None else f"version {found.since}"
    return f"object_catalog from {since} to version {found.until}"


def _overview(rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Return what a terminal has room for: which files, and what kind of objects they are."""
    schema = pa.schema([(name, pa.string()) for name in ("change", "SOP Class", "relative_path")])

    def shortened() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            classes = [_kind(uid) for uid in batch.column("SOPClassUID").to_pylist()]
            columns = [batch.column("change"), pa.array(classes, pa.string()), batch.column("relative_path")]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, shortened())


def _kind(sop_class: str | None) -> str | None:
    """Return the name of a SOP Class as short as it is clear."""
    name = uid_name(sop_class)
    if name is None:
        return None
    name = name.removesuffix(" Storage")
    return name if len(name) <= _KIND else f"{name[: _KIND - 1]}…"
