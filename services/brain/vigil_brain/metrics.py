"""What the brain service counts. The operator's file bounds the number of brains."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)

WAITING = Gauge("vigil_brain_waiting", "Tasks that wait at this worker")
RUNNING = Gauge("vigil_brain_running", "Tasks that this worker works on")
PLACES = Gauge("vigil_brain_places", "Tasks that this worker may work on at once")
TASKS = Counter(
    "vigil_brain_tasks_total",
    "Tasks that are over at this worker, by what became of them: ready, error, cancelled, refused, overtaken",
    ["outcome"],
)
WAIT_SECONDS = Histogram("vigil_brain_wait_seconds", "A task opened until a worker began with it", buckets=_SECONDS)
SOLVE_SECONDS = Histogram(
    "vigil_brain_solve_seconds", "A brain began with a task until it was done with it", ["brain"], buckets=_SECONDS
)
FAILURES = Counter(
    "vigil_brain_failures_total",
    "Tries of a brain that gave no answer, by why: timeout, unavailable (tried again), failed, empty, stuck (it did "
    "not stop when told to)",
    ["brain", "reason"],
)
CANCEL_SECONDS = Histogram(
    "vigil_brain_cancel_seconds",
    "Told that nobody wants the answer until the brain had stopped",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0),
)
RECALLS = Counter(
    "vigil_brain_recalls_total",
    "Tasks that memory was recalled for, by what came of it: found, nothing, absent (no memory service listens), late "
    "(no answer within 0.5 s; the task went without), unreadable, failed",
    ["outcome"],
)
HANDED_BACK = Counter(
    "vigil_brain_handed_back_total", "Tasks put back into the stream: more urgent ones wait here, or the worker stops"
)
APPROVALS = Counter("vigil_brain_approvals_total", "Approvals that brains asked for, by decision", ["decision"])
ARTEFACTS = Counter("vigil_brain_artefacts_total", "Files that brains made: kept, or left_out", ["fate"])
EVENTS_DROPPED = Counter(
    "vigil_brain_events_dropped_total", "Events of a beginning or a progress that could not be stored", ["event"]
)
DEAD_LETTERS = Counter("vigil_brain_dead_letters_total", "Messages that are no task, put into the stream DEAD_LETTERS")
BRAINS = Gauge("vigil_brain_brains", "Brains of the file: open, or faulty (something is lacking here)", ["state"])
FILE_FAULT = Gauge("vigil_brain_file_fault", "1 while the file of brains cannot be used and what was read before holds")
