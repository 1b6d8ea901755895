"""What the bus counts. `kind` is the kind of subject, and never names a session or a tenant."""

from prometheus_client import Counter, Histogram

from vigil.contract.subject_tokens import PREFIX

PUBLISHED = Counter("vigil_bus_messages_published", "Messages given to NATS, by kind of subject", ["kind"])
PUBLISHED_BYTES = Counter("vigil_bus_published_bytes", "Their payloads", ["kind"])
STORE_SECONDS = Histogram(
    "vigil_bus_store_seconds",
    "From the publishing of a message until JetStream has it on disk",
    ["kind"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0),
)

_OF_OURS = f"{PREFIX}."
_KINDS = frozenset(
    (
        "frame",
        "command",
        "decision",
        "utterance",
        "turn",
        "alert",
        "session",
        "delegation",
        "history",
        "dlq",
        "signalling",
        "audit",
    )
)


def kind_of(subject: str) -> str:
    """The kind of a subject: one of twelve words, `other` for whatever is none of ours."""
    if not subject.startswith(_OF_OURS):
        return "other"
    kind = subject[len(_OF_OURS) :].partition(".")[0]
    return kind if kind in _KINDS else "other"


def published(subject: str, payload: bytes) -> None:
    """Count a message that was given to NATS."""
    kind = kind_of(subject)
    PUBLISHED.labels(kind).inc()
    PUBLISHED_BYTES.labels(kind).inc(len(payload))
