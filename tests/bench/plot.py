"""Line charts as SVG text: just what the report needs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 40, 50
_COLOURS = ("#1f5fa8", "#c2541b", "#2e8540", "#7a3b9a")
_LABELS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A named series of points."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Chart:
    """`limit` draws a dashed line; `zero` begins the y axis at 0."""

    title: str
    x: str
    y: str
    lines: Sequence[Line]
    limit: float | None = None
    zero: bool = True


def svg(chart: Chart) -> str:
    """The chart as an `<svg>` element. Without points it says so."""
    points = [point for line in chart.lines for point in line.points if math.isfinite(point[1])]
    if not points:
        return f"<p>{escape(chart.title)}: not measured</p>"
    scale = _Scale(points, chart)
    parts = [_text(_WIDTH / 2, 22, chart.title, "middle", 15)]
    parts += [_x_label(scale, value) for value in _ticks(scale.low[0], scale.high[0])]
    parts += [_y_label(scale, value) for value in _ticks(scale.low[1], scale.high[1])]
    parts += [
        _text(_WIDTH / 2, _HEIGHT - 8, chart.x, "middle"),
        f'<g transform="rotate(-90 14 {_HEIGHT / 2})">{_text(14, _HEIGHT / 2, chart.y, "middle")}</g>',
    ]
    if chart.limit is not None:
        parts.append(_path(scale, [(scale.low[0], chart.limit), (scale.high[0], chart.limit)], "#888", "5 4"))
    for index, line in enumerate(chart.lines):
        colour = _COLOURS[index % len(_COLOURS)]
        parts.append(_path(scale, [one for one in line.points if math.isfinite(one[1])], colour))
        parts.append(_text(_LEFT + 10, _TOP + 14 + 16 * index, line.name, colour=colour))
    body = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" aria-label="{escape(chart.title)}" '
        f'font-family="sans-serif">\n{body}\n</svg>'
    )


class _Scale:
    """From values to places."""

    def __init__(self, points: Sequence[tuple[float, float]], chart: Chart) -> None:
        ys = [y for _, y in points] + ([chart.limit] if chart.limit is not None else [])
        bottom = min(0.0, *ys) if chart.zero else min(ys)
        self.low = (min(x for x, _ in points), bottom)
        self.high = (max(x for x, _ in points), bottom + (max(ys) - bottom) * 1.1)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Pixels from the left and from the top."""
        across, down = (
            (value - low) / ((high - low) or 1) for value, low, high in zip((x, y), self.low, self.high, strict=True)
        )
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - down * (_HEIGHT - _TOP - _BOTTOM)


def _ticks(low: float, high: float) -> list[float]:
    """Round values between `low` and `high`."""
    rough = (high - low) / _LABELS
    if rough <= 0:
        return [low]
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]


def _x_label(scale: _Scale, value: float) -> str:
    x, _ = scale.place(value, scale.low[1])
    return _text(x, _HEIGHT - _BOTTOM + 18, f"{value:g}", "middle")


def _y_label(scale: _Scale, value: float) -> str:
    _, y = scale.place(scale.low[0], value)
    line = f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
    return line + _text(_LEFT - 8, y + 4, f"{value:g}", "end")


def _path(scale: _Scale, points: Sequence[tuple[float, float]], colour: str, dashes: str = "") -> str:
    places = " L".join(f"{x:.1f} {y:.1f}" for x, y in (scale.place(*point) for point in points))
    return f'<path d="M{places}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dashes}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 12, colour: str = "#222") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
    )
