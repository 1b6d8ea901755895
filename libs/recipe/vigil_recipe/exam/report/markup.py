"""What every report page is made of: the style, tables, numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

Cell = float | int | str | None

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #fff; --line: #d8dee6; --card: #f5f7fa;
  --speak: #1f6fd0; --due: #8fc7a0; --stray: #d2452f; --delegate: #8b54c9; --quiet: #e6eaf0;
  --alert: #d98a1c }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #9aa6b5; --paper: #12161c; --line: #2c3540;
  --card: #1a2029; --speak: #5aa2f5; --due: #2f6d45; --stray: #f0715c; --delegate: #b88aec; --quiet: #262e38;
  --alert: #f0ad4e } }
body { font: 15px/1.55 system-ui, sans-serif; max-width: 1040px; margin: 2.5em auto; padding: 0 1.2em;
  color: var(--ink); background: var(--paper) }
h1 { font-size: 1.7em; margin-bottom: .2em } h2 { margin-top: 2.2em; font-size: 1.25em } h3 { margin-bottom: .3em }
p, figcaption { color: var(--soft) } strong { color: var(--ink) }
.scroll { overflow-x: auto } table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums }
td, th { padding: .32em .7em; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
th { font-weight: 600; color: var(--soft) } td:first-child, th:first-child { text-align: left }
tr:last-child td { border-bottom: 0 }
.warn { border-left: 4px solid var(--stray); padding: .4em 1em; background: var(--card) }
svg { width: 100%; height: auto; display: block; margin: .6em 0 } svg text { font: 11px system-ui; fill: var(--soft) }
.frame { fill: none; stroke: var(--line) } .grid { stroke: var(--line); fill: none } .dashed { stroke-dasharray: 5 4 }
.p { fill: none; stroke: var(--speak); stroke-width: 1.8 } .dot { fill: var(--speak); fill-opacity: .75 }
.due { fill: var(--due); fill-opacity: .55 }
.alert { fill: var(--alert) } .silent { fill: var(--quiet) } .speak { fill: var(--speak) }
.stray { fill: var(--stray) } .delegate { fill: var(--delegate) } .key { display: inline-block; width: .9em;
  height: .9em; border-radius: 2px; vertical-align: -.08em; margin: 0 .3em 0 1em }
"""


def number(value: Cell) -> str:
    if value is None:
        return "–"
    if isinstance(value, str | bool):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{top}</tr>{body}</table></div>'


def whole_page(title: str, sections: Sequence[str]) -> str:
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(sections) + "\n</body></html>\n"
