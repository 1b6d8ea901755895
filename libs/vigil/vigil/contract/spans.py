"""Every span that the services record, and every attribute of a span. docs/traces.md is made from these rows.

`vigil.runtime.process.trace.span` takes a row and no other name; a test compares the rows with what a whole system
sent to a collector. Attributes of OpenTelemetry's semantic conventions have their names; all others begin with
`vigil.`. A name may hold an attribute in braces: the span is called by its value.
"""

from dataclasses import dataclass
from enum import StrEnum


class SpanKind(StrEnum):
    """OpenTelemetry's kinds of spans."""

    CLIENT = "CLIENT"  # waits for another process
    SERVER = "SERVER"  # serves another process, which waits
    PRODUCER = "PRODUCER"  # gives work to others and does not wait for it
    CONSUMER = "CONSUMER"  # does such work


TENANT = "vigil.tenant"
SESSION = "vigil.session"
SOURCE = "vigil.source"
SEQUENCE = "vigil.sequence"
TIME_MS = "vigil.time_ms"
PICTURES = "vigil.pictures"
VISUAL_TOKENS = "vigil.visual_tokens"
ACTION = "vigil.action"
DROPPED = "vigil.dropped"
RECALLED = "vigil.recalled"
RESENT = "vigil.resent"
ENDPOINT = "vigil.endpoint"
FATE = "vigil.fate"
FAULT = "vigil.fault"
TASK = "vigil.task"
BRAIN = "vigil.brain"
OUTCOME = "vigil.outcome"
BLOCK = "vigil.block"

ERROR_TYPE = "error.type"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
HTTP_METHOD = "http.request.method"
HTTP_RESENDS = "http.request.resend_count"
HTTP_ROUTE = "http.route"
HTTP_STATUS = "http.response.status_code"
URL_SCHEME = "url.scheme"
RPC_SYSTEM = "rpc.system.name"
RPC_METHOD = "rpc.method"
RPC_STATUS = "rpc.response.status_code"
DB_SYSTEM = "db.system.name"
MESSAGING_SYSTEM = "messaging.system"
MESSAGING_OPERATION = "messaging.operation.name"
MESSAGING_OPERATION_TYPE = "messaging.operation.type"
MESSAGING_DESTINATION = "messaging.destination.name"
MESSAGE_ID = "messaging.message.id"
GEN_AI_OPERATION = "gen_ai.operation.name"
GEN_AI_PROVIDER = "gen_ai.provider.name"
GEN_AI_MODEL = "gen_ai.request.model"
GEN_AI_MAX_TOKENS = "gen_ai.request.max_tokens"
GEN_AI_TEMPERATURE = "gen_ai.request.temperature"
GEN_AI_SEED = "gen_ai.request.seed"
GEN_AI_INPUT_TOKENS = "gen_ai.usage.input_tokens"
GEN_AI_CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
GEN_AI_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"

ATTRIBUTES = {
    TENANT: "tenant of the session",
    SESSION: "id of the session",
    SOURCE: "id of the session's source, which stands in the subjects of its alerts",
    SEQUENCE: "number of the turn in its session, as in decisions and alerts",
    TIME_MS: "time of the turn in its session, in milliseconds",
    PICTURES: "pictures of the turn",
    VISUAL_TOKENS: "visual tokens of the turn's pictures",
    ACTION: "what the model decided: silent, speak or delegate",
    DROPPED: "why the turn went no further, where it did not",
    RECALLED: "what became of asking memory about the question of the turn: found, nothing, late, absent or failed",
    RESENT: "whether all pictures were sent again because the engine had forgotten one",
    ENDPOINT: "name of the endpoint in the operator's file",
    FATE: "what became of the event: delivered, retry or dead",
    FAULT: "what is wrong with a source that cannot be watched",
    TASK: "id of the task of a delegated question",
    BRAIN: "name of the brain in the operator's file",
    BLOCK: "id of a block of memory: its span and level",
    OUTCOME: "how the task ended: ready, error or cancelled",
    ERROR_TYPE: "kind of the error that ended the span, or the status that an HTTP request failed with",
    SERVER_ADDRESS: "host that was asked",
    SERVER_PORT: "its port",
    HTTP_METHOD: "method of the request; a word that is none of HTTP's is `other`",
    HTTP_RESENDS: "how often this event was sent to the endpoint before",
    HTTP_ROUTE: "route with placeholders, never the path",
    HTTP_STATUS: "status of the answer",
    URL_SCHEME: "http or https",
    RPC_SYSTEM: "grpc",
    RPC_METHOD: "full name of the method",
    RPC_STATUS: "gRPC status of the answer",
    DB_SYSTEM: "redis",
    MESSAGING_SYSTEM: "nats",
    MESSAGING_OPERATION: "publish",
    MESSAGING_OPERATION_TYPE: "send",
    MESSAGING_DESTINATION: "subject of the message",
    MESSAGE_ID: "id under which the message is stored",
    GEN_AI_OPERATION: "chat",
    GEN_AI_PROVIDER: "vllm",
    GEN_AI_MODEL: "model that was asked",
    GEN_AI_MAX_TOKENS: "most tokens that the reply may have",
    GEN_AI_TEMPERATURE: "0: the likeliest reply",
    GEN_AI_SEED: "seed of the draw, where the temperature is above 0",
    GEN_AI_INPUT_TOKENS: "tokens of the prompt, cached ones too",
    GEN_AI_CACHED_TOKENS: "tokens of the prompt that the engine's prefix cache served",
    GEN_AI_OUTPUT_TOKENS: "tokens of the reply",
}


