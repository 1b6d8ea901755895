"""Decisions and probabilities as single characters. Pure."""

from collections.abc import Sequence

from rich.text import Text

from vigil_client.events import Decision

BARS = "▁▂▃▄▅▆▇█"
SYMBOLS = {"silent": ("·", "dim"), "speak": ("█", "bold red"), "delegate": ("▲", "bold yellow")}
MALFORMED = ("?", "magenta")
SKIPPED = ("╎", "yellow")

SEVERITY_STYLES = {"info": "cyan", "warning": "yellow", "critical": "bold red"}
STATE_STYLES = {
    "opened": "bold red",
    "updated": "yellow",
    "closed": "green",
    "acknowledged": "cyan",
    "muted": "dim",
}


def strip(decisions: Sequence[Decision], width: int) -> Text:
    """The last `width` decisions, oldest first: · silent, █ speak, ▲ delegate, ? unreadable; ╎ after skipped frames.

    Always `width` cells wide: what has not happened yet is blank.
    """
    cells: list[tuple[str, str]] = []
    for decision in decisions:
        if decision.frames_skipped:
            cells.append(SKIPPED)
        cells.append(MALFORMED if decision.malformed else SYMBOLS.get(decision.action, MALFORMED))
    shown = cells[-width:] if width else []
    text = Text(" " * (width - len(shown)))
    for symbol, style in shown:
        text.append(symbol, style)
    return text


def spark(values: Sequence[float | None], width: int) -> str:
    """The last `width` probabilities as bars; unknown ones are blank. Always `width` cells wide."""
    shown = values[-width:] if width else []
    return "".join(" " if value is None else bar(value) for value in shown).rjust(width)


def bar(probability: float) -> str:
    """One bar for a probability; what lies outside of [0, 1] is drawn at its end."""
    return BARS[max(0, min(len(BARS) - 1, int(probability * len(BARS))))]


def clock(seconds: float) -> str:
    """Model time as `m:ss`, or `h:mm:ss`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
