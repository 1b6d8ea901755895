"""What a session's one voice says and does, as values: the words, the state that the speaking rule
(`vigil.core.speaking`) keeps of them, and what it has the voice do. Pure."""

from dataclasses import dataclass

from vigil.core.voice import SpeechCause, SpeechKind

MAX_AGE_US = 5_000_000  # from when the words were published until their first sound
VERDICT_US = 2_000_000  # after a user stopped: so long it may turn out that it was no speech to the session
VOICE_US = 30_000_000  # a user of whom nothing more is heard for so long does not speak any more


@dataclass(frozen=True, slots=True)
class Words:
    """Something to be spoken. `turn` is the sequence of the turn that said it; below 0: no turn did. `traceparent` is
    the trace that it belongs to."""

    id: str
    text: str
    kind: SpeechKind
    created_us: int
    turn: int = -1
    traceparent: str = ""

    @property
    def is_critical(self) -> bool:
        """Whether it interrupts."""
        return self.kind is SpeechKind.CRITICAL_ALERT

    def is_old(self, now_us: int) -> bool:
        """Whether it may not be begun any more."""
        return now_us - self.created_us > MAX_AGE_US


@dataclass(frozen=True, slots=True)
class Speaking:
    """`spoken` is what the voice speaks now, or has paused in; `waiting` what it speaks next.

    `user_since_us` is when the user who speaks now began; below 0: nobody speaks. `paused_us` is when the voice paused,
    or the user fell silent after that; below 0: it has not paused. `turns` are those that were spoken last.
    """

    spoken: Words | None = None
    waiting: Words | None = None
    user_since_us: int = -1
    paused_us: int = -1
    turns: tuple[int, ...] = ()

    @property
    def does_user_speak(self) -> bool:
        """Whether somebody speaks to the session now."""
        return self.user_since_us >= 0

    @property
    def is_paused(self) -> bool:
        """Whether the voice has stopped in the middle, and may go on."""
        return self.paused_us >= 0

    @property
    def due_us(self) -> int | None:
        """When `waited` is to be called, if nothing else happens before; None: never."""
        if self.does_user_speak:
            return self.user_since_us + VOICE_US
        return self.paused_us + VERDICT_US if self.is_paused else None


@dataclass(frozen=True, slots=True)
class Speak:
    """Begin to speak it. Nothing else is spoken now."""

    words: Words


@dataclass(frozen=True, slots=True)
class Pause:
    """Let no more of it be heard, but keep it."""

    words: Words


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on where it paused."""

    words: Words


@dataclass(frozen=True, slots=True)
class Ended:
    """It was spoken to its end."""

    words: Words


@dataclass(frozen=True, slots=True)
class Stopped:
    """Stop in the middle, for good: tell which part of it was heard."""

    words: Words
    cause: SpeechCause


@dataclass(frozen=True, slots=True)
class Dropped:
    """None of it is spoken: it is text only."""

    words: Words
    cause: SpeechCause


Effect = Speak | Pause | Resume | Ended | Stopped | Dropped
