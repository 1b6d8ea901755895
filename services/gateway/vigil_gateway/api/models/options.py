"""Options of a session, in the groups of the core's `SessionSpec`; a change has groups whose fields are optional."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vigil.core.duplicate import DuplicateGuard
from vigil.core.hearing import LANGUAGE_PATTERN, MAX_WAKE_PHRASE_CHARS, Hearing, TurnTaking
from vigil.core.memory import (
    BLOCK_TOKENS,
    KEY_FRAMES,
    LEAST_LONG,
    LONG_BLOCKS,
    LONG_TOKENS,
    MID_BLOCKS,
    MemoryLimits,
)
from vigil.core.modules import MAX_NAMES, Modules
from vigil.core.session import (
    CHUNK_TURNS,
    FRAMES_PER_TURN,
    INTERVAL_MS,
    MAX_PICTURES,
    TAIL_TURNS,
    TEXT_TEMPERATURE,
    Cadence,
    ResponseMode,
    Speech,
    Window,
)
from vigil.core.source import SourceKind
from vigil.core.voice import MAX_VOICE_NAME_CHARS, SPEED, VOICE_NAME_PATTERN, Voice
from vigil_gateway.api.models.base import NO_TEXT_FLOAT, NO_TEXT_INT, Flag, Group, In, Out, TimeZone, Token, bounded

_CADENCE, _WINDOW, _SPEECH, _MEMORY = Cadence(), Window(), Speech(), MemoryLimits()
_HEARING, _VOICE, _MODULES = Hearing(), Voice(), Modules()

IntervalMs = Annotated[int, bounded(INTERVAL_MS, "Milliseconds of capture time between turns"), NO_TEXT_INT]
FramesPerTurn = Annotated[int, bounded(FRAMES_PER_TURN, "Frames sampled evenly within one turn"), NO_TEXT_INT]
ChunkTurns = Annotated[
    int,
    bounded(
        CHUNK_TURNS,
        "Turns that a prompt holds before it starts afresh; times `cadence.frames_per_turn` they may be "
        f"at most {MAX_PICTURES} pictures",
    ),
    NO_TEXT_INT,
]
TailTurns = Annotated[
    int,
    bounded(
        TAIL_TURNS,
        "Last turns that the next prompt begins with; must be less than `chunk_turns`. "
        f"Left out, it is {_WINDOW.tail_turns}, or `chunk_turns` - 1 where that is less",
    ),
    NO_TEXT_INT,
]
Mode = Annotated[ResponseMode, Field(description="How readily the model speaks")]
Guard = Annotated[
    DuplicateGuard,
    Field(
        description="Which repeats are not uttered: none, the same words within ten seconds, or also words that add "
        "nothing to them. Decisions and alerts hear them all."
    ),
]
Temperature = Annotated[
    float,
    bounded(
        TEXT_TEMPERATURE,
        "Above 0 the words of a turn that speaks are sampled, at the cost of a second request. Whether it speaks or "
        "delegates is never left to chance.",
        allow_inf_nan=False,
    ),
    NO_TEXT_FLOAT,
]
InferWhenIdle = Annotated[
    Flag,
    Field(description="Ask the model also while nothing stands and nothing was asked; false saves that work"),
]


MemoryOn = Annotated[Flag, Field(description="Whether the session remembers what has left the prompt")]
MidBlocks = Annotated[
    int, bounded(MID_BLOCKS, "Summaries that are kept; more of them are merged into one block"), NO_TEXT_INT
]
LongBlocks = Annotated[int, bounded(LONG_BLOCKS, "Merged blocks that are kept at most"), NO_TEXT_INT]
BlockTokens = Annotated[int, bounded(BLOCK_TOKENS, "Tokens that a block may have at most"), NO_TEXT_INT]
LongTokens = Annotated[
    int,
    bounded(LONG_TOKENS, f"Tokens that all merged blocks may have at most; at least {LEAST_LONG} times `block_tokens`"),
    NO_TEXT_INT,
]
KeyFrames = Annotated[
    int, bounded(KEY_FRAMES, "Pictures that stand in the prompt for a span whose summary is late"), NO_TEXT_INT
]
ZoneOfMemory = Annotated[
    TimeZone,
    Field(
        description="Where questions about the past name times of day, as the IANA names it (`Europe/Berlin`); empty: "
        "as the operator says, UTC unless changed",
    ),
]

Language = Annotated[
    str,
    Field(
        pattern=f"^{LANGUAGE_PATTERN}$",
        description="Language that is spoken, as BCP 47 writes it; empty: whichever it is",
        examples=["en"],
    ),
]
HearingOn = Annotated[
    Flag, Field(description="Whether the session is spoken to: clients may send the sound of a microphone")
]
FromSource = Annotated[
    Flag, Field(description="Whether it also hears the sound of its source; not for pushed pictures, which have none")
]
Turns = Annotated[
    TurnTaking,
    Field(
        description="Which of what was said becomes a question: all of it (`open`), what begins with the "
        "`wake_phrase` (`wake`), or what was said while the button was held (`push`)"
    ),
]
WakePhrase = Annotated[
    str,
    Field(
        max_length=MAX_WAKE_PHRASE_CHARS,
        description='The words that a question begins with where `turn_taking` is "wake"; they are not a part of it',
        examples=["hey vigil"],
    ),
]
VoiceOn = Annotated[Flag, Field(description="Whether what the session says is spoken aloud")]
VoiceName = Annotated[
    str,
    Field(
        max_length=MAX_VOICE_NAME_CHARS,
        pattern=f"^{VOICE_NAME_PATTERN}$",
        description="Name of the voice; empty: the usual one",
    ),
]
Speed = Annotated[float, bounded(SPEED, "How fast it speaks", allow_inf_nan=False), NO_TEXT_FLOAT]
ModulesOn = Annotated[Flag, Field(description="Whether the model is told what modules noticed")]
ModuleNames = Annotated[
    tuple[Token, ...],
    Field(
        max_length=MAX_NAMES,
        description="Modules of which the model is told; empty: all of the tenant",
        examples=[["faces", "zones"]],
    ),
]


class SourceIn(In):
    """The camera or file to watch, or that the client sends its pictures."""

    kind: Literal[SourceKind.PUSHED, SourceKind.WEBRTC] | None = Field(
        None,
        description="`pushed` when the client pushes each picture, `webrtc` when it publishes its camera or screen by "
        "WHIP at `/v1/sessions/{session}/whip`; left out, `url` says what the source is",
    )
    url: str = Field(
        "",
        max_length=2_048,
        description="rtsp, rtsps, http or https address, or a file; left out where the client sends the pictures. "
        "Credentials in it are never shown again.",
        examples=["rtsp://user:password@camera.local/stream1"],
    )
    id: Token | None = Field(
        None,
        description="Name of the source in alert subjects; left out, it is made from the address, or is the session's "
        "id where the client sends the pictures",
        examples=["lobby"],
    )
    name: str = Field("", max_length=200, description="Free text for people", examples=["Lobby, north door"])
    loop: Flag = Field(False, description="Start a file again when it ends")

    @model_validator(mode="after")
    def _check_kind(self) -> "SourceIn":
        if bool(self.url) == (self.kind is not None):
            raise ValueError('give the source\'s `url`, or `kind` "pushed" or "webrtc" and no `url`')
        return self


class SourceOut(Out):
    """The source, with its credentials redacted."""

    id: str
    kind: SourceKind = Field(description="How pictures reach Vigil")
    url: str = Field(description="Empty for a source whose pictures a client sends")
    name: str
    loop: bool


class CadenceGroup(Group):
    """How often the model looks."""

    interval_ms: IntervalMs = _CADENCE.interval_ms
    frames_per_turn: FramesPerTurn = _CADENCE.frames_per_turn


class WindowGroup(Group):
    """How much of the past a prompt holds. It cannot be changed while the session runs."""

    chunk_turns: ChunkTurns = _WINDOW.chunk_turns
    tail_turns: TailTurns = _WINDOW.tail_turns

    @model_validator(mode="after")
    def _with_a_tail_that_fits(self) -> Self:
        """A tail that is left out goes with the chunk that is given."""
        if "tail_turns" not in self.model_fields_set and self.tail_turns >= self.chunk_turns:
            object.__setattr__(self, "tail_turns", self.chunk_turns - 1)  # the model is frozen
        return self


class SpeechGroup(Group):
    """How the model speaks."""

    response_mode: Mode = _SPEECH.response_mode
    duplicate_guard: Guard = _SPEECH.duplicate_guard
    text_temperature: Temperature = _SPEECH.text_temperature


class MemoryGroup(Group):
    """How much is kept of what has left the prompt. It cannot be changed while the session runs."""

    is_on: MemoryOn = _MEMORY.is_on
    mid_blocks: MidBlocks = _MEMORY.mid_blocks
    long_blocks: LongBlocks = _MEMORY.long_blocks
    block_tokens: BlockTokens = _MEMORY.block_tokens
    long_tokens: LongTokens = _MEMORY.long_tokens
    key_frames: KeyFrames = _MEMORY.key_frames
    time_zone: ZoneOfMemory = _MEMORY.time_zone


class HearingGroup(Group):
    """Whether and how the session is spoken to. `from_source` cannot be changed while the session runs."""

    is_on: HearingOn = _HEARING.is_on
    from_source: FromSource = _HEARING.from_source
    turn_taking: Turns = _HEARING.turn_taking
    wake_phrase: WakePhrase = _HEARING.wake_phrase
    language: Language = _HEARING.language


class VoiceGroup(Group):
    """Whether and how the session speaks aloud."""

    is_on: VoiceOn = _VOICE.is_on
    name: VoiceName = _VOICE.name
    speed: Speed = _VOICE.speed
    language: Language = _VOICE.language


class ModulesGroup(Group):
    """Which modules the session hears."""

    is_on: ModulesOn = _MODULES.is_on
    names: ModuleNames = _MODULES.names


class CadenceChange(In):
    """What to change of the cadence; a field that is left out stays as it is."""

    interval_ms: IntervalMs | None = None
    frames_per_turn: FramesPerTurn | None = None


class SpeechChange(In):
    """What to change of how the model speaks; a field that is left out stays as it is."""

    response_mode: Mode | None = None
    duplicate_guard: Guard | None = None
    text_temperature: Temperature | None = None


class HearingChange(In):
    """What to change of how the session is spoken to; a field that is left out stays as it is. Hearing that is turned
    off is off for the sound of the source for good. A `turn_taking` that takes no wake phrase drops it."""

    is_on: HearingOn | None = None
    turn_taking: Turns | None = None
    wake_phrase: WakePhrase | None = None
    language: Language | None = None


class VoiceChange(In):
    """What to change of how the session speaks aloud, from its next words on; a field that is left out stays as it
    is."""

    is_on: VoiceOn | None = None
    name: VoiceName | None = None
    speed: Speed | None = None
    language: Language | None = None


class ModulesChange(In):
    """What to change of which modules the session hears; a field that is left out stays as it is."""

    is_on: ModulesOn | None = None
    names: ModuleNames | None = None
