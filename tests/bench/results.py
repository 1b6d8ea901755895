"""All that one run measured, its summary, and the targets it is held to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.ages import Ages, Author
from bench.alerts import Alerts
from bench.brain import Brains
from bench.camera import Watched
from bench.durability import Durability
from bench.economy import Economy
from bench.failover import Failover
from bench.faults import Faults
from bench.film_session import Mode
from bench.knee import Knee
from bench.machine import Machine
from bench.memory import SPEC, Remembered
from bench.modules import Observed
from bench.overhead import Overhead
from bench.presence_figures import Present
from bench.remembering import Remembering, Writer
from bench.rolling import Rolling
from bench.soak import Soak
from bench.speech.measure import Speech
from bench.tracing import Tracing
from bench.webrtc import Received


@dataclass(frozen=True, slots=True)
class Target:
    """A figure's limit; `at_least` says on which side of it the figure must be."""

    limit: float
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """Whether `value` keeps it."""
        return value >= self.limit if self.at_least else value <= self.limit


TARGETS: Mapping[str, Target] = {
    "overhead_p50_ms": Target(5),
    "overhead_p99_ms": Target(25),
    "sessions_sustained": Target(150, at_least=True),
    "bytes_per_100_turns": Target(6_000_000),
    "prefix_share": Target(0.97, at_least=True),
    "boundary_ratio": Target(1.5),
    "boundary_ratio_summarising": Target(1.5),
    "takeover_s": Target(3),
    "rss_spread": Target(0.05),
    "decided_share": Target(0.99, at_least=True),
    "outage_told_s": Target(10),
    "missed_in_rolling_restart": Target(0),
    "webrtc_rss_spread": Target(0.05),
    "tick_p99_ratio": Target(1.3),
    "burst_tick_p99_ratio": Target(1.3),
    "cancel_s": Target(1),
    "handover_s": Target(3),
    "memory_tick_p95_ratio": Target(1.5),
    "coverage_hours": Target(24, at_least=True),
    "memory_tokens_max": Target(SPEC.memory.most_tokens),
    "redis_spread": Target(0.05),
    "recall_at_2h": Target(0.95, at_least=True),
    "turns_over_budget": Target(0),
    "coverage_gaps": Target(0),
    "delayed_by_memory": Target(0),
    "presence_redis_spread": Target(0.05),
    "presence_rss_spread": Target(0.05),
    "wer_clean": Target(0.05),
    "final_p95_s": Target(1.2),
    "first_audio_p95_s": Target(0.9),
    "answer_p95_s": Target(1.8),
    "barge_in_p95_ms": Target(300),
    "invented_queries": Target(0),
}


@dataclass(slots=True)
class Results:
    """What was measured; a part that did not run is None."""

    machine: Machine
    versions: dict[str, str]
    overhead: Overhead | None = None
    economy: Economy | None = None
    real: Economy | None = None
    summarised: Economy | None = None
    knees: list[Knee] = field(default_factory=list)
    failover: Failover | None = None
    alerts: Alerts | None = None
    faults: Faults | None = None
    soak: Soak | None = None
    camera: Watched | None = None
    rolling: Rolling | None = None
    durability: Durability | None = None
    tracing: Tracing | None = None
    webrtc: Received | None = None
    brains: Brains | None = None
    memory: Remembered | None = None
    remembering: Remembering | None = None
    presence: Present | None = None
    ages: Ages | None = None
    speech: Speech | None = None
    modules: Observed | None = None

    def summary(self) -> dict[str, float | None]:
        """The figures by name; None for what was not measured. The boundary is the real engine's when that ran."""
        killed = [one.takeover_s for one in self.failover.handovers if one.how == "SIGKILL"] if self.failover else []
        recovered = [one.recovery_s for one in self.faults.recoveries] if self.faults else []
        boundary = self.real or self.economy or self.remembering
        overhead, alerts = self.overhead, self.alerts
        figures: dict[str, float | None] = {
            "overhead_p50_ms": overhead.overhead.p50 if overhead else None,
            "overhead_p99_ms": overhead.overhead.p99 if overhead else None,
            "sessions_sustained": max((one.sustained for one in self.knees), default=None),
            "bytes_per_100_turns": overhead.bytes_per_100_turns if overhead else None,
            "prefix_share": self.economy.prefix_share if self.economy else None,
            "boundary_ratio": boundary.boundary_ratio if boundary else None,
            "boundary_ratio_summarising": self.summarised.boundary_ratio if self.summarised else None,
            "takeover_s": max(killed, default=None),
            "event_to_alert_p50_s": alerts.event_to_alert_s.p50 if alerts else None,
            "event_to_alert_p99_s": alerts.event_to_alert_s.p99 if alerts else None,
            "recovery_s": max(recovered, default=None),
            "decided_share": self.camera.decided_share if self.camera else None,
            "outage_told_s": max(self.camera.outages_told_s, default=None) if self.camera else None,
            "missed_in_rolling_restart": self.rolling.missed_turns if self.rolling else None,
            "durability_tick_p50_added_ms": self.durability.tick_p50_added_ms if self.durability else None,
            "durability_tick_p99_added_ms": self.durability.tick_p99_added_ms if self.durability else None,
            "durability_stored_p50_added_ms": self.durability.stored_p50_added_ms if self.durability else None,
            "spans_tick_p50_added_ms": self.tracing.tick_p50_added_ms if self.tracing else None,
            "spans_cpu_added_ms": self.tracing.cpu_added_ms if self.tracing else None,
            **_of_webrtc(self.webrtc),
            **_of_brains(self.brains),
            **_of_modules(self.modules, self.brains),
            **_of_memory(self.memory),
            **_of_remembering(self.remembering),
            **_of_presence(self.presence),
            **_of_ages(self.ages),
            **_of_speech(self.speech),
            "rss_spread": self.soak.rss_spread if self.soak else None,
        }
        return {name: None if value is None else round(value, 4) for name, value in figures.items()}

    def met(self) -> dict[str, bool]:
        """Whether each target that was measured is met."""
        summary = self.summary()
        return {name: target.is_met(value) for name, target in TARGETS.items() if (value := summary[name]) is not None}


