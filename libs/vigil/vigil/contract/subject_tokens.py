"""The words that stand in subjects: what travels there, and what happened."""

from enum import StrEnum

PREFIX = "vigil.v1"


class Kind(StrEnum):
    """What travels on a subject that belongs to one session; the value is its place in the subject."""

    RAW_FRAMES = "frame.raw"
    CODED_FRAMES = "frame.coded"
    FRAME_ASKED = "frame.asked"
    COMMAND = "command"
    DECISION = "decision"
    UTTERANCE = "utterance"
    TURN_DROPPED = "turn.dropped"
    SIGNALLING = "signalling"
    PREVIEW_ASKED = "preview.asked"
    PREVIEW_SHOWN = "preview.shown"
    TASK_REQUESTED = "delegation.requested"
    TASK_CANCELLING = "delegation.cancelling"
    MEMORY_REQUESTED = "memory.requested"
    MEMORY_RECALL = "memory.recall"
    AUDIO_IN = "audio.in"
    AUDIO_OUT = "audio.out"
    VOICE_ACTIVITY = "audio.activity"
    TRANSCRIPT_PARTIAL = "transcript.partial"
    TRANSCRIPT = "transcript.final"
    ANNOUNCEMENT = "announcement"


class Lifecycle(StrEnum):
    """What happened to a session."""

    REQUESTED = "requested"
    STARTED = "started"
    MOVED = "moved"
    CHANGED = "changed"
    STALLED = "stalled"  # nothing was decided for several cadences
    RECOVERED = "recovered"  # it decides again
    SOURCE_LOST = "source_lost"  # its camera shows no pictures any more
    SOURCE_BACK = "source_back"  # the camera shows pictures again
    ENDED = "ended"


class AlertAction(StrEnum):
    """What people do about an alert that is open; it changes nothing about when the alert closes."""

    ACKNOWLEDGED = "acknowledged"
    MUTED = "muted"


class DelegationEvent(StrEnum):
    """What happened to the task of a delegated question: the session opens and closes it, a brain tells of its work."""

    OPENED = "opened"
    CLOSED = "closed"
    STARTED = "started"
    PROGRESS = "progress"
    READY = "ready"
    ERROR = "error"
    CANCELLED = "cancelled"


SESSION_DELEGATIONS = (DelegationEvent.OPENED, DelegationEvent.CLOSED)
"""What the session itself tells of a task; everything else is told by the brain."""


class ApprovalEvent(StrEnum):
    """What happened to a request for an approval."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"
    EXPIRED = "expired"


class MemoryEvent(StrEnum):
    """What became of a block of a session's memory that was asked for."""

    READY = "ready"
    FAILED = "failed"


class SpeechEvent(StrEnum):
    """What happened to words that were to be spoken aloud."""

    STARTED = "started"
    ENDED = "ended"
    INTERRUPTED = "interrupted"  # a part was spoken
    DROPPED = "dropped"  # nothing was spoken: text only
