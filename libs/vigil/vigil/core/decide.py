"""The decision core: `decide` before the engine, `settle` after it. Pure; the tick around it does the I/O.

    decide(state, percept)  ->  (state, Infer | None)          commands applied, chunk rotated, prompt built
    settle(state, infer, completion)  ->  Settled              turn committed, decision, utterance, alerts

`decide` changes nothing that lasts: when the engine fails, the caller keeps the state it had, and the attempt leaves no
trace in the history (design §1.5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vigil.core import alert as alerts
from vigil.core.alert import AlertEvent, AlertState, Moment
from vigil.core.attribution import NOBODY, Said, hear
from vigil.core.chunk import Boundary, boundary, forgotten, is_full, next_chunk, tail
from vigil.core.command import Ask, Command
from vigil.core.consolidation import Asking, ahead, at_boundary
from vigil.core.control import Action, Output
from vigil.core.delegation import TASK_DEADLINE_S, TaskEnd, assignment, delegate, overdue
from vigil.core.duplicate import remembered, said_before
from vigil.core.memory import Block, MemoryRequest, Unwritten
from vigil.core.message import Message
from vigil.core.observation import Observation
from vigil.core.observed import Now, Observed, Told, observed
from vigil.core.probability import Probabilities, probabilities
from vigil.core.profile import PromptProfile
from vigil.core.prompt import Asked, prompt
from vigil.core.recall import recalled_lines
from vigil.core.session import SessionSpec, SessionState
from vigil.core.turn import Exchange, ExchangeState, FrameRef, Result, Task, Turn
from vigil.core.turn_input import TurnInput, apply

NOT_AHEAD = Asking()


@dataclass(frozen=True, slots=True)
class Percept:
    """What a turn sees: its frames, when they were captured, what the user said since the last turn, what workers found
    out for delegated questions, the `blocks` that wait for the next boundary, what memory recalled about the user's
    question, line by line, and the `observations` of modules that wait, of which the prompts tell what is `known`."""

    time_ms: int
    capture_time_us: int
    frames: tuple[FrameRef, ...]
    commands: tuple[Command, ...] = ()
    results: tuple[Result, ...] = ()
    frames_skipped: int = 0
    blocks: tuple[Block, ...] = ()
    recalled: tuple[str, ...] = ()
    observations: tuple[Observation, ...] = ()
    known: tuple[Told, ...] = ()


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
    """Ask the engine for this turn, which was told `told`, and of modules what `observed` says. `restart` says that a
    new chunk began. At a boundary all `consumed_blocks` leave their inbox; the `stale` ones among them fit nowhere into
    memory, and the summaries of `again` are asked for once more."""

    messages: tuple[Message, ...]
    turn: Turn
    percept: Percept
    restart: bool
    told: TurnInput
    observed: Observed = field(default_factory=Observed)
    consumed_blocks: int = 0
    stale: tuple[Block, ...] = ()
    again: tuple[Unwritten, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one turn, as published. Sequences of a session are gapless and unique.

    The words of a `duplicate` were uttered a moment ago, so they are not uttered again. `task` is the id of the task
    that a delegation opened, or that was to answer the same question already; empty for every other action.
    `is_answer` says that the words answer a question of the user, or delegate it. `observed` are the lines that told
    what modules noticed.
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
    task: str = ""
    is_answer: bool = False
    observed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """What the tick commits at once and then publishes. `consumed` commands, `consumed_results` results and
    `consumed_blocks` blocks leave their inboxes; `unknown` are the results among them whose task is not open, `stale`
    the blocks that fit nowhere. `memory_requests` are work for the memory service."""

    state: SessionState
    decision: Decision
    alert_events: tuple[AlertEvent, ...]
    restart: bool
    consumed: int
    consumed_results: int
    task_ends: tuple[TaskEnd, ...] = ()
    unknown: tuple[Result, ...] = ()
    consumed_blocks: int = 0
    stale: tuple[Block, ...] = ()
    memory_requests: tuple[MemoryRequest, ...] = ()

    @property
    def task_opened(self) -> Task | None:
        """The task that this turn opened; None when it delegated nothing, or a question that was on its way already."""
        return next((task for task in self.state.tasks if task.opened_ms == self.decision.time_ms), None)


def decide(
    spec: SessionSpec, profile: PromptProfile, state: SessionState, percept: Percept, last: Asked | None = None
) -> tuple[SessionState, Infer | None]:
    """Build the turn for `percept`. None when there is nothing to infer: the frame is not newer than the last
    turn, or the session is idle and was asked to save compute then. A task whose deadline has come gets a turn that
    closes it also then. `last` is an earlier prompt, if there is one: it makes the new prompt cheaper to build and
    changes nothing in it."""
    if percept.time_ms <= state.last_time_ms:
        return state, None
    if not (spec.infer_when_idle or _has_work(state, percept)):
        return state, None
    percept = _without_results_that_wait(state, percept)
    told = apply(profile, state, percept.commands, percept.results, _moment(spec, state, percept))
    crossed, is_new = _in_chunk(spec, profile, told, percept)
    planned = crossed.state if crossed else told.state
    noticed = _noticed(spec, planned, percept, since_ms=state.last_time_ms + 1 if told.reset else 0)
    turn = Turn(
        planned.next_sequence,
        percept.time_ms,
        percept.frames,
        "",
        told.lines,
        told.results,
        recalled_lines(percept.recalled),
        noticed.lines,
    )
    infer = Infer(prompt(profile, planned.chunk, turn, last), turn, percept, is_new, told, noticed)
    if crossed:
        infer = replace(infer, consumed_blocks=len(percept.blocks), stale=crossed.stale, again=crossed.again)
    return planned, infer


def settle(
    spec: SessionSpec,
    profile: PromptProfile,
    state: SessionState,
    infer: Infer,
    completion: Completion,
    asking: Asking = NOT_AHEAD,
) -> Settled:
    """Commit the turn that the engine answered. `state` is the one that `decide` returned with `infer`. `asking` says
    when memory is asked for."""
    output = profile.spelling.read(completion.text)
    turn = replace(infer.turn, reply=output.reply)
    said = hear(output.text, state.instructions, asked=infer.told.asked, waiting=_waiting(state.dialogue))
    current, heard = _alerts(spec, state, infer, said)
    events = infer.told.alert_events + heard
    replied, task, task_ends = _replied(spec, state, output, said, _exchange(state, infer, said), turn)
    duplicate = _is_duplicate(spec, state, output, said, events, turn.time_ms)
    if not duplicate:
        replied = _with_another_reply(replied, output, said, turn)
    after = replace(
        replied,
        next_sequence=turn.sequence + 1,
        last_time_ms=turn.time_ms,
        chunk=replace(state.chunk, turns=(*state.chunk.turns, turn)),
        alerts=current,
        malformed_total=state.malformed_total + bool(output.malformed),
        uttered=remembered(state.uttered, {} if duplicate else said.words, turn.time_ms),
    )
    after, requests = ahead(spec, after, asking)
    if infer.restart:
        requests += at_boundary(spec, after, infer.again, asking.now_us)
    return Settled(
        after,
        replace(_decision(profile, infer, output, completion, task, duplicate=duplicate), is_answer=said.is_answer),
        events,
        infer.restart,
        consumed=len(infer.percept.commands),
        consumed_results=len(infer.percept.results),
        task_ends=(*infer.told.task_ends, *task_ends),
        unknown=infer.told.unknown,
        consumed_blocks=infer.consumed_blocks,
        stale=infer.stale,
        memory_requests=requests,
    )


def finish(spec: SessionSpec, state: SessionState, capture_time_us: int, reason: str) -> tuple[AlertEvent, ...]:
    """The last events of a session that ends: every open alert closes."""
    moment = Moment(spec.session, state.next_sequence, max(state.last_time_ms, 0), capture_time_us)
    return alerts.close_all(state.alerts, moment, reason)[1]


def _without_results_that_wait(state: SessionState, percept: Percept) -> Percept:
    """A turn has words for one answer: results wait while the user asks something, unless a task's time is up."""
    asks = any(isinstance(command, Ask) for command in percept.commands)
    return replace(percept, results=()) if asks and not overdue(state, percept.time_ms) else percept


