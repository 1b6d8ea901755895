"""A user who interrupts what a session speaks with a question, and gets the answer aloud."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bench.progress import say
from bench.speaking import LONG
from bench.speaking import SENTENCES as WORDS
from bench.speech.listener import Heard, key_of
from bench.speech.microphone import Microphone, open_microphone
from bench.speech.recognition import AFTER_S, BEFORE_S, spoken_between
from bench.speech.sounds import Samples, framed, pcm
from bench.speech.stage import TALKS, Stage, within
from bench.statistics import Spread, spread
from vigil.contract.events.envelope import decode_event
from vigil_tts.testing import session_events as events

_FIRST_TURN = 1_000_000  # of the words that are put into the model's mouth: far from its own
_SPOKEN_S = 1.0  # until the user speaks
_ANSWER_S = 15.0
_ENDS_S = 30.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """Times are in seconds, None where it did not happen. `first_audio_s`: from words on the bus to their first sound
    there; `barge_in_s`: from the first sound of the user's speech until a player is silent that pauses as soon as it is
    told that somebody speaks, as the console's does; `played_out_s`: until one is that plays all that it was sent;
    `answer_s`: from the last sound of the user's speech to the first sound of the answer."""

    first_audio_s: float | None
    barge_in_s: float | None
    played_out_s: float | None
    answer_s: float | None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Times are None where nothing of the kind happened. `tts_factor`: seconds of the processor, of worker and engine,
    for a second of sound on the bus."""

    exchanges: int
    uninterrupted: int
    unanswered: int
    first_audio_s: Spread | None
    barge_in_s: Spread | None
    played_out_s: Spread | None
    answer_s: Spread | None
    tts_factor: float


async def dialogue(stage: Stage, voices: Mapping[str, Sequence[Samples]], count: int) -> Dialogue:
    """So many exchanges; the voices of the users take turns."""
    heard = stage.listener.of[TALKS]
    questions = [spoken for together in zip(*voices.values(), strict=True) for spoken in together][:count]
    found, used_s = list[Exchange](), stage.used("tts")
    async with open_microphone(stage.listener.client, key_of(TALKS)) as microphone:
        for number, question in enumerate(questions):
            text = f"{WORDS[number % len(WORDS)]} {LONG}"
            found.append(await _exchange(stage, (microphone, heard), (number, text), question))
    factor = (stage.used("tts") - used_s) / max(1e-6, heard.spoken_us / 1e6)
    result = of_exchanges(found, round(factor, 4))
    waits = (("first audio", result.first_audio_s), ("barge-in", result.barge_in_s), ("answer", result.answer_s))
    told = ", ".join(f"{name} p50 {wait.p50:.2f} s" for name, wait in waits if wait)
    say(f"{told}; {result.unanswered} of {result.exchanges} unanswered")
    return result


def of_exchanges(exchanges: Sequence[Exchange], tts_factor: float) -> Dialogue:
    """Pure."""
    firsts, barge_ins, played_out, answers = (
        [value for value in values if value is not None] for values in zip(*map(_times, exchanges), strict=True)
    )
    return Dialogue(
        exchanges=len(exchanges),
        uninterrupted=len(exchanges) - len(barge_ins),
        unanswered=len(exchanges) - len(answers),
        first_audio_s=spread(firsts) if firsts else None,
        barge_in_s=spread(barge_ins) if barge_ins else None,
        played_out_s=spread(played_out) if played_out else None,
        answer_s=spread(answers) if answers else None,
        tts_factor=tts_factor,
    )


def _times(exchange: Exchange) -> tuple[float | None, ...]:
    return exchange.first_audio_s, exchange.barge_in_s, exchange.played_out_s, exchange.answer_s


async def _exchange(
    stage: Stage, ends: tuple[Microphone, Heard], words: tuple[int, str], question: Samples
) -> Exchange:
    microphone, heard = ends
    utterance, said_us = await _say(stage, *words)
    await within(lambda: utterance in heard.first_us, _ANSWER_S)
    first_us = heard.first_us.get(utterance)
    await asyncio.sleep(_SPOKEN_S)
    sound = framed(question, BEFORE_S, AFTER_S)
    spoke_us, end_us = spoken_between(await microphone.play(pcm(sound)), sound)
    await microphone.silent()
    await within(lambda: heard.answer_since(end_us) is not None, _ANSWER_S)
    answer_us = heard.answer_since(end_us)
    await within(partial(_is_over, heard), _ENDS_S)
    silent_us, played_us = (
        (heard.silent_after(spoke_us, utterance), heard.played_us.get(utterance))
        if heard.is_interrupted(utterance)
        else (None, None)
    )
    return Exchange(
        _s_after(said_us, first_us),
        _s_after(spoke_us, silent_us),
        _s_after(spoke_us, played_us),
        _s_after(end_us, answer_us),
    )


async def _say(stage: Stage, number: int, text: str) -> tuple[str, int]:
    """Tell the voice that the model has said this; the id of the words, and when they were published."""
    spec = (await stage.stack.store.look(key_of(TALKS))).spec
    outgoing = events.utterance(spec, _FIRST_TURN + number, text)
    said_us = time.time_ns() // 1_000
    await stage.bus.publish_stored(outgoing)
    return decode_event(outgoing.payload).id, said_us


def _s_after(begin_us: int, at_us: int | None) -> float | None:
    return None if at_us is None else (at_us - begin_us) / 1e6


def _is_over(heard: Heard) -> bool:
    """Whether all that was spoken has been heard."""
    now_us = time.time_ns() // 1_000
    return heard.ended >= heard.first_us.keys() and all(at_us < now_us for at_us in heard.played_us.values())
