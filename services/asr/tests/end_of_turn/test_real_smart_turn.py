"""The real smart-turn, as `make speech` installs it, judges sentences that a real voice speaks: whole ones, and the
same ones with a pause in the middle. `pytest -s` shows its figures."""

import asyncio
import sys
import time
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from vigil_asr.ear import Began, Ear, Paused, PauseOver
from vigil_asr.end_of_turn.smart_turn import SmartTurn, open_smart_turn
from vigil_asr.endpoint import FRAME_BYTES, EndpointRules
from vigil_asr.pauses import PauseOutcome
from vigil_asr.testing.spoken import SPEECH, spoken_each
from vigil_asr.voice_activity import SileroDetector

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

RULES = EndpointRules(longest_silence_ms=1_500)
PAUSE_MS = 900
STEP = 320  # 20 ms, in samples
SOFT = 330  # 40 dB below the loudest that there can be
SENTENCES = (
    ("When somebody opens the door,", "tell me who it is."),
    ("If the light in the kitchen goes out,", "let me know at once."),
    ("I would like to know", "how many people are in the room."),
    ("Can you tell me whether", "the red car is still there?"),
    ("Please look at the left side", "and describe what you see."),
    ("What is the colour of", "the box on the table?"),
    ("Alert me when", "a fire starts in the hall."),
    ("How many people", "came through the gate today?"),
    ("Tell me about", "the man with the orange jacket."),
    ("Because the camera is new,", "I want to check its picture."),
    ("Is there anybody", "near the back entrance?"),
    ("After the delivery has arrived,", "count the boxes again."),
    ("Could you please", "read the sign aloud?"),
    ("I think that", "the window is still open."),
    ("Watch the parking lot and", "warn me about strangers."),
    ("Has the dog", "left the garden since noon?"),
    ("First look at the clock,", "then tell me the time."),
    ("The person who", "stands next to the machine, is he wearing a helmet?"),
    ("Remind me to", "close the garage at ten."),
    ("Where did the", "woman with the blue bag go?"),
    ("My question is", "whether the oven is still on."),
    ("Does it look like", "it is going to rain?"),
    ("Stop the music when", "the guests have left."),
    ("What happened", "before the alarm went off?"),
)


@dataclass(slots=True)
class Heard:
    """What came of one sentence."""

    remarks: int = 0
    outcomes: list[PauseOutcome] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


async def heard(judge: SmartTurn, pcm: bytes) -> Heard:
    """Hear it with the real detector; each answer is waited for, so that how fast this machine is does not matter."""
    ear, found = Ear(SileroDetector(), RULES), Heard()
    for at in range(0, len(pcm) // FRAME_BYTES * FRAME_BYTES, FRAME_BYTES):
        for event in ear.hear(pcm[at : at + FRAME_BYTES], 1 + at * 1_000_000 // 32_000):
            match event:
                case Began():
                    found.remarks += 1
                case Paused(number, sound):
                    began_s = time.perf_counter()
                    probability = await judge.complete(sound.read()[-8 * 32_000 :])
                    found.seconds.append(time.perf_counter() - began_s)
                    ear.judged(number, probability)
                case PauseOver(outcome):
                    found.outcomes.append(outcome)
    return found


def with_a_pause(pcm: bytes, share: float) -> bytes:
    """The same with silence where it is softest around that share of its speech."""
    samples = array("h", pcm)
    steps = [max(map(abs, samples[at : at + STEP])) for at in range(0, len(samples) - STEP, STEP)]
    voiced = [number for number, loudness in enumerate(steps) if loudness > SOFT]
    begin, length = voiced[0], voiced[-1] - voiced[0]
    around = range(begin + int(length * max(0.1, share - 0.12)), begin + int(length * min(0.9, share + 0.12)))
    at = 2 * STEP * min(around, key=lambda number: sum(steps[number : number + 2]))
    return pcm[:at] + bytes(PAUSE_MS * 32) + pcm[at:]


@pytest.fixture
async def judge() -> AsyncIterator[SmartTurn]:
    async with open_smart_turn(SPEECH) as opened:
        await asyncio.wait_for(opened.ready(), 60)
        yield opened


async def test_whole_sentences_end_at_once_and_many_pauses_are_waited_for(judge: SmartTurn) -> None:
    whole = [pcm + bytes(32_000) for pcm in spoken_each(*(" ".join(parts) for parts in SENTENCES))]
    shares = [len(first) / (len(first) + len(rest) + 1) for first, rest in SENTENCES]
    told = [await heard(judge, pcm) for pcm in whole]
    paused = [await heard(judge, with_a_pause(pcm, share)) for pcm, share in zip(whole, shares, strict=True)]
    complete = sum(found.outcomes[-1] is PauseOutcome.COMPLETE for found in told)
    held = sum(PauseOutcome.RESUMED in found.outcomes for found in paused)
    seconds = sorted(second for found in (*told, *paused) for second in found.seconds)
    p50, p95 = (seconds[len(seconds) * share // 100] for share in (50, 95))
    sys.stdout.write(
        f"\n{complete} of {len(told)} whole sentences complete, {held} of {len(paused)} pauses waited for; "
        f"{len(seconds)} judgements: p50 {p50:.3f} s, p95 {p95:.3f} s\n"
    )
    assert complete >= 23
    assert held >= 8
    assert all(found.remarks == 1 for found in paused if PauseOutcome.RESUMED in found.outcomes)
