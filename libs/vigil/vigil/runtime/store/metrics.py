"""Metrics of the store. Base units, no label per session."""

from prometheus_client import Counter

RESULTS_REFUSED = Counter(
    "vigil_results_refused_total", "Results of delegated questions that found their session's inbox for them full"
)
