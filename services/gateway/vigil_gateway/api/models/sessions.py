"""Sessions as they are asked for, changed and shown."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, JsonValue

from vigil.core.instruction import MAX_INSTRUCTIONS
from vigil_gateway.api.models.base import BrainName, In, Out, Text
from vigil_gateway.api.models.options import (
    CadenceChange,
    CadenceGroup,
    HearingChange,
    HearingGroup,
    InferWhenIdle,
    MemoryGroup,
    ModulesChange,
    ModulesGroup,
    SourceIn,
    SourceOut,
    SpeechChange,
    SpeechGroup,
    VoiceChange,
    VoiceGroup,
    WindowGroup,
)
from vigil_gateway.api.models.standing import WatchIn

_EXAMPLE: dict[str, JsonValue] = {
    "source": {"url": "rtsp://camera.local/stream1", "id": "lobby"},
    "watches": [{"name": "fire", "text": "Alert me when a fire starts.", "severity": "critical"}],
}


_BRAIN = "Name of the brain that answers its delegated questions; empty: the tenant's default"


class SessionIn(In):
    """What to watch, and how."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

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
    cadence: CadenceGroup = CadenceGroup()
    window: WindowGroup = WindowGroup()
    speech: SpeechGroup = SpeechGroup()
    memory: MemoryGroup = MemoryGroup()
    hearing: HearingGroup = HearingGroup()
    voice: VoiceGroup = VoiceGroup()
    modules: ModulesGroup = ModulesGroup()
    infer_when_idle: InferWhenIdle = True
    brain: Annotated[BrainName, Field(description=_BRAIN)] = ""
    watches: list[WatchIn] = Field(default=[], max_length=MAX_INSTRUCTIONS)
    instructions: list[Text] = Field(default=[], max_length=MAX_INSTRUCTIONS)


class SessionPatch(In):
    """What may change while a session runs; a field that is left out stays as it is."""

    cadence: CadenceChange = CadenceChange()
    speech: SpeechChange = SpeechChange()
    hearing: HearingChange = HearingChange()
    voice: VoiceChange = VoiceChange()
    modules: ModulesChange = ModulesChange()
    infer_when_idle: InferWhenIdle | None = None
    brain: Annotated[BrainName | None, Field(description=_BRAIN)] = None


class SubjectsOut(Out):
    """NATS subjects that a downstream system may subscribe to for this session."""

    alerts: str = Field(examples=["vigil.v1.alert.demo.lobby.*"])
    utterances: str
    delegations: str
    approvals: str
    lifecycle: str
    transcripts: str
    speech: str


class NoticeOut(Out):
    """Something to know about a session that runs all the same."""

    code: str = Field(examples=["source_not_rendered"], description="Stable name of the kind of notice")
    message: str = Field(description="What it means and what to do, for people")


class SessionOut(Out):
    """A session as it was asked for."""

    id: str = Field(examples=["s-5d0c6b6b4b1f4e7f9a3c"])
    state: str = Field(description="`open` or `ended`")
    ended_reason: str | None = None
    source: SourceOut
    profile: str
    model: str
    cadence: CadenceGroup
    window: WindowGroup
    speech: SpeechGroup
    memory: MemoryGroup
    hearing: HearingGroup
    voice: VoiceGroup
    modules: ModulesGroup
    infer_when_idle: bool
    brain: str = Field(description=_BRAIN)
    created_at: datetime
    subjects: SubjectsOut
    notices: list[NoticeOut] = Field(description="What to know about it all the same; empty when there is nothing")


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
            {
                "ingestion": {"state": "watching", "worker": "ingestion-1"},
                "interaction": {"state": "deciding", "worker": "interaction-1"},
            },
            {
                "ingestion": {
                    "state": "watching",
                    "worker": "ingestion-1",
                    "detail": "the camera's clock runs 2.0 % slow: its pictures are timed by this server's clock",
                    "fault": "clock_drift",
                    "drift_percent": -2.0,
                }
            },
            {
                "ingestion": {
                    "state": "reconnecting",
                    "worker": "ingestion-1",
                    "detail": "rtsp://***@camera.local/stream1 does not answer",
                    "fault": "unreachable",
                    "failures": 3,
                    "retry_s": 1.9,
                },
                "interaction": {
                    "state": "stalled",
                    "worker": "interaction-1",
                    "cause": "no_frame",
                    "detail": "rtsp://***@camera.local/stream1 does not answer",
                    "since": "2026-01-31T12:00:00.000Z",
                },
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
