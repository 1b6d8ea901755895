"""What the engine client counts. `engine` is host and port; labels never name a session."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("vigil_engine_requests", "Completions asked of an engine, by outcome", ["engine", "outcome"])
SECONDS = Histogram(
    "vigil_engine_request_seconds",
    "Round trip of a completion that succeeded",
    ["engine"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0),
)
REQUEST_BYTES = Histogram(
    "vigil_engine_request_bytes",
    "Body of a completion request",
    buckets=tuple(float(4**power * 1024) for power in range(9)),
)
PROMPT_TOKENS = Counter("vigil_engine_prompt_tokens", "Prompt tokens of all completions", ["engine"])
CACHED_TOKENS = Counter("vigil_engine_cached_tokens", "Prompt tokens that the prefix cache served", ["engine"])
RESENDS = Counter(
    "vigil_engine_resends", "Requests sent again in full because the engine had forgotten a picture", ["engine"]
)
UP = Gauge("vigil_engine_up", "1 while the pool sends sessions to this engine", ["engine"])
MOVES = Counter(
    "vigil_engine_session_moves", "Sessions that went on at this engine, by why: fail_over or return", ["engine", "why"]
)
