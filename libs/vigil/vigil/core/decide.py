"""The decision core: `decide` before the engine, `settle` after it. Pure; the tick around it does the I/O.

    decide(state, observation)  ->  (state, Infer | None)      commands applied, chunk rotated, prompt built
    settle(state, infer, completion)  ->  Settled              turn committed, decision, utterance, alerts

`decide` changes nothing that lasts: when the engine fails, the caller keeps the state it had, and the history has no
trace of the attempt (design §1.5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vigil.core import alert as alerts
from vigil.core.alert import AlertEvent, AlertState, Moment
from vigil.core.command import Ask, Command, Reset
from vigil.core.control import Action, Output
from vigil.core.duplicate import remembered, said_before
from vigil.core.probability import Probabilities, probabilities
from vigil.core.profile import PromptProfile
from vigil.core.prompt import Asked, Message, chunk_prefix, prompt
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.turn import Exchange, FrameRef, Turn
from vigil.core.turn_input import apply


@dataclass(frozen=True, slots=True)
class Observation:
    """What a turn sees: its frames, when they were captured, what the user said since the last turn."""

    time_ms: int
    capture_time_us: int
    frames: tuple[FrameRef, ...]
    commands: tuple[Command, ...] = ()
    frames_skipped: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """What the engine answered.

    `first_token_logprobs` maps the likeliest first tokens to their natural log-probability. `request_bytes` counts
    the body of the request that was answered, `engine_ms` its round trip; `resent` says that all pictures travelled
    again.
    """

    text: str
    first_token_logprobs: Mapping[str, float]
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    request_bytes: int = 0
    engine_ms: float = 0.0
    resent: bool = False


@dataclass(frozen=True, slots=True)
class Infer:
    """Ask the engine for this turn. `restart` says that a new chunk began; `rejected` names commands that could
    not be applied, with the reason; `alert_events` came from the commands, before the model spoke."""

    messages: tuple[Message, ...]
    turn: Turn
    observation: Observation
    restart: bool
    rejected: tuple[str, ...] = ()
    alert_events: tuple[AlertEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one turn, as published. Sequences of a session are gapless and unique.

    The words of a `duplicate` were uttered a moment ago: they are not uttered again.
    """

    sequence: int
    time_ms: int
    capture_time_us: int
    output: Output
    probabilities: Probabilities | None
    completion: Completion
    frames_skipped: int
    prefix_share: float
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What the tick commits at once and then publishes."""

    state: SessionState
    decision: Decision
    alert_events: tuple[AlertEvent, ...]
    restart: bool
    consumed: int


def decide(
    spec: SessionSpec, profile: PromptProfile, state: SessionState, observation: Observation, last: Asked | None = None
) -> tuple[SessionState, Infer | None]:
    """Build the turn for `observation`. None when there is nothing to infer: the frame is not newer than the last
    turn, or the session is idle and was asked to save compute then. `last` is what was asked before, if anything: it
    changes nothing but what it costs to ask."""
    if observation.time_ms <= state.last_time_ms:
        return state, None
    if not (spec.infer_when_idle or state.instructions or observation.commands):
        return state, None
    told, queries, rejected, events = apply(state, observation.commands, _moment(spec, state, observation))
    restart = any(isinstance(one, Reset) for one in observation.commands)
    if restart or len(told.chunk.turns) >= spec.window.chunk_turns:
        told = replace(told, chunk=next_chunk(told, profile, () if restart else tail(told, spec)))
        restart = True
    restart = restart or (told.chunk.number > 0 and not told.chunk.turns)
    turn = Turn(told.next_sequence, observation.time_ms, observation.frames, reply="", queries=queries)
    messages = prompt(profile, told.chunk, turn, last)
    return told, Infer(messages, turn, observation, restart, rejected, events)


def settle(
    spec: SessionSpec, profile: PromptProfile, state: SessionState, infer: Infer, completion: Completion
) -> Settled:
    """Commit the turn that the engine answered. `state` is the one that `decide` returned with `infer`."""
    output = profile.spelling.read(completion.text)
    turn = replace(infer.turn, reply=output.reply)
    moment = _moment(spec, state, infer.observation)
    asked = any(isinstance(one, Ask) for one in infer.observation.commands)
    waiting = bool(state.dialogue) and state.dialogue[-1].answered_ms < 0
    current, events = state.alerts, infer.alert_events
    if not (asked and output.text):  # words in the turn of a question answer it: no watch spoke, nor was it quiet
        current, heard = alerts.advance(current, state.instructions, moment, output.text, answering=waiting)
        events += heard
    watch_spoke = any(one.spoken_ms == turn.time_ms for one in current)
    answers = asked or (not watch_spoke and waiting)
    opens = any(one.state is AlertState.OPENED for one in events)
    duplicate = not (answers or opens) and _is_duplicate(spec, state, output, turn.time_ms)
    uttered = "" if duplicate else output.text
    after = replace(
        state,
        next_sequence=turn.sequence + 1,
        last_time_ms=turn.time_ms,
        chunk=replace(state.chunk, turns=(*state.chunk.turns, turn)),
        alerts=current,
        dialogue=state.dialogue if watch_spoke else _answer(state.dialogue, output, turn.time_ms),
        malformed_total=state.malformed_total + bool(output.malformed),
        uttered=remembered(state.uttered, uttered, state.instructions, turn.time_ms),
    )
    decision = Decision(
        sequence=turn.sequence,
        time_ms=turn.time_ms,
        capture_time_us=infer.observation.capture_time_us,
        output=output,
        probabilities=probabilities(completion.first_token_logprobs, profile.spelling),
        completion=completion,
        frames_skipped=infer.observation.frames_skipped,
        prefix_share=0.0,
        duplicate=duplicate,
    )
    consumed = len(infer.observation.commands)
    return Settled(after, decision, events, infer.restart, consumed)


def start_over(profile: PromptProfile, state: SessionState) -> SessionState:
    """A new chunk without raw turns, for when their frames are lost everywhere: instructions and dialogue stay."""
    return replace(state, chunk=next_chunk(state, profile, ()))


def tail(state: SessionState, spec: SessionSpec) -> tuple[Turn, ...]:
    """The turns of this chunk that go along raw into the next one, as far as they are there already."""
    return state.chunk.turns[spec.window.chunk_turns - spec.window.tail_turns :]


def next_chunk(state: SessionState, profile: PromptProfile, carried: tuple[Turn, ...]) -> Chunk:
    """The chunk after this one: the `carried` turns, and a prefix that restates what was said before them."""
    first, since_ms = (state.next_sequence, state.last_time_ms + 1)
    if carried:
        first, since_ms = carried[0].sequence, carried[0].time_ms
    restated = tuple(one for one in state.instructions if one.given_at < first)
    earlier = tuple(one for one in state.dialogue if one.asked_ms < since_ms)
    return Chunk(state.chunk.number + 1, chunk_prefix(profile, restated, earlier), carried)


def make_way(profile: PromptProfile, state: SessionState) -> SessionState | None:
    """A state whose prompts are shorter, for an engine that refuses this one's for good: first without raw turns,
    then without the dialogue. None when nothing is left to go without."""
    if state.chunk.turns:
        return start_over(profile, state)
    if state.dialogue:
        return start_over(profile, replace(state, dialogue=()))
    return None


def finish(spec: SessionSpec, state: SessionState, capture_time_us: int, reason: str) -> tuple[AlertEvent, ...]:
    """The last events of a session that ends: what is open closes."""
    moment = Moment(spec.session, state.next_sequence, max(state.last_time_ms, 0), capture_time_us)
    return alerts.close_all(state.alerts, moment, reason)[1]


def _is_duplicate(spec: SessionSpec, state: SessionState, output: Output, time_ms: int) -> bool:
    """A delegation is none: its holding reply belongs to the task that it starts."""
    if output.action is not Action.SPEAK:
        return False
    return said_before(spec.speech.duplicate_guard, state.uttered, output.text, state.instructions, time_ms)


def _moment(spec: SessionSpec, state: SessionState, observation: Observation) -> Moment:
    return Moment(spec.session, state.next_sequence, observation.time_ms, observation.capture_time_us)


def _answer(dialogue: tuple[Exchange, ...], output: Output, time_ms: int) -> tuple[Exchange, ...]:
    """Words that belong to no watch answer the newest open question. A delegation without a note leaves it open."""
    if not output.text or not dialogue or dialogue[-1].answered_ms >= 0:
        return dialogue
    return (*dialogue[:-1], replace(dialogue[-1], answer=output.text, answered_ms=time_ms))


def prefix_share(last: tuple[Message, ...], new: tuple[Message, ...]) -> float:
    """The share of the last prompt's messages with which the new prompt begins unchanged; 1.0 with no last one.

    Within a chunk it is 1.0, always: the engine's prefix cache then serves all but the newest turn.
    """
    same = 0
    for before, after in zip(last, new, strict=False):
        if before is not after and before != after:
            break
        same += 1
    return same / len(last) if last else 1.0
