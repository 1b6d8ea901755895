"""What is measured and for how long. Environment variables carry the prefix `VIGIL_BENCH_`."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from vigil.core.session import MAX_PICTURES

ROOT = Path(__file__).resolve().parents[2]


class Part(StrEnum):
    """What can be measured by itself."""

    OVERHEAD = "overhead"
    ECONOMY = "economy"
    KNEE = "knee"
    FAILOVER = "failover"
    ALERTS = "alerts"
    FAULTS = "faults"
    SOAK = "soak"
    CAMERA = "camera"
    ROLLING = "rolling"
    DURABILITY = "durability"
    TRACING = "tracing"
    WEBRTC = "webrtc"
    BRAIN = "brain"
    MEMORY = "memory"
    REMEMBERING = "remembering"
    PRESENCE = "presence"
    AGES = "ages"
    SPEECH = "speech"
    MODULES = "modules"
    REAL = "real"
    SUMMARISED = "summarised"


class EngineKind(StrEnum):
    """`scripted` answers at once; `real` adds the parts with the CPU engine and the small model."""

    SCRIPTED = "scripted"
    REAL = "real"


class BenchSettings(BaseSettings):
    """Times are in seconds. Lists are JSON."""

    model_config = SettingsConfigDict(env_prefix="VIGIL_BENCH_", frozen=True, extra="forbid")

    engine: EngineKind = Field(
        default=EngineKind.SCRIPTED, description="`real` also measures the parts that need the CPU engine"
    )
    parts: tuple[Part, ...] = Field(
        default=(Part.OVERHEAD, Part.ECONOMY, Part.KNEE, Part.FAILOVER, Part.ALERTS, Part.FAULTS),
        description="What is measured, in this order",
    )
    out: Path = Field(default=ROOT / "build" / "bench", description="Folder of the figures and the report")
    sessions: int = Field(default=20, ge=1, le=1_000, description="Sessions of every part but the knee")
    turns: int = Field(default=100, ge=10, le=MAX_PICTURES, description="Turns whose overhead and bytes are measured")
    chunks: int = Field(default=10, ge=2, le=100, description="Chunks over which the prefix share is measured")
    chunk_turns: int = Field(default=100, ge=10, le=MAX_PICTURES, description="Turns of one chunk")
    economy_sessions: int = Field(default=4, ge=1, le=64, description="Sessions that run through the chunks")
    steps: tuple[int, ...] = Field(
        default=(20, 50, 100, 150, 200, 300, 400, 500, 650, 800, 1_000),
        description="Sessions of each step of the knee, ascending",
    )
    interaction_workers: tuple[int, ...] = Field(
        default=(1, 2), description="Interaction workers with which the knee is measured"
    )
    settle_s: float = Field(default=6.0, ge=0, description="Seconds of load before a step is measured")
    hold_s: float = Field(default=20.0, gt=0, description="Seconds of load while a step is measured")
    tick_limit_ms: float = Field(
        default=100.0, gt=0, description="Milliseconds of p95 up to which a step counts as sustained"
    )
    attempts: int = Field(
        default=3, ge=1, le=10, description="Tries of a step that misses the limit, for others use the machine"
    )
    faults: tuple[str, ...] = Field(default=(), description="Of the part `faults`: only these, by name; all if empty")
    soak_sessions: int = Field(default=50, ge=1, le=1_000, description="Sessions that live faster than the clock")
    soak_live_sessions: int = Field(default=5, ge=1, le=100, description="Sessions whose files ingestion plays")
    soak_turns: int = Field(default=7_200, ge=100, description="Seconds of model time of each session: two hours")
    soak_warm_up_turns: int = Field(default=1_200, ge=0, description="Turns until every log and cache is full")
    camera_minutes: float = Field(default=10.0, ge=1, le=1_440, description="Minutes over which a camera is watched")
    camera_udp: bool = Field(default=False, description="Whether that camera sends by UDP alone")
    webrtc_steps: tuple[int, ...] = Field(
        default=(1, 2, 4, 6, 8, 10, 12, 16, 20, 24), description="Clients of each step of the part `webrtc`, ascending"
    )
    webrtc_limit_ms: float = Field(
        default=500.0, gt=0, description="Milliseconds of p99 up to which so many clients count as sustained"
    )
    webrtc_warm_up_minutes: float = Field(
        default=8.0, ge=0, le=60, description="Minutes until every decoder has all the pictures that it may ever hold"
    )
    webrtc_minutes: float = Field(
        default=20.0, gt=0, le=1_440, description="Minutes after that over which their memory is watched"
    )
    memory_hours: int = Field(default=24, ge=4, le=72, description="Hours of model time that a session remembers")
    remembering_sessions: int = Field(
        default=4, ge=1, le=64, description="Sessions that remember beside the real engine"
    )
    remembering_s: float = Field(
        default=145.0, gt=0, le=3_600, description="Seconds for which they are watched with each kind of summariser"
    )
    remembering_chunk_turns: int = Field(default=50, ge=10, le=MAX_PICTURES, description="Turns of their chunks")
    presence_turns: int = Field(
        default=7_200, ge=200, le=86_400, description="Turns of the session of the part `presence`: two hours"
    )
    presence_warm_up_turns: int = Field(
        default=2_700, ge=0, description="Turns of it until every log and the pictures of its archive are full"
    )
    ages_films: int = Field(
        default=4, ge=1, le=100, description="Films of two hours, each watched by two sessions, with two facts each"
    )
    ages_questions: int = Field(
        default=5, ge=1, le=100, description="Questions on each fact of a film at each of five ages"
    )
    ages_scripts: int = Field(
        default=24, ge=1, le=1_000, description="Memory scripts of the exam whose memory line the memory service writes"
    )
    speech_folder: Path = Field(
        default=ROOT / ".venv-speech", description="Where `make speech` has installed the embedded speech engines"
    )
    speech_voice_folder: Path = Field(
        default=ROOT / "build" / "bench-voice",
        description="Where `make bench-voice` has installed a second voice, which is left out where it is not",
    )
    speech_sentences: int = Field(
        default=20, ge=2, le=20, description="Sentences that each voice speaks clean, with noise and in a room"
    )
    speech_exchanges: int = Field(
        default=20, ge=1, le=60, description="Questions by voice that interrupt the session and are answered aloud"
    )
    speech_minutes: float = Field(
        default=0.5, gt=0, le=60, description="Minutes of silence, noise, music and a television"
    )
    speech_steps: tuple[int, ...] = Field(
        default=(2, 4, 8, 12, 16, 20, 25, 30), description="Sessions of each step that listen at once, ascending"
    )
    speech_hold_s: float = Field(default=24.0, gt=0, le=600, description="Seconds for which they are spoken to")
    speech_limit_s: float = Field(
        default=1.2,
        gt=0,
        description="Seconds of p95 from the end of speech to its transcript up to which so many count",
    )
    modules_sessions: int = Field(
        default=150, ge=1, le=1_000, description="Sessions that hear one observation a second, or none"
    )
    events_per_session: int = Field(default=6, ge=1, le=100, description="Alerts that each session opens")
    real_turns: int = Field(default=300, ge=100, le=10_000, description="Turns with the real engine")
    model_dir: Path = Field(default=ROOT / "models" / "vigil-small", description="Weights that the real engine serves")
    engine_python: Path = Field(
        default=ROOT / ".venv-engine" / "bin" / "python", description="Python of the real engine's environment"
    )

    @field_validator("steps", "webrtc_steps", "speech_steps")
    @classmethod
    def _ascending(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        if list(steps) != sorted(set(steps)) or not steps or steps[0] < 1:
            raise ValueError("give the numbers in ascending order")
        return steps

    @property
    def measured(self) -> tuple[Part, ...]:
        """The parts to run, in order."""
        real = (Part.REAL, Part.SUMMARISED) if self.engine is EngineKind.REAL else ()
        return (*self.parts, *(part for part in real if part not in self.parts))
