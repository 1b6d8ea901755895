"""What travels over HTTP: the only place where pydantic models live. The descriptions are the API's manual."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from vigil.core.control import Action
from vigil.core.duplicate import DuplicateGuard
from vigil.core.instruction import MAX_INSTRUCTION_CHARS, MAX_INSTRUCTIONS, Severity
from vigil.core.session import MAX_TEMPERATURE, ResponseMode

TOKEN_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"

Text = Annotated[str, Field(min_length=1, max_length=MAX_INSTRUCTION_CHARS, pattern=r"\S")]
DaySeconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class In(BaseModel):
    """A request: unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


class Problem(Out):
    """RFC 9457 problem details, with what to do next."""

    type: str = Field(description="Stable name of the kind of problem", examples=["urn:vigil:problem:capacity_full"])
    title: str
    status: int
    detail: str = Field(description="What was wrong this time")
    next_step: str = Field(description="What to do about it")


class SourceIn(In):
    """The camera or file to watch."""

    url: str = Field(
        min_length=1,
        max_length=2_048,
        description="rtsp, rtsps, http or https address, or a file. Credentials in it are never shown again.",
        examples=["rtsp://user:password@camera.local/stream1"],
    )
    id: str | None = Field(
        None,
        pattern=TOKEN_PATTERN,
        description="Name of the camera in alert subjects; made from the address when left out",
        examples=["lobby"],
    )
    name: str = Field("", max_length=200, description="Free text for people", examples=["Lobby, north door"])
    loop: bool = Field(False, description="Start a file again when it ends")


class CadenceModel(In):
    """How often the model looks."""

    interval_ms: int = Field(default=1_000, ge=200, le=60_000, description="Milliseconds of capture time between turns")
    frames_per_turn: int = Field(default=1, ge=1, le=8, description="Frames sampled evenly within one turn")


class InstructionIn(In):
    """A standing instruction: the model keeps it in mind from its next turn on."""

    text: Text = Field(description="What to do", examples=["Greet everyone who comes in."])


class WatchIn(In):
    """A standing instruction that raises alerts (opened, updated, closed) when the model speaks under it."""

    name: str | None = Field(
        None,
        pattern=TOKEN_PATTERN,
        description="Name of the watch in its alerts; made of the words of `text` when left out",
        examples=["fire"],
    )
    text: Text = Field(description="What to watch for", examples=["Alert me when a fire starts."])
    severity: Severity = Severity.WARNING
    hold_s: DaySeconds = Field(5.0, description="Quiet seconds after which an open alert closes")
    cooldown_s: DaySeconds = Field(30.0, description="Words within this time of its closing continue the same alert")
    update_interval_s: float = Field(
        10.0, gt=0, le=86_400, allow_inf_nan=False, description="Least seconds between updates with unchanged words"
    )
    confirm_s: DaySeconds = Field(
        0.0,
        description="Seconds for which the model must go on speaking before an alert opens: takes single slips away "
        "where the model says every second what still holds, as vigil-small does; 0 for models that say it once",
    )


class SessionIn(In):
    """What to watch, and how."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": {"url": "rtsp://camera.local/stream1", "id": "lobby"},
                    "watches": [{"name": "fire", "text": "Alert me when a fire starts.", "severity": "critical"}],
                }
            ]
        }
    )

    source: SourceIn
    profile: str | None = Field(
        None,
        max_length=64,
        description="Prompt profile: the usual one when left out; another one only with another model",
    )
    model: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Model: the usual one when left out; another one is refused unless an engine here serves it",
    )
    cadence: CadenceModel = CadenceModel()
    response_mode: ResponseMode = Field(ResponseMode.BALANCED, description="How readily the model speaks")
    duplicate_guard: DuplicateGuard = Field(
        DuplicateGuard.EXACT,
        description="Which repeats are not uttered: none, the same words within ten seconds, or also words that add "
        "nothing to them. Decisions and alerts hear them all.",
    )
    text_temperature: float = Field(
        0.0,
        ge=0,
        le=MAX_TEMPERATURE,
        description="Above 0 the words of a turn that speaks are sampled, at the cost of a second request. Whether it "
        "speaks or delegates is never left to chance.",
    )
    chunk_turns: int = Field(100, ge=2, le=1_000, description="Turns that a prompt holds before it starts afresh")
    infer_when_idle: bool = Field(
        True, description="Ask the model also while nothing stands and nothing was asked; false saves that work"
    )
    watches: list[WatchIn] = Field(default=[], max_length=MAX_INSTRUCTIONS)
    instructions: list[Text] = Field(default=[], max_length=MAX_INSTRUCTIONS)


class SessionPatch(In):
    """What may change while a session runs; a field that is left out stays as it is."""

    cadence: CadenceModel | None = None
    response_mode: ResponseMode | None = None
    duplicate_guard: DuplicateGuard | None = None
    text_temperature: float | None = Field(None, ge=0, le=MAX_TEMPERATURE)
    infer_when_idle: bool | None = None


class QueryIn(In):
    """A question to the model about what it sees, answered once."""

    text: Text = Field(description="The question", examples=["How many people are in the room?"])


class Accepted(Out):
    """The command waits for the session's next turn."""

    id: str = Field(description="Id of what was accepted", examples=["q-3f9a1c20"])
    session: str


