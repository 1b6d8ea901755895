"""Metrics of the store. Base units, no label per session."""

from prometheus_client import Counter, Histogram

RESULTS_REFUSED = Counter(
    "vigil_results_refused_total", "Results of delegated questions that found their session's inbox for them full"
)
COMMIT_SECONDS = Histogram(
    "vigil_store_commit_seconds",
    "One turn written to Redis, until Redis has it on disk",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
)
