"""What the engine client counts. Labels never name a session."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("vigil_engine_requests", "Completions asked of the engine, by outcome", ["outcome"])
SECONDS = Histogram(
    "vigil_engine_request_seconds",
    "Round trip of a completion that succeeded",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0),
)
REQUEST_BYTES = Histogram(
    "vigil_engine_request_bytes",
    "Body of a completion request",
    buckets=tuple(float(4**power * 1024) for power in range(9)),
)
PROMPT_TOKENS = Counter("vigil_engine_prompt_tokens", "Prompt tokens of all completions")
CACHED_TOKENS = Counter("vigil_engine_cached_tokens", "Prompt tokens that the engine's prefix cache served")
RESENDS = Counter("vigil_engine_resends", "Requests sent again in full because the engine had forgotten a picture")
