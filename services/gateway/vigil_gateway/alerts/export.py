"""Alerts as a file: CSV for spreadsheets, JSON lines for programs. Pure.

A spreadsheet computes a cell that begins as a formula does. What cameras are called and what models say comes from
anywhere, so such a cell begins with an apostrophe, which spreadsheets take for "this is text".
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice

from vigil_gateway.api.models.alerts import AlertOut

ROWS = 200  # of one part
# Marks a CSV file as UTF-8 for spreadsheets that take it for something else otherwise.
BYTE_ORDER_MARK = "\ufeff"
COLUMNS = (
    "alert_id",
    "open",
    "watch",
    "severity",
    "source_id",
    "source_name",
    "session",
    "text",
    "reason",
    "p_speak",
    "opened_at",
    "updated_at",
    "closed_at",
    "updates",
    "acknowledged_by",
    "acknowledged_at",
    "acknowledged_note",
    "muted_until",
    "snapshot_path",
)
# Also behind what some spreadsheets take for the end of a cell or of a line, and in the full width of East Asian texts.
_FORMULA = re.compile("(^|[;\t\r\n])(?=[ \u00a0]*[=+@\\-\uff1d\uff0b\uff20\uff0d])")


class Form(StrEnum):
    """The form of the file."""

    CSV = "csv"
    JSON_LINES = "jsonl"


MEDIA_TYPES = {Form.CSV: "text/csv; charset=utf-8; header=present", Form.JSON_LINES: "application/jsonl"}


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet computes."""
    return _FORMULA.sub(r"\1'", text)


def parts(alerts: Iterable[AlertOut], form: Form) -> Iterator[bytes]:
    """The file, in parts of so many rows."""
    if form is Form.CSV:
        yield (BYTE_ORDER_MARK + _lines([COLUMNS])).encode()
    rows = iter(alerts)
    while some := list(islice(rows, ROWS)):
        if form is Form.CSV:
            yield _lines(map(_row, some)).encode()
        else:
            yield b"".join(alert.model_dump_json().encode() + b"\n" for alert in some)


def _row(alert: AlertOut) -> tuple[str, ...]:
    values = alert.model_dump(mode="json")
    return tuple(_cell(values[name]) for name in COLUMNS)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else harmless(value) if isinstance(value, str) else str(value)


def _lines(rows: Iterable[tuple[str, ...]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(rows)
    return written.getvalue()
