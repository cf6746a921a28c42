"""What is better looked at than read: files by month, sizes, slice spacing, and how fast runs were."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from markupsafe import Markup

from dicom_assets.delta.history import Commit, CommitLog
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.query.labels import file_size
from dicom_assets.serve.browser.charts import COLOURS, Series, bars, histogram, points
from dicom_assets.serve.browser.conditions import condition_of
from dicom_assets.serve.browser.facet import NONE_STATED
from dicom_assets.serve.browser.facets import Cube
from dicom_assets.serve.browser.selection import Selection

_MOST_MONTHS = 60
"""Beyond, years are shown."""
_RUNS = 40
_SPACING_STEP, _SPACING_MOST = 0.5, 10.0


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture, and the numbers that it is made of.

    Attributes
    ----------
    title, note
        What it shows, and what to know about it.
    picture
        As SVG; ``None`` where there is nothing to show.
    legend
        What each colour is, in the order of the classes.
    heads, rows
        The numbers as a table.

    """

    title: str
    note: str
    picture: Markup | None
    legend: Sequence[str]
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def plots_of(catalog: FixedCatalog, cube: Cube, selection: Selection) -> list[Plot]:
    """Return the plots of a selection; raises as :func:`~dicom_assets.serve.browser.listing.rows_of` does."""
    made = [by_month(cube.by("month", "modality", selection)), _sizes(catalog, selection)]
    if "series" in catalog.fixed:
        made.append(_spacing(catalog, selection))
    return [*made, throughput(_commits(catalog))]


def by_month(counts: Mapping[tuple[str, str], int]) -> Plot:
    """Return files by month, or by year where there are many, and modality; by pairs of both."""
    stated = {key: files for key, files in counts.items() if key[0]}
    months = _months_between({month for month, _ in stated})
    letters = 7
    if len(months) > _MOST_MONTHS:
        letters = 4
        years = [int(month[:4]) for month in (months[0], months[-1])]
        months = [f"{year:04}" for year in range(years[0], years[1] + 1)]
    sums: dict[str, dict[str, int]] = {}
    for (month, modality), files in stated.items():
        by = sums.setdefault(modality or NONE_STATED, {})
        by[month[:letters]] = by.get(month[:letters], 0) + files
    ordered = sorted(sums, key=lambda name: (-sum(sums[name].values()), name))
    names = ordered[: COLOURS - 1]
    stacks = [Series(name, [sums[name].get(month, 0) for month in months]) for name in names]
    if rest := ordered[COLOURS - 1 :]:
        stacks.append(Series("others", [sum(sums[name].get(month, 0) for name in rest) for month in months]))
    period = "month" if letters == 7 else "year"
    title = f"Files by {period} of study and modality"
    undated = sum(files for (month, _), files in counts.items() if not month)
    rows = [(month, *(f"{one.heights[place]:,}" for one in stacks)) for place, month in enumerate(months)]
    return Plot(
        title,
        f"{undated:,} files state no date of study." if undated else "",
        bars(title, months, stacks, "files") if months else None,
        [one.name for one in stacks],
        (period.capitalize(), *(one.name for one in stacks)),
        [row for row in rows if any(cell != "0" for cell in row[1:])],
    )


def throughput(commits: Sequence[Commit]) -> Plot:
    """Return how many files a second each run brought into ``object_catalog``, by its commits from the oldest."""
    told: list[tuple[str, float, int]] = []
    for commit in commits:
        if commit.made_at is None or not commit.rows_made:
            continue
        seconds = (commit.at - commit.made_at).total_seconds()
        if seconds > 0:
            told.append((f"{commit.at:%m-%d %H:%M}", commit.rows_made / seconds, commit.rows_made))
    title = "Files a second in the joining step of runs"
    picture = points(title, [one[0] for one in told], [one[1] for one in told], "files/s") if told else None
    rows = [(when, f"{files:,}", f"{rate:,.1f}") for when, rate, files in told]
    note = f"Of the last {_RUNS} commits of object_catalog, from when a run began the step to its commit; UTC."
    return Plot(title, note, picture, (), ("Commit", "Files", "Files a second"), rows)


def _sizes(catalog: FixedCatalog, selection: Selection) -> Plot:
    condition = condition_of(catalog, selection)
    source = catalog.narrow(CATALOG_NAME, selection.where)
    found = catalog.ask(
        f"SELECT floor(log2(size))::INTEGER AS bin, count(*) AS files FROM {source}\n"  # noqa: S608 - bound values
        f"WHERE {condition.sql}\nAND size > 0 GROUP BY bin",
        condition.values,
    ).to_pylist()
    counts = {float(row["bin"]): int(row["files"]) for row in found}
    names = {float(power): file_size(1 << power) for power in range(64)}
    labels, heights = histogram(counts, names)
    return _of_bins("Sizes of files", "Each bar goes from its size to twice that.", labels, heights, ("From", "files"))


def _spacing(catalog: FixedCatalog, selection: Selection) -> Plot:
    condition, source = condition_of(catalog, selection), catalog.narrow(CATALOG_NAME, selection.where)
    chosen = (
        ""
        if selection.is_everything
        else (
            f"AND SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM {source}\nWHERE {condition.sql}\n)"  # noqa: S608
        )
    )
    found = catalog.ask(
        f"SELECT least(floor(slice_spacing / {_SPACING_STEP}) * {_SPACING_STEP}, {_SPACING_MOST}) AS bin, "  # noqa: S608
        f"count(*) AS series FROM series WHERE slice_spacing >= 0 {chosen} GROUP BY bin",
        () if selection.is_everything else condition.values,
    ).to_pylist()
    counts = {float(row["bin"]): int(row["series"]) for row in found}
    steps = [number * _SPACING_STEP for number in range(int(_SPACING_MOST / _SPACING_STEP) + 1)]
    names = {step: f"{step:g}+" if step == _SPACING_MOST else f"{step:g}" for step in steps}
    labels, heights = histogram(counts, names)
    note = "Distance of slices by their positions, in mm; series that are no stack of slices are left out."
    return _of_bins("Slice spacing of series", note, labels, heights, ("From (mm)", "series"))


def _of_bins(title: str, note: str, labels: list[str], heights: list[int], heads: tuple[str, str]) -> Plot:
    picture = bars(title, labels, [Series("", heights)], heads[1]) if labels else None
    rows = [(label, f"{height:,}") for label, height in zip(labels, heights, strict=True)]
    return Plot(title, note, picture, (), (heads[0], heads[1].capitalize()), rows)


def _commits(catalog: FixedCatalog) -> list[Commit]:
    version = catalog.fixed[CATALOG_NAME].delta.version()
    return list(islice(CommitLog(catalog.location(CATALOG_NAME), version), _RUNS))[::-1]


def _months_between(months: set[str]) -> list[str]:
    """Return all months from the first to the last."""
    if not months:
        return []
    return list(_following(min(months), max(months)))


def _following(first: str, last: str) -> Iterator[str]:
    number, end = (int(month[:4]) * 12 + int(month[5:7]) - 1 for month in (first, last))
    while number <= end:
        yield f"{number // 12:04}-{number % 12 + 1:02}"
        number += 1