def _has_work(state: SessionState, percept: Percept) -> bool:
    """Whether the turn has something to watch for, to answer or to close."""
    return bool(state.instructions or percept.commands or percept.results or overdue(state, percept.time_ms))


def _in_chunk(
    spec: SessionSpec, profile: PromptProfile, told: TurnInput, percept: Percept
) -> tuple[Boundary | None, bool]:
    """The boundary before the turn with the chunk behind it, None where there is none; and whether the turn is the
    first to show its chunk. A reset forgets memory, too."""
    state = told.state
    carried: tuple[Turn, ...] = ()
    if told.reset:
        crossed = Boundary(replace(state, memory=forgotten(state)), percept.blocks)
    elif is_full(state, spec, len(percept.frames)):
        carried = tail(state, spec, min(0, spec.window.chunk_turns - len(state.chunk.turns)))
        crossed = boundary(spec, state, carried, percept.blocks)
    else:
        return None, state.chunk.number > 0 and not state.chunk.turns
    chunk = next_chunk(spec, profile, crossed.state, carried)
    return replace(crossed, state=replace(crossed.state, chunk=chunk)), True


def _noticed(spec: SessionSpec, planned: SessionState, percept: Percept, since_ms: int) -> Observed:
    """What the turn tells of modules."""
    now = Now(percept.time_ms, percept.capture_time_us, spec.cadence.interval_ms, since_ms)
    return observed(percept.observations, now, planned.chunk.turns, percept.known)


