"""What the bridge counts. The operator's file bounds the number of endpoints."""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "vigil_webhook_attempts", "POSTs, by what became of the alert: delivered, retry or dead", ["endpoint", "fate"]
)
FILTERED = Counter("vigil_webhook_filtered", "Alert events that an endpoint did not ask for", ["endpoint"])
DEAD_LETTERS = Counter("vigil_webhook_dead_letters", "Alert events put into the stream DEAD_LETTERS", ["endpoint"])
FAILING = Gauge(
    "vigil_webhook_failing", "Tries that the alert at the head has failed; 0 when all is well", ["endpoint"]
)
SECONDS = Histogram(
    "vigil_webhook_post_seconds",
    "One POST, until its answer's head",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0),
)
