"""What the memory service counts."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)

WAITING = Gauge("vigil_memory_waiting", "Requests for blocks that wait at this worker")
RUNNING = Gauge("vigil_memory_running", "Blocks that this worker has written at the moment")
PLACES = Gauge("vigil_memory_places", "Blocks that this worker may have written at once")
REQUESTS = Counter(
    "vigil_memory_requests_total",
    "Requests that are over at this worker, by kind (summary, merge) and by what became of them: ready, there (it was "
    "written before), late (nobody waits for it any more), gone (its pictures are, and nothing was said), failed, "
    "ended (its session is gone)",
    ["kind", "outcome"],
)
WRITE_SECONDS = Histogram(
    "vigil_memory_write_seconds", "One try of the summariser that gave a text", ["kind"], buckets=_SECONDS
)
MARGIN_SECONDS = Histogram(
    "vigil_memory_margin_seconds",
    "A block was written until the chunk begins that it is for; below 0 it waits for the chunk after",
    buckets=(-300.0, -60.0, -10.0, 0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0),
)
FAILURES = Counter(
    "vigil_memory_failures_total",
    "Tries of the summariser that gave no block, by why: timeout, unavailable, refused, invalid (no answer of such an "
    "API), empty, control (it answered in the control form), failed",
    ["reason"],
)
HANDED_BACK = Counter(
    "vigil_memory_handed_back_total", "Requests put back into the stream: earlier ones wait here, or the worker stops"
)
DEAD_LETTERS = Counter(
    "vigil_memory_dead_letters_total", "Requests that failed for good or are none, put into the stream DEAD_LETTERS"
)