def _alerts(spec: SessionSpec, state: SessionState, infer: Infer, said: Said) -> alerts.Step:
    """The alerts after the turn. A turn that answers its question is no quiet of a watch that spoke just before it; a
    second such turn is."""
    moment = _moment(spec, state, infer.percept)
    held_ms = state.last_time_ms if said.is_prompt else -1
    return alerts.advance(state.alerts, state.instructions, moment, said.words, held_ms=held_ms)


def _waiting(dialogue: tuple[Exchange, ...]) -> str:
    """The newest question while it waits for words of the model, else nothing; one that was delegated does not wait."""
    return dialogue[-1].query if dialogue and dialogue[-1].state is ExchangeState.OPEN else ""


def _exchange(state: SessionState, infer: Infer, said: Said) -> int:
    """The place in the dialogue of the exchange that this turn's words answer; -1 for none."""
    if infer.told.asked:
        return infer.told.exchange
    return len(state.dialogue) - 1 if said.is_answer else -1


def _replied(
    spec: SessionSpec, state: SessionState, output: Output, said: Said, exchange: int, turn: Turn
) -> tuple[SessionState, str, tuple[TaskEnd, ...]]:
    """The dialogue and the tasks after the model's reply: a delegation opens a task, other words answer the exchange.
    Returns the id of the task too."""
    if output.action is Action.DELEGATE:
        deadline_ms = turn.time_ms + round(TASK_DEADLINE_S * 1000)
        brain, priority = assignment(state, exchange, said.words)
        task_id = f"{spec.session}-{turn.sequence}"
        task = Task(task_id, output.question, output.text, turn.time_ms, deadline_ms, brain or spec.brain, priority)
        state, opened, ends = delegate(state, task, exchange)
        return state, opened.id, ends
    if output.text and exchange >= 0:
        answered = state.dialogue[exchange].answered(output.text, turn.time_ms)
        dialogue = (*state.dialogue[:exchange], answered, *state.dialogue[exchange + 1 :])
        return replace(state, dialogue=dialogue), "", ()
    return state, "", ()


def _with_another_reply(state: SessionState, output: Output, said: Said, turn: Turn) -> SessionState:
    """Words that belong to no instruction, while no question is open, are one more reply to the newest question."""
    words = said.words.get(NOBODY, "")
    newest = state.dialogue[-1] if state.dialogue else None
    if said.is_answer or not words or output.action is not Action.SPEAK or newest is None or newest.answered_ms < 0:
        return state
    return replace(state, dialogue=(*state.dialogue[:-1], newest.replied(words, turn.time_ms)))


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


def _moment(spec: SessionSpec, state: SessionState, percept: Percept) -> Moment:
    return Moment(spec.session, state.next_sequence, percept.time_ms, percept.capture_time_us)


def _decision(
    profile: PromptProfile, infer: Infer, output: Output, completion: Completion, task: str, *, duplicate: bool
) -> Decision:
    return Decision(
        sequence=infer.turn.sequence,
        time_ms=infer.turn.time_ms,
        capture_time_us=infer.percept.capture_time_us,
        output=output,
        probabilities=probabilities(completion.first_token_logprobs, profile.spelling),
        completion=completion,
        frames_skipped=infer.percept.frames_skipped,
        prefix_share=0.0,
        duplicate=duplicate,
        task=task,
        observed=infer.turn.observed,
    )