@dataclass(frozen=True, slots=True)
class SpanRow:
    """A span. `services` record it; `parents` are the spans that it may stand below, and "" where it may begin a trace.

    A span always has the attributes `always`, and may have those of `sometimes`; each may also have `error.type`.
    """

    name: str
    services: tuple[str, ...]
    kind: SpanKind
    meaning: str
    parents: tuple[str, ...]
    always: tuple[str, ...]
    sometimes: tuple[str, ...] = ()


REQUEST = SpanRow(
    "{http.request.method} {http.route}",
    ("gateway",),
    SpanKind.SERVER,
    "An HTTP request, from its head until the head of its answer",
    ("",),
    (HTTP_METHOD, HTTP_ROUTE, URL_SCHEME, HTTP_STATUS),
)
CALL = SpanRow(
    "{rpc.method}",
    ("gateway", "ingestion"),
    SpanKind.SERVER,
    "A gRPC call with one request and one answer",
    ("", "ask {rpc.method}"),
    (RPC_SYSTEM, RPC_METHOD),
    (RPC_STATUS, FAULT),
)
ASK = SpanRow(
    "ask {rpc.method}",
    ("gateway",),
    SpanKind.CLIENT,
    "A gRPC call of another service",
    (REQUEST.name, CALL.name),
    (RPC_SYSTEM, RPC_METHOD),
    (RPC_STATUS,),
)
PUSH = SpanRow(
    "frames push",
    ("gateway",),
    SpanKind.CLIENT,
    "A picture that a client pushed, from its fitting until its decision came",
    ("", REQUEST.name),
    (TENANT, SESSION, PICTURES),
)
CAPTURE = SpanRow(
    "frames capture",
    ("ingestion",),
    SpanKind.PRODUCER,
    "From the capture of a turn's newest picture until its pictures were given to the bus: the trace of a turn begins",
    ("",),
    (TENANT, SESSION, SOURCE, TIME_MS, PICTURES),
)
CODE = SpanRow(
    "frames code",
    ("codec",),
    SpanKind.CONSUMER,
    "Pictures checked, coded and given to the bus",
    (CAPTURE.name, PUSH.name),
    (TENANT, SESSION, SOURCE),
    (TIME_MS, PICTURES, VISUAL_TOKENS, DROPPED),
)
TICK = SpanRow(
    "tick",
    ("interaction",),
    SpanKind.CONSUMER,
    "A turn: prompt, engine, decision, commit, publishing",
    (CODE.name,),
    (TENANT, SESSION, SOURCE, SEQUENCE, TIME_MS),
    (ACTION, DROPPED, RECALLED),
)
SUMMARISE = SpanRow(
    "block write",
    ("memory",),
    SpanKind.CONSUMER,
    "A summariser asked once for a block of memory, until its text is checked",
    ("", TICK.name, CALL.name),
    (TENANT, SESSION, SOURCE, BLOCK),
)
CHAT = SpanRow(
    "chat {gen_ai.request.model}",
    ("interaction", "memory"),
    SpanKind.CLIENT,
    "A completion asked of the engine. One that begins a trace warms the engine: it is no turn",
    ("", TICK.name, SUMMARISE.name),
    (GEN_AI_OPERATION, GEN_AI_PROVIDER, GEN_AI_MODEL, GEN_AI_MAX_TOKENS, GEN_AI_TEMPERATURE, SERVER_ADDRESS),
    (
        SERVER_PORT,
        GEN_AI_SEED,
        GEN_AI_INPUT_TOKENS,
        GEN_AI_CACHED_TOKENS,
        GEN_AI_OUTPUT_TOKENS,
        RESENT,
    ),
)
COMMIT = SpanRow(
    "turn commit",
    ("interaction",),
    SpanKind.CLIENT,
    "The turn written to Redis, with all that it tells",
    (TICK.name,),
    (DB_SYSTEM, SEQUENCE),
)
SOLVE = SpanRow(
    "task solve",
    ("brain",),
    SpanKind.CONSUMER,
    "A brain asked for the answer of a delegated question, until it is there or nobody waits for it any more",
    ("", TICK.name),
    (TENANT, SESSION, SOURCE, TASK, BRAIN),
    (OUTCOME,),
)
PUBLISH = SpanRow(
    "event publish",
    ("brain", "gateway", "ingestion", "interaction", "memory", "webhook"),
    SpanKind.PRODUCER,
    "A decision, an alert or another event, until JetStream has it on disk; below the turn that caused it, if any",
    ("", TICK.name, REQUEST.name, CALL.name, PUSH.name, SOLVE.name),
    (MESSAGING_SYSTEM, MESSAGING_OPERATION, MESSAGING_OPERATION_TYPE, MESSAGING_DESTINATION, MESSAGE_ID),
)
DELIVER = SpanRow(
    "event deliver",
    ("webhook",),
    SpanKind.CLIENT,
    "One POST of an event to an endpoint, until the head of its answer",
    ("", TICK.name, REQUEST.name, CALL.name),
    (HTTP_METHOD, SERVER_ADDRESS, ENDPOINT, MESSAGE_ID, FATE, HTTP_RESENDS),
    (HTTP_STATUS,),
)

SPANS = (REQUEST, CALL, ASK, PUSH, CAPTURE, CODE, TICK, CHAT, COMMIT, SOLVE, SUMMARISE, PUBLISH, DELIVER)
