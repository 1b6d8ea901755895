"""The report's drawings as SVG text. Colours are the page's own variables, so they serve light and dark alike. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from vigil_recipe.exam.report.results import SYSTEM
from vigil_recipe.exam.run import Played
from vigil_recipe.exam.scoring.calibration import Calibration

WIDTH = 720
LEFT, RIGHT = 96, 12


@dataclass(frozen=True, slots=True)
class _Axis:
    """Turns to pixels."""

    turns: int

    def x(self, turn: float) -> float:
        return LEFT + turn * (WIDTH - LEFT - RIGHT) / max(self.turns, 1)

    @property
    def step(self) -> float:
        return self.x(1) - self.x(0)


def speaking_plot(play: Played) -> str:
    """p(speak) second by second over what was due, for one episode."""
    turns = play.score.transcript.turns
    axis, top, height = _Axis(len(turns)), 12, 110
    bottom = top + height
    parts = [_spans(play, axis, top, height)]
    parts += [_line(LEFT, bottom - height * p, WIDTH - RIGHT, bottom - height * p, "grid") for p in (0, 0.5, 1)]
    parts += [_text(LEFT - 8, bottom - height * p + 4, f"{p:g}", "end") for p in (0, 0.5, 1)]
    points = [
        (axis.x(turn + 0.5), bottom - height * (1 - heard.p.silent))
        for turn, heard in enumerate(turns)
        if heard.p is not None
    ]
    if points:
        path = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        parts.append(f'<path class="p" d="M{path}"/>')
    parts.append(_text(14, top + height / 2, "p(speak)"))
    parts += _seconds(axis, bottom + 16)
    return _svg(f"p(speak) in one {play.item.scenario.value} episode", bottom + 24, parts)


def timeline(played: Sequence[Played]) -> str:
    """What was due in one episode, and under it what each player did, second by second."""
    first = played[0]
    axis, row = _Axis(len(first.score.transcript.turns)), 22
    parts = [_text(LEFT - 8, 16, "due", "end"), _spans(first, axis, 4, row - 6)]
    for index, play in enumerate(played, start=1):
        y = 4 + index * row
        name = "Vigil" if play.player == SYSTEM else play.player.replace("_", " ")
        parts.append(_text(LEFT - 8, y + 12, name, "end"))
        parts += [_cell(axis, turn, y, row - 6, play) for turn in range(axis.turns)]
    rows = len(played) + 1
    if first.score.transcript.alerts:
        parts.append(_text(LEFT - 8, 4 + rows * row + 12, "alerts", "end"))
        parts.append(_alerts(first, axis, 4 + rows * row, row - 6))
        rows += 1
    bottom = 4 + rows * row
    parts += _seconds(axis, bottom + 10)
    return _svg(f"one {first.item.scenario.value} episode", bottom + 18, parts)


def reliability(found: Calibration) -> str:
    """How often silence was right against p(silence); the diagonal is what is to be reached, dots grow with turns."""
    size, margin = 260, 44
    total = max(found.turns, 1)

    def place(x: float, y: float) -> tuple[float, float]:
        return margin + x * size, 12 + (1 - y) * size

    parts = [
        f'<rect class="frame" x="{margin}" y="12" width="{size}" height="{size}"/>',
        _line(*place(0, 0), *place(1, 1), "grid dashed"),
    ]
    for value in (0.0, 0.5, 1.0):
        x, y = place(value, value)
        parts += [_text(x, 12 + size + 16, f"{value:g}", "middle"), _text(margin - 6, y + 4, f"{value:g}", "end")]
    places = [place(bin_.mean_p, bin_.silence_right) for bin_ in found.bins]
    if places:
        parts.append('<path class="p" d="M{}"/>'.format(" L".join(f"{x:.1f} {y:.1f}" for x, y in places)))
    for bin_, (x, y) in zip(found.bins, places, strict=True):
        label = f"{bin_.turns} turns: p(silence) {bin_.mean_p:.2f}, silence right {bin_.silence_right:.2f}"
        radius = 3 + 9 * (bin_.turns / total) ** 0.5
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{label}</title></circle>')
    parts += [
        _text(margin + size / 2, size + 44, "p(silence)", "middle"),
        f'<g transform="rotate(-90 12 {12 + size / 2})">{_text(12, 12 + size / 2, "silence was right", "middle")}</g>',
    ]
    return _svg("Reliability of p(silence)", size + 52, parts, width=size + margin + 20)


def _spans(play: Played, axis: _Axis, y: float, height: float) -> str:
    """What was due, as blocks; a thing that is said once is as wide as the time in which it counts."""
    blocks = []
    for due in play.score.dues:
        words = due.text + (f" → {due.question}" if due.question else "")
        title = f"{due.first} s to {due.end} s: {words}"
        kind = "held" if due.repeats else "once"
        blocks.append(
            _rect(axis.x(due.first), y, axis.step * max(due.end - due.first, 1), height, f"due {kind}", title)
        )
    return "".join(blocks)


def _alerts(play: Played, axis: _Axis, y: float, height: float) -> str:
    """The alerts that downstream systems received, each from its opening to its closing."""
    blocks, opened = [], dict[str, tuple[float, str]]()
    began = play.score.transcript.turns[0].time_s
    for alert in play.score.transcript.alerts:
        if alert.state == "opened":
            opened[alert.watch] = (alert.time_s - began, alert.text)
        elif alert.state == "closed" and alert.watch in opened:
            start, text = opened.pop(alert.watch)
            end = min(alert.time_s - began, float(axis.turns))
            title = f"alert, {start:g} s to {end:g} s: {text}"
            blocks.append(_rect(axis.x(start), y, max(axis.x(end) - axis.x(start), 2), height, "alert", title))
    return "".join(blocks)


def _cell(axis: _Axis, turn: int, y: float, height: float, play: Played) -> str:
    """One decision: silent, said and right, said and not, handed over."""
    heard = play.score.transcript.turns[turn]
    if heard.is_silent:
        kind = "silent"
    elif heard.output.question:
        kind = "delegate"
    else:
        stray = (*play.score.matched.false, *play.score.matched.wrong, *play.score.matched.duplicates)
        kind = "stray" if any(said.turn == turn for said in stray) else "speak"
    return _rect(axis.x(turn) + 0.5, y, axis.step - 1, height, kind, f"{turn} s: {heard.reply}")


def _seconds(axis: _Axis, y: float) -> list[str]:
    return [_text(axis.x(turn), y, f"{turn}", "middle") for turn in range(0, axis.turns + 1, 5)]


def _rect(x: float, y: float, width: float, height: float, kind: str, title: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" {place} rx="2"><title>{escape(title)}</title></rect>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, height: float, parts: Sequence[str], width: float = WIDTH) -> str:
    body = "".join(parts)
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" style="max-width:{width:g}px" role="img" '
        f'aria-label="{escape(title)}">{body}</svg>'
    )
