"""What recalling counts."""

from prometheus_client import Counter, Gauge, Histogram

RECALLS = Counter(
    "vigil_memory_recalls_total",
    "Questions about the past at this worker, by what came of them: found, nothing, invalid, unavailable (the store "
    "was away, or too many were asked at once), dropped (newer ones took their place)",
    ["outcome"],
)
SECONDS = Histogram(
    "vigil_memory_recall_seconds",
    "A question came until its lines were found",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0),
)
EMBEDDINGS = Counter(
    "vigil_memory_embeddings_total",
    "Calls of the embedding model, by what came of them: answered, timeout, unavailable, refused, invalid",
    ["outcome"],
)
VECTOR_BYTES = Gauge("vigil_memory_vectors_bytes", "Vectors of sentences that this worker holds")
