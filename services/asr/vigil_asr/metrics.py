"""What the asr service counts. Labels never name a session; the engine is one of a process."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)

CHUNKS_DROPPED = Counter(
    "vigil_asr_chunks_dropped_total",
    "Chunks of sound left out: replaced (newer ones came first), invalid (unreadable), unaddressed (the session wants "
    "a button held, and none was), off (hearing was turned off), stream (a session hears a few streams at once, and it "
    "was one more)",
    ["reason"],
)
HEARD_SECONDS = Counter("vigil_asr_heard_seconds_total", "Seconds of sound that were listened to", ["origin"])
OWN_VOICE_SECONDS = Counter(
    "vigil_asr_own_voice_seconds_total",
    "Seconds that sessions spoke themselves and were known for it, so as not to be taken for a user",
)
STIRRED = Counter(
    "vigil_asr_voices_total",
    "Voices that stirred, by what came of it: remark, false_start (no or hardly any speech)",
    ["outcome"],
)
REMARKS = Counter(
    "vigil_asr_remarks_total",
    "Remarks, by what became of them: query, watch, not_addressed, echo, noise, filler, refused (the session could not "
    "take the question or watch), failed (the engine gave no transcript)",
    ["became"],
)
FAILURES = Counter(
    "vigil_asr_failures_total",
    "Remarks that the engine gave no transcript of, by why: unavailable, timeout, refused, garbage, overloaded (too "
    "many of the session wait for one)",
    ["reason"],
)
PARTIALS = Counter("vigil_asr_partials_total", "Partial transcripts published")
PARTIALS_SKIPPED = Counter(
    "vigil_asr_partials_skipped_total", "Partial transcripts that the engine did not give; the next one knows more"
)
FINAL_SECONDS = Histogram(
    "vigil_asr_final_seconds", "The speaker fell silent until the final transcript was there", buckets=_SECONDS
)
FIRST_PARTIAL_SECONDS = Histogram(
    "vigil_asr_first_partial_seconds",
    "The speaker began until the first partial transcript was there",
    buckets=_SECONDS,
)
EVENTS_DROPPED = Counter(
    "vigil_asr_events_dropped_total", "Transcripts and voice activities that the bus did not take", ["event"]
)
LISTENING = Gauge("vigil_asr_remarks_open", "Remarks that are spoken or recognized now")
PAUSES = Counter(
    "vigil_asr_pauses_total",
    "Pauses that were judged (VIGIL_ASR_END_OF_TURN=semantic), by what came of it. The remark ended after the usual "
    "silence: complete (the speaker had finished), late (no answer had come), failed (there was none to be had). "
    "Judged incomplete: waited (nothing more was said), resumed (it went on where it would have ended). short: the "
    "pause was over before the remark could have ended",
    ["outcome"],
)
JUDGE_SECONDS = Histogram(
    "vigil_asr_judge_seconds",
    "A speaker paused until it was judged whether he has finished",
    buckets=(0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 1.0),
)
ENGINE_STARTS = Counter(
    "vigil_asr_engine_starts_total",
    "Starts of the processes that hear on this machine: recognizer (Whisper), turns (the judge of pauses)",
    ["process"],
)
