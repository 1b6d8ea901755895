"""`docs/traces.md`: every span and every attribute, from the rows of `vigil.contract.spans`."""

from reference.table import code, table
from vigil.contract.spans import ATTRIBUTES, SPANS, SpanRow

INTRODUCTION = """# Traces

This page is generated from the rows in `vigil.contract.spans`: change those, then run `make docs`. A test compares the
two, and another compares the rows with what a whole system sends to a collector.

Each service sends its spans over OTLP/gRPC to `VIGIL_OTLP_ENDPOINT`, where one is given; `VIGIL_TRACE_SHARE` is the
share of the traces that is recorded. A turn is one trace, from the capture of its picture to the delivery of its alert.
The trace travels as `traceparent` in NATS headers, in gRPC metadata and in HTTP headers, to the engine and to webhook
receivers too, and every event on NATS names it. The messages of a WebSocket and of a gRPC stream have no span; each
picture that comes that way begins a trace.

![One alert: which service did what, and when](trace.svg)

The picture is of one alert, from the spans that a collector received of a whole system with a scripted engine
(`make trace` draws it anew). Pictures, prompts and words are in no span."""

HEAD = ("span", "recorded by", "kind", "what it is", "below", "attributes")


def page() -> str:
    """The text of the page."""
    attributes = ((code(name), meaning) for name, meaning in ATTRIBUTES.items())
    parts = [
        INTRODUCTION,
        "## Spans\n\nAttributes in parentheses are not always there. Each span may also have `error.type`.",
        "\n".join(table(HEAD, map(_row, SPANS))),
        "## Attributes",
        "\n".join(table(("attribute", "value"), attributes)),
    ]
    return "\n\n".join(parts) + "\n"


def _row(row: SpanRow) -> tuple[str, ...]:
    sometimes = f"({', '.join(map(code, row.sometimes))})" if row.sometimes else ""
    return (
        code(row.name),
        ", ".join(row.services),
        row.kind.lower(),
        row.meaning,
        ", ".join(code(name) or "begins a trace" for name in row.parents),
        ", ".join(filter(None, [*map(code, row.always), sometimes])),
    )
