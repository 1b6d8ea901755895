"""Is anything doubled or lost? Looked up where it counts: in the stored stream, and in what the model will be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.load_plan import INTERVAL_MS, TENANT
from bench.stack import Stack
from bench.statistics import is_gapless
from vigil.contract.decision import StoredDecision
from vigil.contract.events.envelope import CloudEvent
from vigil.core.control import Action
from vigil.core.ids import SessionKey


@dataclass(frozen=True, slots=True)
class Integrity:
    """`sequences`: every session's stored decisions are 0, 1, 2, … each once. `histories`: what the model is shown
    next ends with the last of them, has no hole, and has all of its pictures. `alerted`: the alerts that are stored
    opened and closed with the decisions that say so, each once. `faults` says in words what is not so."""

    decisions: int
    alerts: int
    sequences: bool
    histories: bool
    alerted: bool
    faults: tuple[str, ...]


async def inspect(
    stack: Stack,
    sessions: Sequence[str],
    stored: Mapping[str, Sequence[StoredDecision]],
    alerts: Sequence[CloudEvent],
) -> Integrity:
    """Compare the stored decisions of `sessions` with themselves, with the store and with the stored alerts. The load
    must have stopped, and the watch be one that neither holds nor cools down."""
    doubled = [_sequence_fault(session, stored.get(session, ())) for session in sessions]
    histories = [await _history_fault(stack, session, stored.get(session, ())) for session in sessions]
    unlike = [_alert_fault(session, stored.get(session, ()), alerts) for session in sessions]
    faults = tuple(one for one in (*doubled, *histories, *unlike) if one)
    decided = sum(map(len, stored.values()))
    return Integrity(decided, len(alerts), not any(doubled), not any(histories), not any(unlike), faults)


def alert_changes(decisions: Sequence[StoredDecision]) -> list[tuple[str, int]]:
    """What becomes of the alert of one watch without hold and cooldown: opened or closed, and when (model ms)."""
    changes, was_open = [], False
    for one in decisions:
        if (is_open := one.action is Action.SPEAK) != was_open:
            changes.append(("opened" if is_open else "closed", one.time_ms))
        was_open = is_open
    return changes


def missed_turns(decisions: Sequence[StoredDecision], since_us: int, until_us: int) -> int:
    """Turns of the clock for which no decision is stored, around the time from `since_us` to `until_us` (capture
    time, microseconds since the epoch)."""
    neighbours = pairwise(decisions)
    gaps = [
        after.time_ms // INTERVAL_MS - before.time_ms // INTERVAL_MS - 1
        for before, after in neighbours
        if after.capture_time_us > since_us and before.capture_time_us < until_us
    ]
    return sum(gaps)


def _sequence_fault(session: str, decisions: Sequence[StoredDecision]) -> str:
    sequences = [one.sequence for one in decisions]
    if not sequences:
        return f"{session} has no decision"
    if not is_gapless(sequences):
        return f"{session}: sequences {_first_break(sequences)}"
    times = [one.time_ms for one in decisions]
    return "" if times == sorted(set(times)) else f"{session}: two decisions on one second"


def _alert_fault(session: str, decisions: Sequence[StoredDecision], alerts: Sequence[CloudEvent]) -> str:
    told = [
        (one.data["state"], round(one.data["time_s"] * 1000))
        for one in alerts
        if one.data["session"] == session and one.data["state"] != "updated"
    ]
    expected = alert_changes(decisions)
    return "" if told == expected else f"{session}: alerts {told}, decisions say {expected}"


def _first_break(sequences: Sequence[int]) -> str:
    at = next(index for index, sequence in enumerate(sequences) if sequence != index)
    return f"{list(sequences[max(0, at - 2) : at + 3])} where {at} was expected"


async def _history_fault(stack: Stack, session: str, decisions: Sequence[StoredDecision]) -> str:
    key = SessionKey(TENANT, session)
    state = await stack.store.history(key)
    if state.next_sequence != len(decisions):
        return f"{session}: {state.next_sequence} turns committed, {len(decisions)} decisions stored"
    shown = [turn.sequence for turn in state.chunk.turns]
    if shown != list(range(state.next_sequence - len(shown), state.next_sequence)):
        return f"{session}: the chunk shows turns {shown[:3]} to {shown[-3:]}"
    uuids = [frame.uuid for turn in state.chunk.turns for frame in turn.frames]
    missing = len(set(uuids)) - len(await stack.store.frames(key, uuids))
    return f"{session}: {missing} pictures of the chunk are not kept" if missing else ""
