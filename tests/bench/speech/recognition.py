"""Sentences that synthetic voices speak, clean, with noise and in a room: what of them is understood, and when."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.progress import say
from bench.speech.listener import Heard, key_of
from bench.speech.microphone import Microphone, after_us, open_microphone
from bench.speech.sounds import Samples, framed, in_a_room, noisy, pcm
from bench.speech.stage import HEARS, Stage, within
from bench.speech.words import word_error_rate
from bench.statistics import Spread, spread
from vigil.contract.audio import VoiceState
from vigil.core.hearing import Became
from vigil.core.sound import SAMPLE_RATE_HZ

BEFORE_S, AFTER_S = 0.3, 0.9
NOISE_DB = 10.0
FINAL_S = 10.0  # after the end of speech; what is not understood by then is not
SETS: Mapping[str, Callable[[Samples, int], Samples]] = {
    "clean": lambda sound, _: sound,
    "noise": lambda sound, seed: noisy(sound, NOISE_DB, seed),
    "room": in_a_room,
}
_TAKEN = (Became.QUERY, Became.WATCH, Became.NOT_ADDRESSED)


@dataclass(frozen=True, slots=True)
class Take:
    """One sentence of one voice. `understood` are the words that became a question or a watch, or would have; times are
    in seconds, None where nothing came: `first_partial_s` from the first sound of speech, `final_s` from its last."""

    voice: str
    said: str
    understood: str
    became: tuple[str, ...]
    first_partial_s: float | None
    final_s: float | None


@dataclass(frozen=True, slots=True)
class SetResult:
    """All takes of a set. `unheard` had no final transcript after the end of speech. `became` counts what became of the
    remarks, `slips` are the sentences that were not understood word for word."""

    sentences: int
    word_error_rate: float
    by_voice: dict[str, float]
    unheard: int
    became: dict[str, int]
    first_partial_s: Spread
    final_s: Spread
    slips: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Recognition:
    """`asr_factor`: seconds of the processor, of worker and engine, for a second of sound."""

    sets: dict[str, SetResult]
    asr_factor: float


async def recognition(stage: Stage, voices: Mapping[str, Sequence[Samples]], sentences: Sequence[str]) -> Recognition:
    """Each set in turn. Raises `RuntimeError` when not one sentence is understood."""
    heard = stage.listener.of[HEARS]
    async with open_microphone(stage.listener.client, key_of(HEARS)) as microphone:
        await _warm(microphone, heard, next(iter(voices.values()))[0])
        used_s, sound_s, found = stage.used("asr"), 0.0, dict[str, SetResult]()
        for name, changed in SETS.items():
            takes: list[Take] = []
            for voice, spoken in voices.items():
                for number, sentence in enumerate(sentences):
                    sound = changed(framed(spoken[number], BEFORE_S, AFTER_S), number)
                    sound_s += len(sound) / SAMPLE_RATE_HZ
                    takes.append(await take(microphone, heard, (voice, sentence), sound))
            found[name] = of_set(takes)
            say(f"{name}: word error rate {found[name].word_error_rate:.3f}, final p50 {found[name].final_s.p50:.2f} s")
    return Recognition(found, round((stage.used("asr") - used_s) / sound_s, 4))


async def _warm(microphone: Microphone, heard: Heard, spoken: Samples) -> None:
    """The engine has loaded its weights once a sentence was understood."""
    await microphone.play(pcm(framed(spoken, BEFORE_S, AFTER_S)))
    if not await within(lambda: bool(heard.finals), 90):
        raise RuntimeError("not within 90 s: the first sentence is understood")


async def take(microphone: Microphone, heard: Heard, what: tuple[str, str], sound: Samples) -> Take:
    """Play a sentence, which has `BEFORE_S` and `AFTER_S` around it, and wait until it is understood."""
    voice, sentence = what
    mark = heard.mark()
    spoke_us, end_us = spoken_between(await microphone.play(pcm(sound)), sound)
    await microphone.silent()
    await within(lambda: is_understood(heard.since(mark), end_us), FINAL_S)
    told = heard.since(mark)
    late = [final.at_us for final in told.finals if final.at_us >= end_us]
    return Take(
        voice,
        sentence,
        " ".join(final.data["text"] for final in told.finals if final.data["became"] in _TAKEN),
        tuple(final.data["became"] for final in told.finals),
        (told.partials[0].at_us - spoke_us) / 1e6 if told.partials else None,
        (late[-1] - end_us) / 1e6 if late else None,
    )


def spoken_between(begun_us: int, sound: Samples) -> tuple[int, int]:
    """When its speech begins and ends, of sound that begins then."""
    before, after = round(BEFORE_S * SAMPLE_RATE_HZ), round(AFTER_S * SAMPLE_RATE_HZ)
    return after_us(begun_us, before), after_us(begun_us, len(sound) - after)


def is_understood(heard: Heard, end_us: int) -> bool:
    """Whether all remarks are over, and each is understood, the last one after the end of speech. Pure."""
    states, finals = [activity.state for _, activity in heard.activities], heard.finals
    is_silent = bool(states) and states[-1] is not VoiceState.STARTED
    return (
        is_silent and any(told.at_us >= end_us for told in finals) and len(finals) >= states.count(VoiceState.STOPPED)
    )


def of_set(takes: Sequence[Take]) -> SetResult:
    """Pure. Raises `RuntimeError` when nothing was understood."""
    finals = [found.final_s for found in takes if found.final_s is not None]
    firsts = [found.first_partial_s for found in takes if found.first_partial_s is not None]
    if not finals or not firsts:
        raise RuntimeError("not one sentence was understood")
    by_voice: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for found in takes:
        by_voice[found.voice].append((found.said, found.understood))
    return SetResult(
        sentences=len(takes),
        word_error_rate=word_error_rate((found.said, found.understood) for found in takes),
        by_voice={voice: round(word_error_rate(pairs), 4) for voice, pairs in by_voice.items()},
        unheard=len(takes) - len(finals),
        became=dict(Counter(became for found in takes for became in found.became)),
        first_partial_s=spread(firsts),
        final_s=spread(finals),
        slips=tuple(
            (found.voice, found.said, found.understood)
            for found in takes
            if word_error_rate([(found.said, found.understood)]) > 0
        ),
    )
