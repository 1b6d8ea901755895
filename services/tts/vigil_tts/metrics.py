"""What the tts service counts. Labels never name a session."""

from prometheus_client import Counter, Histogram

_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.9, 1.5, 3.0, 5.0)

SPOKEN = Counter(
    "vigil_tts_words_total",
    "What sessions said that was to be spoken aloud, by kind (ordinary, answer, announcement, critical_alert) and by "
    "what became of it: ended (spoken to its end), or why it was not spoken or not to its end: speaking, queue_full, "
    "too_old, user_spoke, critical_alert, engine, turned_off, session_over",
    ["kind", "outcome"],
)
FIRST_AUDIO_SECONDS = Histogram(
    "vigil_tts_first_audio_seconds",
    "From when words reached this worker until their first sound was published, of those that did not wait",
    buckets=_SECONDS,
)
PAUSE_SECONDS = Histogram(
    "vigil_tts_pause_seconds",
    "From when a user began to speak, as asr tells, until the last sound before the pause has been played",
    buckets=_SECONDS,
)
RESUMED = Counter("vigil_tts_resumed_total", "Pauses that turned out to be false starts: the voice went on")
UNPUBLISHED = Counter("vigil_tts_sound_unpublished_total", "Pieces of sound that the bus did not take")
UNREADABLE = Counter("vigil_tts_unreadable_total", "Messages that could not be read", ["kind"])
LEFT_OUT = Counter(
    "vigil_tts_messages_dropped_total", "Messages to a session's voice that newer ones replaced before they were read"
)
EVENTS_LOST = Counter("vigil_tts_events_lost_total", "Events of speech that could not be stored")
ENGINE_FAILURES = Counter(
    "vigil_tts_engine_failures_total",
    "Texts of which the speech engine gave no sound, or not all, by why: timeout, silent, broken, unavailable, "
    "refused, invalid (no sound that can be played), empty, endless",
    ["kind"],
)
FIRST_SOUND_SECONDS = Histogram(
    "vigil_tts_engine_first_sound_seconds",
    "From when a sentence was given to the speech engine until its first sound",
    buckets=_SECONDS,
)
SOUND_SECONDS = Counter("vigil_tts_sound_seconds_total", "Seconds of sound that the speech engine made")
SYNTHESIS_SECONDS = Counter(
    "vigil_tts_synthesis_seconds_total", "Seconds that the speech engine took for it, waiting included"
)
IMPLAUSIBLE = Counter(
    "vigil_tts_implausible_total", "Sentences whose sound is far too fast or too slow: the sample rate may be set wrong"
)
