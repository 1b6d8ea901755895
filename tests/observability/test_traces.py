"""What a whole system sends to a collector: one trace from the camera's picture to the webhook, by registered names."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from door import KEY
from opentelemetry.semconv._incubating.attributes import (
    db_attributes,
    gen_ai_attributes,
    messaging_attributes,
    rpc_attributes,
)
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes, url_attributes

from observability.collector import ReceivedSpan
from observability.drawing import drawn, rows
from observability.evidence import alert_trace
from observability.stage import HARD, Stage, brain_that_is_missing, whole_system
from vigil.contract import spans
from vigil.contract.spans import SPANS, SpanKind, SpanRow
from vigil.runtime.process.trace import name_of
from vigil.testing.eventually import eventually
from vigil.testing.script import Reply, Seen
from vigil.v1.gateway_pb2 import AskRequest
from vigil.v1.gateway_pb2_grpc import GatewayServiceStub

CONVENTIONS = (
    db_attributes,
    gen_ai_attributes,
    messaging_attributes,
    rpc_attributes,
    error_attributes,
    http_attributes,
    server_attributes,
    url_attributes,
)
# Of an alert's turn: parent and child, each with its service.
EDGES = {
    ("ingestion frames capture", "codec frames code"),
    ("codec frames code", "interaction tick"),
    ("interaction tick", "interaction chat scripted"),
    ("interaction tick", "interaction turn commit"),
    ("interaction tick", "interaction event publish"),
    ("interaction tick", "webhook event deliver"),
}
# The session remembers: whether the alert's turn is also the one that ends a block of memory is a matter of timing.
MEMORY_EDGES = {
    ("interaction tick", "memory block write"),
    ("memory block write", "memory chat scripted"),
    ("interaction tick", "memory event publish"),
}
UNREGISTERED = SpanRow("no row", (), SpanKind.CLIENT, "", (), ())
LINES_OF_A_TURN = {"turn dropped", "event delivered"}


def test_attributes_are_registered_once_and_explained() -> None:
    used = {name for row in SPANS for name in (*row.always, *row.sometimes)} | {spans.ERROR_TYPE}
    assert used == spans.ATTRIBUTES.keys()
    assert len({row.name for row in SPANS}) == len(SPANS)


def test_attributes_of_the_conventions_have_their_current_names() -> None:
    current = {
        value
        for module in CONVENTIONS
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    foreign = {name for name in spans.ATTRIBUTES if not name.startswith("vigil.")}
    assert foreign <= current
    assert sum(name.startswith("gen_ai.") for name in foreign) > 6


def row_of(span: ReceivedSpan) -> SpanRow:
    """The row that a span was recorded by."""
    (found,) = [row for row in SPANS if named(row, span)] or [UNREGISTERED]
    return found


def named(row: SpanRow, span: ReceivedSpan) -> bool:
    try:
        return name_of(row, span.attributes) == span.name
    except KeyError:  # an attribute of the name is missing: it is another row's
        return False


def complaints(received: list[ReceivedSpan]) -> set[str]:
    """What the rows do not say of these spans."""
    found, by_id = set(), {span.id: span for span in received}
    for span in received:
        row = row_of(span)
        names = span.attributes.keys()
        if span.service not in row.services:
            found.add(f"{span.name}: recorded by {span.service}")
        if span.kind != row.kind:
            found.add(f"{span.name}: of kind {span.kind}")
        if missing := set(row.always) - names:
            found.add(f"{span.name}: without {sorted(missing)}")
        if other := names - {*row.always, *row.sometimes, spans.ERROR_TYPE}:
            found.add(f"{span.name}: with {sorted(other)}")
        parent = by_id.get(span.parent)
        above = row_of(parent).name if parent else ""
        if (parent or not span.parent) and above not in row.parents:
            found.add(f"{span.name}: below {above or 'nothing'}")
    return found


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with whole_system(tmp_path, brains=brain_that_is_missing(tmp_path)) as running:
        yield running


async def ask(stage: Stage, session: str) -> None:
    """Ask over gRPC."""
    async with grpc.aio.insecure_channel(stage.grpc) as channel:
        stub = GatewayServiceStub(channel)
        await stub.Ask(AskRequest(session=session, text=HARD), metadata=(("authorization", f"Bearer {KEY}"),))


async def test_a_picture_and_the_alert_that_it_caused_share_a_trace(stage: Stage) -> None:
    session = await stage.open("lobby")
    assert await stage.push("a-phone") == 200
    await ask(stage, session)
    trace = await alert_trace(stage)
    by_id = {span.id: span for span in trace}
    edges = Counter(
        (f"{by_id[span.parent].service} {by_id[span.parent].name}", f"{span.service} {span.name}")
        for span in trace
        if span.parent in by_id
    )
    assert EDGES <= edges.keys() <= EDGES | MEMORY_EDGES
    (root,) = [span for span in trace if span.parent not in by_id]
    assert (root.service, root.name, root.parent) == ("ingestion", "frames capture", "")
    (tick,) = [span for span in trace if span.name == "tick"]
    assert tick.attributes["vigil.session"] == session
    assert tick.attributes["vigil.action"] == "speak"
    (asked,) = [span for span in trace if (span.service, span.name) == ("interaction", "chat scripted")]
    headers = {seen.traceparent.split("-")[2] for seen in stage.engine.seen if seen.traceparent}
    assert asked.id in headers, "the engine is told of the span"
    delivered = {span.id for span in trace if span.name == "event deliver"}
    assert delivered & {post["traceparent"].split("-")[2] for post in stage.posts}, "so is the receiver"
    assert drawn(trace, "A trace").count("<text") > len(rows(trace))

    await a_turn_is_dropped(stage)
    await eventually(lambda: set(SPANS) <= set(map(row_of, stage.collector.spans)), what="every span was recorded")
    assert complaints(list(stage.collector.spans)) == set()
    lines_name_what_they_are_about(stage)


async def a_turn_is_dropped(stage: Stage) -> None:
    """The engine fails completions until one of a turn was among them: one that warms up may be first."""
    usual = stage.engine.script

    def failing(seen: Seen) -> Reply:
        return Reply("out of order", status=500) if seen.newest else usual(seen)

    stage.engine.script = failing
    await eventually(
        lambda: any(line["message"] == "turn dropped" for line in stage.log_lines()), what="a turn dropped"
    )
    stage.engine.script = usual


def lines_name_what_they_are_about(stage: Stage) -> None:
    """Log lines of a turn have its trace, and lines of a session's trace its session and source."""
    lines = stage.log_lines()
    assert {line["message"] for line in lines} >= LINES_OF_A_TURN
    for line in lines:
        if line["message"] in LINES_OF_A_TURN:
            assert "trace_id" in line, line
        if "trace_id" in line and line["service"] not in ("gateway", "ingestion"):
            assert {"tenant", "session", "source"} <= line.keys(), line
        if line["message"] in ("source opened", "coding began"):
            assert {"tenant", "session", "source"} <= line.keys(), line
