"""Who asks the judge: what it is given, what the ear is told, and that nobody waits for it."""

import asyncio
from collections.abc import Sequence

from prometheus_client import REGISTRY

from vigil.testing.eventually import eventually
from vigil_asr.ear import Ear, EarEvent, Ended, PauseOver
from vigil_asr.end_of_turn.asking import HEARD_S, Asking
from vigil_asr.endpoint import EndpointRules
from vigil_asr.testing.loudness import LoudnessDetector, loud, still
from vigil_asr.testing.scripted_judge import ScriptedJudge

RULES = EndpointRules(longest_silence_ms=1_500)
START_US = 1_700_000_000_000_000


class Heard:
    """One ear whose pauses are asked about."""

    def __init__(self, answers: Sequence[float | None]) -> None:
        self.judge = ScriptedJudge(answers)
        self.ear = Ear(LoudnessDetector(), RULES)
        self.asking = Asking(self.ear, self.judge)
        self._time_us = START_US

    def hear(self, pcm: bytes) -> list[EarEvent]:
        events = self.ear.hear(pcm, self._time_us)
        self._time_us += len(pcm) * 1_000 // 32
        for event in events:
            self.asking.happened(event)
        return events

    async def answered(self) -> None:
        task = self.asking._task
        assert task is not None
        await asyncio.wait({task})


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("vigil_asr_pauses_total", {"outcome": outcome}) or 0.0


def outcomes(events: Sequence[EarEvent]) -> list[str]:
    return [str(event.outcome) for event in events if isinstance(event, PauseOver)]


async def test_an_answer_in_time_holds_the_remark_open_and_is_counted() -> None:
    heard, before = Heard([0.2]), counted("waited")
    heard.hear(loud(640) + still(256))
    await heard.answered()
    assert heard.hear(still(640)) == []
    events = heard.hear(still(640))
    assert (outcomes(events), isinstance(events[-1], Ended)) == (["waited"], True)
    assert counted("waited") == before + 1


async def test_nobody_waits_for_an_answer_and_one_that_is_late_is_given_up() -> None:
    heard = Heard([0.2])
    heard.judge.may_answer.clear()
    heard.hear(loud(640) + still(256))
    await eventually(lambda: bool(heard.judge.heard), what="it is asked")
    events = heard.hear(still(320))
    assert (outcomes(events), isinstance(events[-1], Ended)) == (["late"], True)
    await eventually(lambda: heard.judge.given_up == 1, what="it is given up")


async def test_a_judge_that_fails_changes_nothing() -> None:
    heard = Heard([None])
    heard.hear(loud(640) + still(256))
    await heard.answered()
    assert outcomes(heard.hear(still(320))) == ["failed"]


async def test_it_is_given_the_end_of_a_long_remark_with_its_pause() -> None:
    heard = Heard([0.9])
    heard.hear(loud(12_000) + still(224))
    await heard.answered()
    assert heard.judge.heard == [loud(HEARD_S * 1_000 - 224) + still(224)]


async def test_nothing_is_asked_when_no_more_is_heard() -> None:
    heard = Heard([0.9])
    heard.judge.may_answer.clear()
    heard.hear(loud(640) + still(256))
    await eventually(lambda: bool(heard.judge.heard), what="it is asked")
    await heard.asking.close()
    assert heard.judge.given_up == 1
    await heard.asking.close()
