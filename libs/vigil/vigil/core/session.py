"""What a session is asked to be, and the state that a worker carries from turn to turn."""

from dataclasses import dataclass, field
from enum import StrEnum

from vigil.core.alert import Alert
from vigil.core.bounds import Bounds
from vigil.core.duplicate import DuplicateGuard, Utterances
from vigil.core.errors import InvalidSpec
from vigil.core.hearing import Hearing
from vigil.core.ids import SessionKey, brain_name, token
from vigil.core.instruction import Instructions
from vigil.core.memory import Memory, MemoryLimits
from vigil.core.message import Image, Parts
from vigil.core.modules import Modules
from vigil.core.source import Role, Source, SourceKind
from vigil.core.turn import Exchange, FrameRef, Task, Turn
from vigil.core.voice import Voice

DEFAULT_CHUNK_TURNS = 100
MAX_PICTURES = 250  # in one chunk; the engine is started for 256 in one prompt

INTERVAL_MS = Bounds(200, 60_000, "milliseconds")
FRAMES_PER_TURN = Bounds(1, 8)
CHUNK_TURNS = Bounds(2, MAX_PICTURES)
TAIL_TURNS = Bounds(0, MAX_PICTURES - 1)
TEXT_TEMPERATURE = Bounds(0, 2)


class ResponseMode(StrEnum):
    """How readily the model speaks: a bias on the control token, never a rewrite of the prompt."""

    RESERVED = "reserved"
    BALANCED = "balanced"
    TALKATIVE = "talkative"


@dataclass(frozen=True, slots=True)
class Cadence:
    """`interval_ms` between turns and `frames_per_turn` sampled evenly within one."""

    interval_ms: int = 1_000
    frames_per_turn: int = 1

    def __post_init__(self) -> None:
        INTERVAL_MS.check("cadence.interval_ms", self.interval_ms)
        FRAMES_PER_TURN.check("cadence.frames_per_turn", self.frames_per_turn)


@dataclass(frozen=True, slots=True)
class Window:
    """How much of the past a prompt holds: `chunk_turns` turns, then a new chunk begins with the last `tail_turns`.

    With memory it begins with those since the summary was asked for, see `consolidation`: up to half a chunk."""

    chunk_turns: int = DEFAULT_CHUNK_TURNS
    tail_turns: int = 9

    def __post_init__(self) -> None:
        CHUNK_TURNS.check("window.chunk_turns", self.chunk_turns)
        TAIL_TURNS.check("window.tail_turns", self.tail_turns)
        if self.tail_turns >= self.chunk_turns:
            raise InvalidSpec(
                f"window.tail_turns is {self.tail_turns}: give less than window.chunk_turns, "
                f"which is {self.chunk_turns}"
            )


@dataclass(frozen=True, slots=True)
class Speech:
    """How the model speaks. Decisions are always the likeliest; above a `text_temperature` of 0 the words of a turn
    that speaks are sampled."""

    response_mode: ResponseMode = ResponseMode.BALANCED
    duplicate_guard: DuplicateGuard = DuplicateGuard.EXACT
    text_temperature: float = 0.0

    def __post_init__(self) -> None:
        TEXT_TEMPERATURE.check("speech.text_temperature", self.text_temperature)


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """What a client asked for, in groups of options that belong together. `roles` are the workers that it needs.
    `brain` names who answers its delegated questions; empty: the tenant's default."""

    tenant: str
    session: str
    source: Source
    profile: str
    model: str
    cadence: Cadence = field(default_factory=Cadence)
    window: Window = field(default_factory=Window)
    speech: Speech = field(default_factory=Speech)
    memory: MemoryLimits = field(default_factory=MemoryLimits)
    infer_when_idle: bool = True
    created_us: int = 0
    brain: str = ""
    hearing: Hearing = field(default_factory=Hearing)
    voice: Voice = field(default_factory=Voice)
    modules: Modules = field(default_factory=Modules)

    def __post_init__(self) -> None:
        token(self.tenant, "tenant")
        token(self.session, "session")
        brain_name(self.brain)
        if self.hearing.from_source and self.source.kind is SourceKind.PUSHED:
            raise InvalidSpec(
                "hearing.from_source is true and pushed pictures have no sound: leave it out; the session hears the "
                "microphone that a client sends"
            )
        pictures = self.window.chunk_turns * self.cadence.frames_per_turn
        if pictures > MAX_PICTURES:
            raise InvalidSpec(
                f"window.chunk_turns {self.window.chunk_turns} times cadence.frames_per_turn "
                f"{self.cadence.frames_per_turn} is {pictures} pictures in one prompt: at most {MAX_PICTURES} are "
                "allowed, lower one of the two"
            )

    @property
    def key(self) -> SessionKey:
        """The session's key."""
        return SessionKey(self.tenant, self.session)

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that a worker is needed for before the session is opened: those of its source, and those of speech
        when it hears or speaks. Whether it is watched depends on `source.roles` alone."""
        hears = (Role.ASR,) if self.hearing.is_on else ()
        speaks = (Role.TTS,) if self.voice.is_on else ()
        return (*self.source.roles, *hears, *speaks)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The turns that a prompt holds, after a prefix that stays as it is for the whole chunk. The first user message of
    the chunk begins with the prefix.

    `began_at` is the sequence of the first turn that was asked in this chunk: earlier ones in it are carried from the
    chunk before. It is negative where that is not known, for an older release began the chunk.
    """

    number: int = 0
    prefix: Parts = ()
    turns: tuple[Turn, ...] = ()
    began_at: int = -1

    def has_asked(self, sequence: int) -> bool:
        """Whether the turn of that sequence was asked with a prompt of this chunk, as far as that is known."""
        began_at = self.began_at if self.number else 0
        return 0 <= began_at <= sequence and any(turn.sequence == sequence for turn in self.turns)

    @property
    def frames(self) -> tuple[FrameRef, ...]:
        """Every frame that the prompts of this chunk show."""
        pictured = [part.ref for part in self.prefix if isinstance(part, Image)]
        return (*pictured, *(frame for turn in self.turns for frame in turn.frames))


@dataclass(frozen=True, slots=True)
class SessionState:
    """All that the next turn depends on. Every collection in it is bounded."""

    next_sequence: int = 0
    last_time_ms: int = -1
    chunk: Chunk = field(default_factory=Chunk)
    instructions: Instructions = ()
    alerts: tuple[Alert, ...] = ()
    dialogue: tuple[Exchange, ...] = ()
    tasks: tuple[Task, ...] = ()
    malformed_total: int = 0
    uttered: Utterances = ()
    memory: Memory = field(default_factory=Memory)
