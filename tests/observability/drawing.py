"""A trace as a picture: one row for each span, its service by colour, its time as a bar. Pure: spans in, SVG out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from observability.collector import ReceivedSpan

WIDTH = 980
LABEL = 290
RIGHT = 90
TOP, ROW, FOOT = 74, 26, 44
_MS = 1_000_000
_STEPS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
_MOST_LINES = 10
COLOURS = {
    "ingestion": "#2f6f8f",
    "codec": "#5b8c5a",
    "interaction": "#b5651d",
    "webhook": "#8e5572",
    "gateway": "#5c5c8a",
    "memory": "#3d7d74",
    "brain": "#8a6d1f",
}
_OTHER = "#777777"


@dataclass(frozen=True, slots=True)
class Row:
    """A span at its place in the tree, with times in milliseconds from the beginning of the trace."""

    span: ReceivedSpan
    depth: int
    began_ms: float
    took_ms: float


def rows(trace: Sequence[ReceivedSpan]) -> list[Row]:
    """The spans of a trace, each below its parent, in the order in which they began."""
    began_ns = min(span.began_ns for span in trace)
    known = {span.id for span in trace}

    def below(parent: str, depth: int) -> Iterator[Row]:
        for span in sorted(trace, key=lambda found: found.began_ns):
            if span.parent == parent or (not parent and span.parent not in known):
                times = (span.began_ns - began_ns) / _MS, (span.ended_ns - span.began_ns) / _MS
                yield Row(span, depth, *times)
                yield from below(span.id, depth + 1)

    return list(below("", 0))


def drawn(trace: Sequence[ReceivedSpan], title: str) -> str:
    """The picture of a trace."""
    found = rows(trace)
    length_ms = max(row.began_ms + row.took_ms for row in found)
    height = TOP + ROW * len(found) + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
        ' font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(16, 28, title, size=16, weight="600"),
        *_legend(found),
        *_axis(length_ms, height),
    ]
    for number, row in enumerate(found):
        parts += _bar(row, TOP + ROW * number, length_ms)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(found: Sequence[Row]) -> list[str]:
    parts, x = [], 16
    for service in dict.fromkeys(row.span.service for row in found):
        parts.append(f'<rect x="{x}" y="42" width="12" height="12" rx="2" fill="{_colour(service)}"/>')
        parts.append(_text(x + 17, 53, service))
        x += 40 + 8 * len(service)
    return parts


def _axis(length_ms: float, height: int) -> list[str]:
    step = next((step for step in _STEPS_MS if length_ms / step <= _MOST_LINES), _STEPS_MS[-1])
    parts = []
    for at_ms in range(0, int(length_ms) + 1, step):
        x = _x(at_ms, length_ms)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - FOOT + 4}" stroke="#e3e3e3"/>')
        parts.append(_text(x, height - FOOT + 22, f"{at_ms} ms", anchor="middle", fill="#666666"))
    return parts


def _bar(row: Row, y: int, length_ms: float) -> list[str]:
    x, end = _x(row.began_ms, length_ms), _x(row.began_ms + row.took_ms, length_ms)
    width = max(end - x, 2.0)
    return [
        _text(16 + 16 * row.depth, y + 15, _label(row.span)),
        f'<rect x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="15" rx="2" fill="{_colour(row.span.service)}"/>',
        _text(x + width + 5, y + 15, f"{row.took_ms:.1f} ms", fill="#444444", size=11),
    ]


def _label(span: ReceivedSpan) -> str:
    """The span's name, and of what is published the kind."""
    subject = str(span.attributes.get("messaging.destination.name", ""))
    kind = subject.split(".")[2] if subject.count(".") > 2 else ""
    return f"{span.name}: {kind}" if kind else span.name


def _x(at_ms: float, length_ms: float) -> float:
    return LABEL + at_ms / length_ms * (WIDTH - LABEL - RIGHT)


def _colour(service: str) -> str:
    return COLOURS.get(service, _OTHER)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", fill: str = "#1c1c1c", size: int = 13, weight: str = "400"
) -> str:
    style = f'text-anchor="{anchor}" fill="{fill}" font-size="{size}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y}" {style}>{escape(text)}</text>'
