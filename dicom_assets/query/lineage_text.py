"""Lineage for reading: aligned lines of plain text, the longest values last."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from dicom_assets.query.lineage_model import FileLineage, Holder, Lineage, Made, RunLineage, RunTable

_NONE = "-"
_PREFIXES_SHOWN = 20


def lineage_text(lineage: Lineage) -> str:
    """Return the answer for a path or a UID."""
    files = "1 file" if lineage.count == 1 else f"{lineage.count} files"
    lines = [] if lineage.level == "path" else [f"{lineage.level} {lineage.asked}: {files}", ""]
    for file in lineage.files:
        lines += [*_file(file), ""]
    if lineage.groups:
        head = ["table", "rows", *_MADE, "extractor version"]
        groups = [[g.table, str(g.rows), *_made(g.made), g.extractor_version or _NONE] for g in lineage.groups]
        lines += [*_grid([head, *groups]), "", *_holders(lineage.held_by), ""]
    return "\n".join(lines).rstrip("\n")


def run_text(lineage: RunLineage) -> str:
    """Return the answer for a run."""
    lines = [f"run {lineage.run_id}", ""]
    for table in lineage.tables:
        lines += [*_run_table(table), ""]
    return "\n".join(lines).rstrip("\n")


_MADE = ("version", "committed (UTC)", "run")


def _made(made: Made) -> list[str]:
    """Return version, time and run; what is not known is said so."""
    version = _NONE if made.version is None else str(made.version)
    if made.version is None and made.not_after is not None:
        version = f"unknown, {made.not_after} or before"
    # A commit that the log has forgotten came soon after its rows were made.
    made_at = f"after {_time(made.made_at)}" if made.made_at else _NONE
    return [version, _time(made.committed_at) if made.committed_at else made_at, made.run_id or _NONE]


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _file(file: FileLineage) -> Iterator[str]:
    yield file.path
    head = ["table", *_MADE, "status", "made from", "extractor version"]
    rows = [
        [r.table, *_made(r.made), r.status or _NONE, r.fingerprint or _NONE, r.extractor_version or _NONE]
        for r in file.rows
    ]
    yield from _grid([head, *rows])
    if file.missing:
        yield f"no row in {', '.join(file.missing)}"
    yield from _holders(file.held_by)


def _holders(holders: Sequence[Holder]) -> Iterator[str]:
    if not holders:
        yield "in no table of a user"
        return
    yield "held by"
    head = ["table", "rows", "by", *_MADE]
    yield from _grid([head, *([h.table, str(h.rows), h.column, *_made(h.made)] for h in holders if not h.problem)])
    for holder in holders:
        if holder.problem:
            yield f"  {holder.table}: {holder.problem}"


def _run_table(table: RunTable) -> Iterator[str]:
    yield table.table
    for commit in table.commits:
        made = "" if commit.rows_made is None else f": rows made {commit.rows_made}, removed {commit.rows_removed}"
        yield f"  version {commit.version}, {_time(commit.at)} UTC{made}"
    if not table.commits:
        yield "  the log does not tell of its commits any more"
    if table.rows or any(commit.rows_made for commit in table.commits):
        yield f"  of its rows there now: {sum(table.rows.values())}"
    for prefix, count in list(table.rows.items())[:_PREFIXES_SHOWN]:
        yield f"    {count:>8}  {prefix}"
    if len(table.rows) > _PREFIXES_SHOWN:
        yield f"    ... and {len(table.rows) - _PREFIXES_SHOWN} more prefixes"
    for path in table.paths:
        yield f"    {path}"


def _grid(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows of text as aligned lines."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (value.ljust(width) for value, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
