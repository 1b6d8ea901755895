"""The speaking rule (paper §4.2): what a session's one voice does with what the model says, with alerts, and with a
user who speaks himself. Pure: time is an argument, and what is to be done is returned.

- There is one voice, and never a backlog. What the model says by itself while the voice speaks stays text.
- An answer to the user waits for its turn, and so does an announcement of an operator. One thing waits at most, and a
  newer one takes its place.
- A critical alert interrupts. While another critical alert is spoken it waits, in front of every answer.
- What is older than `MAX_AGE_US` is not begun any more.
- A user who speaks stops the voice at once. It goes on when that was a false start and ends when it was speech.

Whatever is offered comes to exactly one end: `Ended`, `Stopped` or `Dropped`. Only words of a turn that was offered
before and is spoken, was, or waits, are passed over without one: an utterance and an alert may tell of one turn.
"""

from dataclasses import replace

from vigil.core.speech import (
    Dropped,
    Effect,
    Ended,
    Pause,
    Resume,
    Speak,
    Speaking,
    Stopped,
    Words,
)
from vigil.core.voice import SpeechCause, SpeechKind

MAX_TURNS = 16  # of those that were spoken last

Step = tuple[Speaking, tuple[Effect, ...]]


def offered(state: Speaking, words: Words, now_us: int) -> Step:
    """The model said something, or an alert opened."""
    if words.turn >= 0 and words.turn in state.turns:
        return _known(state, words)
    if cause := _refusal(state, words, now_us):
        return state, (Dropped(words, cause),)
    if words.turn >= 0 and state.waiting is not None and state.waiting.turn == words.turn:
        if not words.is_critical:
            return state, ()
        state = replace(state, waiting=None)
    if words.is_critical:
        return _interrupted(state, words)
    if state.spoken is None and not state.does_user_speak:
        return _speak(state, words)
    return _queued(state, words)


def finished(state: Speaking, now_us: int) -> Step:
    """The last sound of what was spoken has been heard."""
    if state.spoken is None:
        return state, ()
    return _then_next(_silent(state), (Ended(state.spoken),), now_us)


def failed(state: Speaking, now_us: int, *, was_heard: bool) -> Step:
    """The speech engine gives no more sound of what is spoken. `was_heard` says whether it gave any."""
    return _lost(state, SpeechCause.ENGINE, now_us, was_heard=was_heard)


def late(state: Speaking, now_us: int) -> Step:
    """What is to be spoken has become old before its first sound came."""
    return _lost(state, SpeechCause.TOO_OLD, now_us, was_heard=False)


def user_started(state: Speaking, now_us: int) -> Step:
    """The user began to speak: the voice pauses. An alert that began while he spoke already goes on."""
    if state.does_user_speak:
        return state, ()
    state = replace(state, user_since_us=now_us)
    if state.spoken is None:
        return state, ()
    pause = () if state.is_paused else (Pause(state.spoken),)
    return replace(state, paused_us=now_us), pause


def user_stopped(state: Speaking, now_us: int) -> Step:
    """The user fell silent. What he said is not known yet; it may have been nothing to this session."""
    state = replace(state, user_since_us=-1)
    if state.is_paused:
        return replace(state, paused_us=now_us), ()
    return _then_next(state, (), now_us)


def user_said(state: Speaking, now_us: int) -> Step:
    """What the user said is known, and was said to the session: what he interrupted ends, and an answer that waits is
    not to this."""
    state = replace(state, user_since_us=-1)
    waiting = state.waiting
    if waiting is None or waiting.kind is not SpeechKind.ANSWER:
        return _given_up(state, now_us)
    state, effects = _given_up(replace(state, waiting=None), now_us)
    return state, (*effects, Dropped(waiting, SpeechCause.USER_SPOKE))


def false_start(state: Speaking, now_us: int) -> Step:
    """Nobody spoke to the session: the voice goes on where it paused."""
    state = replace(state, user_since_us=-1)
    if state.spoken is not None and state.is_paused:
        return replace(state, paused_us=-1), (Resume(state.spoken),)
    return _then_next(state, (), now_us)


