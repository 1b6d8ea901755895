"""Metrics of the tick. Base units, no label per session."""

from prometheus_client import Counter, Gauge, Histogram

_TICK_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)

TICKS = Counter("vigil_ticks_total", "Turns that were decided, by action", ["action"])
TICK_SECONDS = Histogram("vigil_tick_seconds", "Frame received to decision committed", buckets=_TICK_BUCKETS)
OVERHEAD_SECONDS = Histogram(
    "vigil_tick_overhead_seconds", "The tick without the engine's time", buckets=(0.0005, 0.001, 0.002, *_TICK_BUCKETS)
)
CAPTURE_SECONDS = Histogram(
    "vigil_capture_to_decision_seconds", "Frame captured to decision committed", buckets=_TICK_BUCKETS
)
DEADLINES_MISSED = Counter("vigil_ticks_missed_deadline_total", "Ticks that took longer than the session's cadence")
CAPACITY = Gauge(
    "vigil_capacity_sessions",
    "Sessions that this worker may hold: as configured, as measured, and as the engines' picture caches allow",
    ["figure"],
)
LATE_SHARE = Gauge("vigil_late_share", "Share of the last window's turns that were late or never came")
TICKS_FAILED = Counter("vigil_ticks_failed_total", "Turns that left no trace, by reason", ["reason"])
PROMPTS_CUT = Counter(
    "vigil_prompts_cut_total",
    "Turns that went on without what the engine refused again and again, by what was left out: turns (the history of "
    "the chunk), dialogue (that too), memory (that too), waiting (what clients said), everything",
    ["left_out"],
)
STALLED = Gauge(
    "vigil_sessions_stalled",
    "Sessions of this worker that have decided nothing for several cadences, by cause",
    ["cause"],
)
STALLS = Counter("vigil_session_stalls_total", "Times that a session stalled or its cause changed, by cause", ["cause"])
MALFORMED = Counter("vigil_outputs_malformed_total", "Model outputs that could not be read and were silent", ["reason"])
FRAMES_SKIPPED = Counter("vigil_frames_skipped_total", "Frame groups that were not inferred on, by reason", ["reason"])
PREFIX_SHARE = Histogram(
    "vigil_prompt_prefix_share",
    "Share of the last prompt with which the new one begins unchanged",
    buckets=(0.0, 0.25, 0.5, 0.75, 0.9, 0.97, 0.999, 1.0),
)
PAST_CHANGED = Counter(
    "vigil_prompt_past_changed_total", "Prompts that did not begin with what the chunk's last prompt showed: a defect"
)
PROMPT_TOKENS = Counter("vigil_prompt_tokens_total", "Tokens of prompts, cached by the engine or not", ["cached"])
WORDS_NOT_SAMPLED = Counter(
    "vigil_words_not_sampled_total",
    "Turns that kept the likeliest words, for drawing others failed",
    ["reason"],
)
DUPLICATES = Counter("vigil_utterances_suppressed_total", "Utterances that repeated what was just said", ["guard"])
BOUNDARY_TOKENS = Histogram(
    "vigil_boundary_uncached_tokens",
    "Tokens of a chunk's first prompt that the engine had to compute",
    buckets=tuple(float(4**power) for power in range(2, 9)),
)
PREWARMS = Counter("vigil_prewarms_total", "Coming chunks shown to the engine before the boundary", ["outcome"])
PREWARM_TOKENS = Counter("vigil_prewarm_tokens_total", "Tokens that the engine computed for pre-warming")
MEMORY_REQUESTS = Counter(
    "vigil_session_memory_requests_total", "Blocks of memory that were asked for, by kind (summary or merge)", ["kind"]
)
MEMORY_ENTERED = Counter(
    "vigil_session_memory_entered_total",
    "Blocks of memory that entered a session at a chunk boundary, by level",
    ["level"],
)
MEMORY_STALE = Counter(
    "vigil_session_memory_stale_total", "Blocks of memory that came when no session could use them any more"
)
MEMORY_BLOCKS = Gauge(
    "vigil_session_memory_blocks", "Blocks in the memory of this worker's sessions, by level", ["level"]
)
MEMORY_UNWRITTEN = Gauge(
    "vigil_session_memory_unwritten",
    "Spans that key frames stand for in this worker's sessions: no summary is there yet",
)
RECALLS = Counter(
    "vigil_turn_recalls_total",
    "Questions for which memory was asked, by outcome: found, nothing, absent (no memory service listens), late, "
    "unreadable, failed",
    ["outcome"],
)
RECALL_SECONDS = Histogram(
    "vigil_turn_recall_seconds",
    "What a turn with a question waited for memory",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 5.0),
)
OBSERVATIONS_RECEIVED = Counter(
    "vigil_observations_received_total",
    "What modules said to sessions of this worker; sessions that hear no modules count nothing of it",
)
OBSERVATIONS_SHOWN = Counter("vigil_observations_shown_total", "Observations of modules that a turn told the model")
OBSERVATIONS_FOLDED = Counter(
    "vigil_observations_folded_total",
    "Observations of modules that said what the prompt, or a newer one, tells; one that a newer one replaces while a "
    "turn is under way with it counts here and in what became of it in that turn, so this may exceed what was received",
)
OBSERVATIONS_REFUSED = Counter(
    "vigil_observations_refused_total",
    "Observations of modules that no turn told, by reason: too_fast (beyond the module's rate, not read), "
    "too_many_modules, too_large, unreadable, foreign, out_of_bounds, not_heard (the session hears others alone), "
    "crowded, future, stale, empty, no_room (in the turn or the chunk), engine (it refused the prompt)",
    ["reason"],
)
ALERTS = Counter("vigil_alerts_total", "Alert events, by state", ["state"])
COMMANDS_REJECTED = Counter("vigil_commands_rejected_total", "Commands that could not be applied")
TASKS_CLOSED = Counter("vigil_tasks_closed_total", "Delegated questions that closed, by outcome", ["outcome"])
RESULTS_DROPPED = Counter(
    "vigil_results_dropped_total",
    "Results of delegated questions that no turn could use: unknown (no such task is open) or refused by the engine",
    ["reason"],
)
OUTBOX = Gauge("vigil_outbox_messages", "Committed messages that JetStream has not stored yet, over all sessions")
