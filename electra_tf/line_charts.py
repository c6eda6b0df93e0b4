"""Line charts as inline SVG, with the values for a read-out beside them."""

from collections.abc import Sequence
import json
import math
from typing import NamedTuple

from electra_tf import html_page
from electra_tf import number_text

WIDTH, HEIGHT = 280, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 8, 22
# Of a curve with more points, the extremes of as many intervals are drawn.
_MOST_INTERVALS = 150
# Of a dashed curve with more points, as many are marked, about.
_MOST_MARKS = 20
_POINT_RADIUS = 2.6


class Series(NamedTuple):
    """A curve.

    Attributes:
        name: for the read-out.
        points: (step, value), in the order of steps; a value that is not
            finite is a gap.
        color: number of the colour.
        is_dashed: whether it is dashed, with its points marked.
    """

    name: str
    points: Sequence[tuple[float, float]]
    color: int = 0
    is_dashed: bool = False


class _Scale(NamedTuple):
    """From values to places on the page."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def chart(series: Sequence[Series], *, label: str) -> html_page.Markup:
    """The curves over the steps, in one pair of axes.

    Args:
        series: at least one value of them is finite.
        label: what is shown, for those who do not see it.
    """
    series = [each._replace(points=thinned(each.points)) for each in series]
    finite = [
        point
        for each in series
        for point in each.points
        if math.isfinite(point[1])
    ]
    steps, values = zip(*finite, strict=True)
    x_ticks = ticks(0, max(*steps, 1), most=4)
    y_ticks = ticks(*_range(values), most=4, beyond=True)
    x_scale = _Scale(0, max(*steps, 1), _LEFT, WIDTH - _RIGHT)
    y_scale = _Scale(y_ticks[0], y_ticks[-1], HEIGHT - _BOTTOM, _TOP)
    return html_page.tag(
        "svg",
        html_page.tag("title", label),
        _y_axis(y_ticks, y_scale),
        _x_axis(x_ticks, x_scale),
        [_curve(each, x_scale, y_scale) for each in series],
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        data_series=_read_out(series, x_scale),
    )


def thinned(
    points: Sequence[tuple[float, float]],
) -> list[tuple[float, float]]:
    """Points, few enough to be drawn: of each interval the extremes.

    The last point is always among them.
    """
    if len(points) <= 2 * _MOST_INTERVALS:
        return list(points)
    size = -(-len(points) // _MOST_INTERVALS)
    kept = set()
    for start in range(0, len(points), size):
        part = range(start, min(start + size, len(points)))
        finite = [i for i in part if math.isfinite(points[i][1])]
        # A gap stays one.
        kept.update(i for i in part[:1] if not finite)
        if finite:
            kept.add(min(finite, key=lambda i: points[i][1]))
            kept.add(max(finite, key=lambda i: points[i][1]))
    kept.add(len(points) - 1)
    return [points[i] for i in sorted(kept)]


def ticks(
    low: float, high: float, *, most: int, beyond: bool = False
) -> list[float]:
    """Round numbers, about `most` of them.

    Args:
        low: where they begin.
        high: where they end; above `low`.
        most: intervals between `low` and `high`.
        beyond: whether the first and the last may lie outside, so that all
            values are between them.
    """
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(
        factor * power
        for factor in (1, 2, 2.5, 5, 10)
        if factor * power >= rough * (1 - 1e-9)
    )
    first, last = low / step, high / step
    if beyond:
        first, last = math.floor(first + 1e-9), math.ceil(last - 1e-9)
    else:
        first, last = math.ceil(first - 1e-9), math.floor(last + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Smallest and largest; apart, so that a scale can be made of them."""
    low, high = min(values), max(values)
    if low == high:
        margin = abs(low) / 2 or 1.0
        return low - margin, high + margin
    return low, high


def _y_axis(values: Sequence[float], scale: _Scale) -> list[html_page.Markup]:
    parts = []
    for value in values:
        y = scale(value)
        parts.append(
            html_page.tag("path", class_="grid", d=f"M{_LEFT} {y}H{WIDTH}")
        )
        text = number_text.short(value)
        parts.append(
            html_page.tag("text", text, class_="y", x=_LEFT - 6, y=y + 3.5)
        )
    return parts


def _x_axis(values: Sequence[float], scale: _Scale) -> list[html_page.Markup]:
    y = HEIGHT - 7
    return [
        html_page.tag(
            "text", number_text.short(value), class_="x", x=scale(value), y=y
        )
        for value in values
    ]


def _curve(
    series: Series, x_scale: _Scale, y_scale: _Scale
) -> html_page.Markup:
    line, points, is_gap = [], [], True
    for step, value in series.points:
        if not math.isfinite(value):
            is_gap = True
            continue
        x, y = x_scale(step), y_scale(value)
        line.append(f"{'M' if is_gap else 'L'}{x} {y}")
        points.append((x, y))
        is_gap = False
    marks = points[-1:]
    if series.is_dashed:
        # From the end, so that the last one is marked.
        stride = -(-len(points) // _MOST_MARKS)
        marks = points[::-stride][::-1]
    return html_page.tag(
        "g",
        html_page.tag("path", d="".join(line)),
        [
            html_page.tag("circle", cx=x, cy=y, r=_POINT_RADIUS)
            for x, y in marks
        ],
        class_=f"curve c{series.color}" + (" dashed" * series.is_dashed),
        data_color=series.color,
    )


def _read_out(series: Sequence[Series], x_scale: _Scale) -> str:
    """JSON for the script: names, and for each point its x, step and value."""
    return json.dumps(
        [
            {
                "name": each.name,
                "color": each.color,
                "points": [
                    [x_scale(step), step, number_text.exact(value)]
                    for step, value in each.points
                ],
            }
            for each in series
        ],
        separators=(",", ":"),
    )