def waited(state: Speaking, now_us: int) -> Step:
    """`due_us` has come. Nobody told what became of the user's speech, so what it interrupted ends."""
    if state.due_us is None or now_us < state.due_us:
        return state, ()
    return _given_up(replace(state, user_since_us=-1), now_us)


def over(state: Speaking, cause: SpeechCause = SpeechCause.SESSION_OVER) -> Step:
    """The session has ended, or is not to speak any more."""
    stopped = () if state.spoken is None else (Stopped(state.spoken, cause),)
    dropped = () if state.waiting is None else (Dropped(state.waiting, cause),)
    return replace(_silent(state), waiting=None), (*stopped, *dropped)


def _refusal(state: Speaking, words: Words, now_us: int) -> SpeechCause | None:
    """Why it is neither spoken nor kept; None: it is."""
    if words.is_old(now_us):
        return SpeechCause.TOO_OLD
    if words.kind is not SpeechKind.ORDINARY:
        return None
    if state.does_user_speak or state.is_paused:
        return SpeechCause.USER_SPOKE
    return None if state.spoken is None else SpeechCause.SPEAKING


def _known(state: Speaking, words: Words) -> Step:
    """The voice speaks these words already, or has: they only become as urgent as an alert is."""
    spoken = state.spoken
    if spoken is None or spoken.turn != words.turn or not words.is_critical:
        return state, ()
    urgent = replace(spoken, kind=SpeechKind.CRITICAL_ALERT)
    resume = (Resume(urgent),) if state.is_paused else ()
    return replace(state, spoken=urgent, paused_us=-1), resume


def _interrupted(state: Speaking, alert: Words) -> Step:
    """Speak the alert at once, also while the user speaks; let it wait while another alert is spoken."""
    spoken = state.spoken
    if spoken is None:
        return _speak(state, alert)
    if spoken.is_critical and not state.is_paused:
        return _queued(state, alert)
    return _speak(_silent(state), alert, (Stopped(spoken, SpeechCause.CRITICAL_ALERT),))


def _queued(state: Speaking, words: Words) -> Step:
    before = state.waiting
    if before is None:
        return replace(state, waiting=words), ()
    if before.is_critical and not words.is_critical:
        return state, (Dropped(words, SpeechCause.QUEUE_FULL),)
    return replace(state, waiting=words), (Dropped(before, SpeechCause.QUEUE_FULL),)


def _speak(state: Speaking, words: Words, effects: tuple[Effect, ...] = ()) -> Step:
    turns = (*state.turns, words.turn)[-MAX_TURNS:] if words.turn >= 0 else state.turns
    return replace(state, spoken=words, turns=turns), (*effects, Speak(words))


def _then_next(state: Speaking, effects: tuple[Effect, ...], now_us: int) -> Step:
    """Go on with what waits, unless somebody speaks."""
    waiting = state.waiting
    if waiting is None or state.spoken is not None:
        return state, effects
    if waiting.is_old(now_us):
        return replace(state, waiting=None), (*effects, Dropped(waiting, SpeechCause.TOO_OLD))
    if state.does_user_speak and not waiting.is_critical:
        return state, effects
    return _speak(replace(state, waiting=None), waiting, effects)


def _given_up(state: Speaking, now_us: int) -> Step:
    """What has paused ends. What goes on, an alert that the user spoke over from the start, is spoken to its end."""
    if state.spoken is None or not state.is_paused:
        return _then_next(state, (), now_us)
    return _then_next(_silent(state), (Stopped(state.spoken, SpeechCause.USER_SPOKE),), now_us)


def _lost(state: Speaking, cause: SpeechCause, now_us: int, *, was_heard: bool) -> Step:
    spoken = state.spoken
    if spoken is None:
        return state, ()
    if was_heard:
        return _then_next(_silent(state), (Stopped(spoken, cause),), now_us)
    unheard = replace(_silent(state), turns=tuple(turn for turn in state.turns if turn != spoken.turn))
    return _then_next(unheard, (Dropped(spoken, cause),), now_us)


def _silent(state: Speaking) -> Speaking:
    return replace(state, spoken=None, paused_us=-1)
