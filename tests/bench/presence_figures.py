"""The figures of two hours of presence: prompts, tiers, ticks, bytes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.collector import Decided
from bench.load_plan import INTERVAL_MS
from bench.memory import covered_ms
from bench.statistics import Spread, Steadiness, spread, steadiness
from vigil.core.session import SessionState

_MIB = 1 << 20
_HOUR_MS = 3_600_000
_INFRASTRUCTURE = ("nats", "redis", "engine")


@dataclass(frozen=True, slots=True)
class Boundary:
    """A session soon after a chunk began. `gap_ms` is the time of which no tier knows anything. Bytes are those of its
    keys in Redis; those of the archive grow until it is full."""

    time_ms: int
    prompt_tokens: int
    memory_tokens: int
    blocks: int
    unwritten: int
    gap_ms: int
    redis_bytes: int
    archive_bytes: int


@dataclass(frozen=True, slots=True)
class Present:
    """`budget_tokens` is what Vigil reckons with when it checks the model's context; `over_budget` are the turns whose
    prompt had more, by the engine's count. `ready` and `failed` are blocks.

    Ticks are in milliseconds, from the camera's publishing to the decision: `ticks` are all, `writing` those beside
    which a block was written; `delayed` took longer than their second, `delayed_by_memory` of those beside a block.
    `firsts_cached` is how much of the prompts of first ticks of chunks the engine had, in tokens.

    `redis` is the steadiness of the bytes besides the archive, `memory_mib` that of each process's resident memory,
    both after the warm-up."""

    turns: int
    decided: int
    elapsed_s: float
    coverage_hours: float
    gaps: int
    budget_tokens: int
    prompt_tokens_max: int
    over_budget: int
    ready: int
    failed: int
    ticks: Spread
    writing: Spread | None
    firsts: Spread
    firsts_cached: float
    delayed: int
    delayed_by_memory: int
    redis: Steadiness
    redis_bytes_max: int
    memory_mib: dict[str, Steadiness]
    boundaries: tuple[Boundary, ...] = ()

    @property
    def rss_spread(self) -> float:
        """How far, at most, any service's memory was from its median after the warm-up, as a share of that."""
        return max(found.spread_share for name, found in self.memory_mib.items() if name not in _INFRASTRUCTURE)

    @property
    def boundary_ratio(self) -> float:
        """The median first tick of a chunk to the median tick."""
        return self.firsts.p50 / self.ticks.p50


@dataclass(slots=True)
class Writing:
    """When blocks were written: from the request for each to its end, in microseconds since the epoch."""

    open_us: dict[str, int] = field(default_factory=dict)
    spans_us: list[tuple[int, int]] = field(default_factory=list)
    ready: int = 0
    failed: int = 0

    def asked(self, block: str, at_us: int) -> None:
        """A block was asked for."""
        self.open_us.setdefault(block, at_us)

    def over(self, block: str, at_us: int, *, is_ready: bool) -> None:
        """It is there, or nobody writes it any more."""
        self.ready += is_ready
        self.failed += not is_ready
        self.spans_us.append((self.open_us.pop(block, at_us), at_us))

    def is_beside(self, tick: Decided) -> bool:
        """Whether a block was written during a tick."""
        began_us = tick.decision.capture_time_us
        return any(begin <= tick.arrival_us and began_us <= end for begin, end in self.spans_us)


@dataclass(slots=True)
class Watched:
    """What was noted on the way. `warm` are the samples of each process before the warm-up was over, and
    `cold_boundaries` so many boundaries; negative: it is not over yet."""

    boundaries: list[Boundary] = field(default_factory=list)
    warm: dict[str, int] = field(default_factory=dict)
    cold_boundaries: int = -1


def gap_ms(state: SessionState) -> int:
    """How much time since the session began no tier knows anything of."""
    return state.last_time_ms + INTERVAL_MS - covered_ms(state)


def present(
    turns: int,
    decided: Sequence[Decided],
    writing: Writing,
    watched: Watched,
    rss: Mapping[str, Sequence[float]],
    budget_tokens: int,
    elapsed_s: float,
) -> Present:
    """The figures. Raises `RuntimeError` when no chunk ended after the warm-up."""
    after = watched.boundaries[watched.cold_boundaries :] if watched.cold_boundaries >= 0 else []
    firsts = [tick for tick in decided if tick.decision.prefix_share < 1]
    if not after:
        raise RuntimeError(
            "no chunk ended after the warm-up: raise VIGIL_BENCH_PRESENCE_TURNS, or lower "
            "VIGIL_BENCH_PRESENCE_WARM_UP_TURNS"
        )
    beside = [tick.tick_ms for tick in decided if writing.is_beside(tick)]
    prompts = [tick.decision.prompt_tokens for tick in decided]
    last = after[-1]
    return Present(
        turns=turns,
        decided=len(decided),
        elapsed_s=round(elapsed_s, 1),
        coverage_hours=round((last.time_ms + INTERVAL_MS - last.gap_ms) / _HOUR_MS, 3),
        gaps=sum(boundary.gap_ms > 0 for boundary in watched.boundaries),
        budget_tokens=budget_tokens,
        prompt_tokens_max=max(prompts),
        over_budget=sum(tokens > budget_tokens for tokens in prompts),
        ready=writing.ready,
        failed=writing.failed,
        ticks=spread([tick.tick_ms for tick in decided]),
        writing=spread(beside) if beside else None,
        firsts=spread([tick.tick_ms for tick in firsts]),
        firsts_cached=_cached(firsts),
        delayed=sum(tick.tick_ms > INTERVAL_MS for tick in decided),
        delayed_by_memory=sum(tick_ms > INTERVAL_MS for tick_ms in beside),
        redis=steadiness([float(found.redis_bytes - found.archive_bytes) for found in after]),
        redis_bytes_max=max(found.redis_bytes for found in watched.boundaries),
        memory_mib={
            name: steadiness([used / _MIB for used in values[watched.warm.get(name, 0) :]])
            for name, values in rss.items()
        },
        boundaries=tuple(watched.boundaries),
    )


def _cached(firsts: Sequence[Decided]) -> float:
    prompts = sum(tick.decision.prompt_tokens for tick in firsts)
    return sum(tick.decision.cached_tokens for tick in firsts) / max(1, prompts)