def _of_webrtc(found: Received | None) -> dict[str, float | None]:
    """Of the largest step that was sustained; None where there was none."""
    step = next((step for step in found.steps if step.clients == found.sustained), None) if found else None
    return {
        "webrtc_clients": found.sustained if found else None,
        "webrtc_core_share": step.core_share if step else None,
        "webrtc_decided_p50_ms": step.decided_ms.p50 if step else None,
        "webrtc_decided_p99_ms": step.decided_ms.p99 if step else None,
        "webrtc_rss_spread": found.rss_spread if found else None,
    }


def _of_brains(found: Brains | None) -> dict[str, float | None]:
    return {
        "tick_p99_ratio": found.tick_p99_ratio if found else None,
        "burst_tick_p99_ratio": found.burst.tick_p99_ratio if found else None,
        "cancel_s": found.toppled.cancel_s if found else None,
        "handover_s": found.toppled.handover_s if found else None,
    }


def _of_modules(found: Observed | None, brains: Brains | None) -> dict[str, float | None]:
    """Ticks beside modules to those beside none; `tick_p99_ratio` is that of brains where those were measured."""
    beside_brains = brains.tick_p99_ratio if brains else None
    return {
        "tick_p50_ratio": found.tick_p50_ratio if found else None,
        "tick_p99_ratio": found.tick_p99_ratio if found else beside_brains,
    }


def _of_remembering(found: Remembering | None) -> dict[str, float | None]:
    """With the summariser on the engine of the ticks."""
    case = found.of(Writer.ENGINE) if found else None
    return {
        "memory_tick_p95_ratio": found.tick_p95_ratio if found else None,
        "memory_boundary_cached": case.cached_share if case else None,
        "delayed_ticks": case.delayed if case else None,
    }


def _of_presence(found: Present | None) -> dict[str, float | None]:
    return {
        "presence_prompt_tokens_max": found.prompt_tokens_max if found else None,
        "turns_over_budget": found.over_budget if found else None,
        "presence_hours": found.coverage_hours if found else None,
        "coverage_gaps": found.gaps if found else None,
        "delayed_by_memory": found.delayed_by_memory if found else None,
        "presence_boundary_ratio": found.boundary_ratio if found else None,
        "presence_boundary_cached": found.firsts_cached if found else None,
        "presence_redis_spread": found.redis.spread_share if found else None,
        "presence_rss_spread": found.rss_spread if found else None,
    }


def _of_ages(found: Ages | None) -> dict[str, float | None]:
    """Questions about what happened two hours ago, with recall; and those of the exam, with memory alone."""
    shares = {author: found.near_share(author, Mode.RECALL, "2 h") if found else None for author in Author}
    exam = next((tally for tally in found.exam if tally.mode is Mode.MEMORY), None) if found else None
    return {
        "answered_at_2h": shares[Author.MODEL],
        "answered_at_2h_exact": shares[Author.EXACT],
        "exam_memory_answered": exam.near_share if exam else None,
    }


def _of_speech(found: Speech | None) -> dict[str, float | None]:
    """Times of recognition are those of clean speech."""
    clean = found.recognition.sets["clean"] if found else None
    talk = found.dialogue if found else None
    return {
        "wer_clean": clean.word_error_rate if clean else None,
        "final_p95_s": clean.final_s.p95 if clean else None,
        "first_audio_p95_s": talk.first_audio_s.p95 if talk and talk.first_audio_s else None,
        "answer_p95_s": talk.answer_s.p95 if talk and talk.answer_s else None,
        "barge_in_p95_ms": talk.barge_in_s.p95 * 1_000 if talk and talk.barge_in_s else None,
        "invented_queries": found.invented if found else None,
        "sessions_heard": found.sustained if found else None,
    }


def _of_memory(found: Remembered | None) -> dict[str, float | None]:
    return {
        "coverage_hours": found.coverage_hours if found else None,
        "prompt_tokens_max": found.prompt_tokens_max if found else None,
        "memory_tokens_max": found.memory_tokens_max if found else None,
        "redis_bytes_per_session": max(hour.redis_bytes for hour in found.hours) if found else None,
        "redis_spread": found.redis.spread_share if found else None,
        "recall_at_2h": found.recall.get("2 h") if found else None,
    }
