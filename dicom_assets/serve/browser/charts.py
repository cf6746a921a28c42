"""Charts as SVG text, made on the server: bars, stacked bars and points. Colours come from the style sheet by class.

Each has a title and a description for those who do not see it; the page adds its numbers as a table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup, escape

from dicom_assets.query.visible import visible

WIDTH, HEIGHT = 760, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 14, 40
_TICKS = 4
_LEAST = 1e-9
"""What is not more is nothing."""
_MOST_LABELS = 12
COLOURS = 8
"""Classes ``c0`` to ``c7`` of the style sheet; what comes after them is ``c7``, too."""


@dataclass(frozen=True, slots=True)
class Series:
    """The heights of one colour.

    Attributes
    ----------
    name
        For the legend.
    heights
        One for each label.

    """

    name: str
    heights: Sequence[float]


def bars(title: str, labels: Sequence[str], stacks: Sequence[Series], unit: str) -> Markup:
    """Return bars, those of one label on top of each other.

    Parameters
    ----------
    title
        What is shown, in a few words.
    labels
        Below the bars.
    stacks
        From the bottom to the top.
    unit
        Of the heights, for the tips that show at a bar.

    """
    totals = [sum(series.heights[place] for series in stacks) for place in range(len(labels))]
    scale = _Scale(max(totals, default=0), least_step=1)
    width = (WIDTH - _LEFT - _RIGHT) / max(1, len(labels))
    parts = [scale.grid()]
    for place, label in enumerate(labels):
        below = 0.0
        for number, series in enumerate(stacks):
            height = series.heights[place]
            if height <= 0:
                continue
            told = f"{label}, {series.name}" if series.name else label
            x = _LEFT + place * width + width * 0.08
            parts.append(_bar(number, x, width * 0.84, scale.span(below, height), f"{told}: {height:,.10g} {unit}"))
            below += height
    parts.append(_labels(labels, width))
    return _svg(title, f"{title}: {len(labels)} bars, the highest {max(totals, default=0):,.10g} {unit}", parts)


def points(title: str, labels: Sequence[str], heights: Sequence[float], unit: str) -> Markup:
    """Return points from left to right, joined by a line; as :func:`bars` otherwise."""
    scale = _Scale(max(heights, default=0))
    width = (WIDTH - _LEFT - _RIGHT) / max(1, len(labels))
    places = [(_LEFT + (place + 0.5) * width, scale.y(height)) for place, height in enumerate(heights)]
    parts = [scale.grid(), f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>']
    for (x, y), label, height in zip(places, labels, heights, strict=True):
        told = _text(f"{label}: {height:,.3g} {unit}")
        parts.append(f'<circle class="c0" cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{told}</title></circle>')
    parts.append(_labels(labels, width))
    return _svg(title, f"{title}: {len(labels)} points, the highest {max(heights, default=0):,.3g} {unit}", parts)


def histogram(values: Mapping[float, int], labels: Mapping[float, str]) -> tuple[list[str], list[int]]:
    """Return labels and counts of bins by their lower bound, with the empty ones between them."""
    bounds = [bound for bound in sorted(labels) if min(values) <= bound <= max(values)] if values else []
    return [labels[bound] for bound in bounds], [values.get(bound, 0) for bound in bounds]


def _bar(number: int, x: float, width: float, span: tuple[float, float], told: str) -> str:
    top, height = span
    return (
        f'<rect class="c{min(number, COLOURS - 1)}" x="{x:.1f}" y="{top:.1f}" width="{max(0.8, width):.1f}" '
        f'height="{max(0.5, height):.1f}"><title>{_text(told)}</title></rect>'
    )


class _Scale:
    """From heights to places, with round numbers at the lines of the grid."""

    def __init__(self, most: float, least_step: float = _LEAST) -> None:
        step = max(least_step, _round(most / _TICKS)) if most > _LEAST else 1.0
        self._step = step
        self._top = step * max(1, ceil(most / step - 1e-9))

    def y(self, height: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * height / self._top

    def span(self, below: float, height: float) -> tuple[float, float]:
        """Return the top and the height of a bar that stands on others."""
        top = self.y(below + height)
        return top, self.y(below) - top

    def grid(self) -> str:
        lines = []
        for number in range(round(self._top / self._step) + 1):
            height = number * self._step
            y = self.y(height)
            lines.append(f'<line class="rule" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            lines.append(
                f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(height)}</text>'
            )
        return "".join(lines)


def _round(step: float) -> float:
    """Return the next of 1, 2, 5, 10, ... that is not less."""
    power = 10.0 ** floor(log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))


def _short(number: float) -> str:
    for bound, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= bound:
            return f"{number / bound:.3g} {letter}"
    return f"{number:.3g}"


def _labels(labels: Sequence[str], width: float) -> str:
    every = max(1, ceil(len(labels) / _MOST_LABELS))
    return "".join(
        f'<text class="tick" x="{_LEFT + (place + 0.5) * width:.1f}" y="{HEIGHT - _BOTTOM + 18}" '
        f'text-anchor="middle">{_text(label)}</text>'
        for place, label in enumerate(labels)
        if place % every == 0
    )


def _text(text: str) -> Markup:
    return escape(visible(text))


def _svg(title: str, description: str, parts: Sequence[str]) -> Markup:
    # All texts in the parts are escaped, where they are made; the rest is numbers and names of classes.
    return Markup(  # noqa: S704
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_text(description)}">'
        f"<title>{_text(title)}</title>{''.join(parts)}</svg>"
    )
