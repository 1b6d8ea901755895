"""What the bridge counts. The operator's file bounds the number of endpoints."""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "vigil_webhook_attempts", "POSTs, by what became of the event: delivered, retry or dead", ["endpoint", "fate"]
)
FILTERED = Counter("vigil_webhook_filtered", "Events that an endpoint did not ask for", ["endpoint"])
FOREIGN = Counter(
    "vigil_webhook_foreign", "Events put aside because no service of ours had stored them there", ["endpoint"]
)
CONSUMER_CHANGES = Counter(
    "vigil_webhook_consumer_changes", "Times that somebody else had changed an endpoint's consumer", ["endpoint"]
)
DEAD_LETTERS = Counter("vigil_webhook_dead_letters", "Events put into the stream DEAD_LETTERS", ["endpoint"])
FAILING = Gauge(
    "vigil_webhook_failing", "Attempts in a row at which the receiver was away; 0 when it takes events", ["endpoint"]
)
WAITING = Gauge("vigil_webhook_waiting", "Events that the receiver has not taken yet, 256 at most", ["endpoint"])
SECONDS = Histogram(
    "vigil_webhook_post_seconds",
    "One POST, until its answer's head",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0),
)