class InstructionOut(Out):
    """A standing instruction."""

    id: str
    text: str
    pending: bool = Field(description="True until a turn has shown it to the model")
    given_at: int | None = Field(description="Sequence of the turn that showed it to the model")


class WatchOut(InstructionOut):
    """A standing instruction that raises alerts."""

    name: str
    severity: Severity
    hold_s: float
    cooldown_s: float
    update_interval_s: float
    confirm_s: float


class SourceOut(Out):
    """The source, with its credentials redacted."""

    id: str
    name: str
    url: str
    loop: bool


class SubjectsOut(Out):
    """NATS subjects that a downstream system may subscribe to for this session."""

    alerts: str = Field(examples=["vigil.v1.alert.demo.lobby.*"])
    utterances: str
    lifecycle: str


class SessionOut(Out):
    """A session as it was asked for."""

    id: str = Field(examples=["s-5d0c6b6b4b1f4e7f9a3c"])
    state: str = Field(description="`open` or `ended`")
    ended_reason: str | None = None
    source: SourceOut
    profile: str
    model: str
    cadence: CadenceModel
    response_mode: ResponseMode
    duplicate_guard: DuplicateGuard
    text_temperature: float
    chunk_turns: int
    infer_when_idle: bool
    created_at: datetime
    subjects: SubjectsOut


class ProgressOut(Out):
    """How far the session has come."""

    turns: int = Field(description="Turns committed; decision sequences are 0 to turns - 1")
    time_s: float | None = Field(description="Model time of the newest turn; null before the first")
    turns_in_chunk: int
    malformed_total: int = Field(description="Model outputs that could not be read")
    alerts_open: int


class SessionDetail(SessionOut):
    """A session, how far it is, and what each role says of it."""

    progress: ProgressOut
    status: dict[str, Any] = Field(
        description="What each role last said of the session: `state`, and `detail` where there is more to say",
        examples=[
            {"ingestion": {"state": "watching", "worker": "ingestion-1"}},
            {
                "ingestion": {
                    "state": "reconnecting",
                    "worker": "ingestion-1",
                    "detail": "rtsp://***@camera.local/stream1 does not answer",
                    "fault": "unreachable",
                    "failures": 3,
                    "retry_s": 1.9,
                }
            },
        ],
    )
    workers: dict[str, str] = Field(
        description="The worker of each role that holds the session, or held it last",
        examples=[{"ingestion": "ingestion-1", "codec": "codec-1", "interaction": "interaction-1"}],
    )


class SessionList(Out):
    """The tenant's sessions, open ones and those that ended within the retention time."""

    sessions: list[SessionOut]


class InstructionList(Out):
    """Standing instructions without those that are watches."""

    instructions: list[InstructionOut]


class WatchList(Out):
    """Standing instructions that raise alerts."""

    watches: list[WatchOut]


class TurnOut(Out):
    """One committed turn."""

    sequence: int
    time_s: float = Field(description="Seconds of capture time since the session's first frame")
    action: Action
    text: str
    question: str
    reply: str = Field(description="The control form that the model's history keeps")
    queries: list[str] = Field(
        description="All that the model was newly told in this turn: what was asked, instructed, taken back"
    )


class DecisionOut(Out):
    """What the model decided in one turn: `decision` events, and `vigil` of a chat completion."""

    session: str
    sequence: int = Field(description="Number of the turn in its session, without gaps")
    time_s: float = Field(description="Model time: seconds since the session's first picture")
    capture_time: datetime
    emit_time: datetime
    latency_ms: float = Field(description="From the capture (or arrival) of the picture to the decision")
    action: Action
    spoke: bool = Field(description="Whether there are words for the user, and new ones")
    text: str = Field(description="The words; empty when silent")
    question: str = Field(description="What is handed over; empty unless the action is `delegate`")
    p: dict[str, float] | None = Field(description="Probability of each action; null when the engine gave none")
    malformed: str = Field(description="Why the model's output could not be read; such a turn is silent")
    frames_skipped: int = Field(description="Pictures skipped since the last turn because a newer one was there")
    engine_ms: float
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    request_bytes: int
    prefix_share: float = Field(description="Share of this prompt that is, byte for byte, the whole of the last one")
    duplicate: bool = Field(description="The words repeat what was uttered a moment ago: there is no utterance of them")


class ExchangeOut(Out):
    """A question and the answer to it; `answer` is empty while it is open."""

    query: str
    asked_s: float
    answer: str
    answered_s: float | None


class HistoryOut(Out):
    """The last turns, oldest first, and the dialogue."""

    session: str
    turns: list[TurnOut]
    dialogue: list[ExchangeOut]


class RoleOut(Out):
    """Capacity of one role over its live workers."""

    workers: int
    capacity: int = Field(description="Sessions that its workers can hold")
    open_sessions: int = Field(description="Sessions held, or waiting for a worker")


class HealthOut(Out):
    """How the gateway and the workers behind it are."""

    ready: bool = Field(description="The gateway serves, and its ports answer")
    takes_sessions: bool = Field(description="Every role has a live worker with room, and sources can be checked")
    checks: dict[str, str] = Field(
        description="`ok`, or what is wrong, of everything behind the gateway. Without `ingestion` no session can be "
        "created, and those that run go on: it is no part of `ready`.",
        examples=[{"nats": "ok", "redis": "ok", "ingestion": "ok"}],
    )
    capacity: dict[str, RoleOut]
