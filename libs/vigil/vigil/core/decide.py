"""The decision core: `decide` before the engine, `settle` after it. Pure; the tick around it does the I/O.

    decide(state, observation)  ->  (state, Infer | None)      commands applied, chunk rotated, prompt built
    settle(state, infer, completion)  ->  Settled              turn committed, decision, utterance, alerts

`decide` changes nothing that lasts: when the engine fails, the caller keeps the state it had, and the attempt leaves no
trace in the history (design §1.5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vigil.core import alert as alerts
from vigil.core.alert import AlertEvent, AlertState, Moment
from vigil.core.attribution import Said, hear
from vigil.core.chunk import next_chunk, tail
from vigil.core.command import Command
from vigil.core.control import Action, Output
from vigil.core.duplicate import remembered, said_before
from vigil.core.message import Message
from vigil.core.probability import Probabilities, probabilities
from vigil.core.profile import PromptProfile
from vigil.core.prompt import Asked, prompt
from vigil.core.session import SessionSpec, SessionState
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
    """Ask the engine for this turn. `restart` says that a new chunk began and `asked` that the turn puts a question;
    `rejected` names commands that could not be applied, with the reason; `alert_events` came from the commands, before
    the model spoke."""

    messages: tuple[Message, ...]
    turn: Turn
    observation: Observation
    restart: bool
    rejected: tuple[str, ...] = ()
    alert_events: tuple[AlertEvent, ...] = ()
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one turn, as published. Sequences of a session are gapless and unique.

    The words of a `duplicate` were uttered a moment ago, so they are not uttered again.
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
    turn, or the session is idle and was asked to save compute then. `last` is an earlier prompt, if there is one: it
    makes the new prompt cheaper to build and changes nothing in it."""
    if observation.time_ms <= state.last_time_ms:
        return state, None
    if not (spec.infer_when_idle or state.instructions or observation.commands):
        return state, None
    told = apply(state, observation.commands, _moment(spec, state, observation))
    planned, is_new = _in_chunk(spec, profile, told.state, reset=told.reset)
    turn = Turn(planned.next_sequence, observation.time_ms, observation.frames, reply="", queries=told.lines)
    messages = prompt(profile, planned.chunk, turn, last)
    return planned, Infer(messages, turn, observation, is_new, told.rejected, told.alert_events, told.asked)


def settle(
    spec: SessionSpec, profile: PromptProfile, state: SessionState, infer: Infer, completion: Completion
) -> Settled:
    """Commit the turn that the engine answered. `state` is the one that `decide` returned with `infer`."""
    output = profile.spelling.read(completion.text)
    turn = replace(infer.turn, reply=output.reply)
    said = hear(output.text, state.instructions, asked=infer.asked, waiting=_is_waiting(state.dialogue))
    current, heard = _alerts(spec, state, infer, said)
    events = infer.alert_events + heard
    duplicate = _is_duplicate(spec, state, output, said, events, turn.time_ms)
    after = replace(
        state,
        next_sequence=turn.sequence + 1,
        last_time_ms=turn.time_ms,
        chunk=replace(state.chunk, turns=(*state.chunk.turns, turn)),
        alerts=current,
        dialogue=_answered(state.dialogue, output, turn.time_ms) if said.is_answer else state.dialogue,
        malformed_total=state.malformed_total + bool(output.malformed),
        uttered=remembered(state.uttered, {} if duplicate else said.words, turn.time_ms),
    )
    decision = _decision(profile, infer, output, completion, duplicate=duplicate)
    return Settled(after, decision, events, infer.restart, len(infer.observation.commands))


def finish(spec: SessionSpec, state: SessionState, capture_time_us: int, reason: str) -> tuple[AlertEvent, ...]:
    """The last events of a session that ends: every open alert closes."""
    moment = Moment(spec.session, state.next_sequence, max(state.last_time_ms, 0), capture_time_us)
    return alerts.close_all(state.alerts, moment, reason)[1]


def _in_chunk(
    spec: SessionSpec, profile: PromptProfile, state: SessionState, *, reset: bool
) -> tuple[SessionState, bool]:
    """The state with the chunk that the next turn belongs to, and whether that turn is the first to show the chunk."""
    if reset or len(state.chunk.turns) >= spec.window.chunk_turns:
        carried = () if reset else tail(state, spec)
        return replace(state, chunk=next_chunk(state, profile, carried)), True
    return state, state.chunk.number > 0 and not state.chunk.turns


def _alerts(spec: SessionSpec, state: SessionState, infer: Infer, said: Said) -> alerts.Step:
    """The alerts after the turn. Words in the turn of a question answer it: no watch spoke, and none was quiet."""
    if said.is_prompt:
        return state.alerts, ()
    return alerts.advance(state.alerts, state.instructions, _moment(spec, state, infer.observation), said.words)


def _is_waiting(dialogue: tuple[Exchange, ...]) -> bool:
    return bool(dialogue) and dialogue[-1].answered_ms < 0


def _is_duplicate(
    spec: SessionSpec,
    state: SessionState,
    output: Output,
    said: Said,
    events: tuple[AlertEvent, ...],
    time_ms: int,
) -> bool:
    """Whether the words are not to be uttered again. Answers, delegations and words that open an alert always are."""
    opens = any(event.state is AlertState.OPENED for event in events)
    if said.is_answer or opens or output.action is not Action.SPEAK:
        return False
    return said_before(spec.speech.duplicate_guard, state.uttered, said.words, time_ms)


def _moment(spec: SessionSpec, state: SessionState, observation: Observation) -> Moment:
    return Moment(spec.session, state.next_sequence, observation.time_ms, observation.capture_time_us)


def _answered(dialogue: tuple[Exchange, ...], output: Output, time_ms: int) -> tuple[Exchange, ...]:
    """The words answer the newest question. A delegation without a note leaves it open."""
    if not output.text or not _is_waiting(dialogue):
        return dialogue
    return (*dialogue[:-1], replace(dialogue[-1], answer=output.text, answered_ms=time_ms))


def _decision(
    profile: PromptProfile, infer: Infer, output: Output, completion: Completion, *, duplicate: bool
) -> Decision:
    return Decision(
        sequence=infer.turn.sequence,
        time_ms=infer.turn.time_ms,
        capture_time_us=infer.observation.capture_time_us,
        output=output,
        probabilities=probabilities(completion.first_token_logprobs, profile.spelling),
        completion=completion,
        frames_skipped=infer.observation.frames_skipped,
        prefix_share=0.0,
        duplicate=duplicate,
    )


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
