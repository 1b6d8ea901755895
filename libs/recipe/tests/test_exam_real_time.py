"""A session's history laid beside a script's turns."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from vigil.core.control import SILENCE
from vigil_client.events import decision
from vigil_client.testing.scripted_answers import decision_json
from vigil_recipe.exam.players.real_time import aligned, turn_at
from vigil_recipe.testing.scripts import script

SCRIPT = script(turns=6)


def turn(sequence: int, time_s: float, reply: str = SILENCE) -> dict[str, object]:
    return {"sequence": sequence, "time_s": time_s, "reply": reply}


def test_turns_are_those_of_their_second() -> None:
    history = [turn(0, 0.0), turn(1, 1.02, "</response> Hi."), turn(2, 2.98), turn(3, 4.0, "</response> Bye.")]
    p = {"silent": 0.1, "speak": 0.9, "delegate": 0.0}
    events = [decision(json.dumps(decision_json(1, "speak", "Hi.", time_s=1.02, latency_ms=80.0, p=p)))]
    heard = aligned(SCRIPT, history, events, {4: ("Result: ?",)})
    assert [utterance.reply for utterance in heard] == [
        SILENCE,
        "</response> Hi.",
        SILENCE,
        SILENCE,
        "</response> Bye.",
        SILENCE,
    ]
    assert [utterance.time_s for utterance in heard] == [0.0, 1.02, 2.0, 2.98, 4.0, 5.0], (
        "a second that was skipped is silent"
    )
    assert heard[1].p is not None
    assert (heard[1].p.silent, heard[1].latency_ms) == (0.1, 80.0)
    assert heard[4].results == ("Result: ?",)


def test_of_two_turns_of_a_second_the_one_that_says_something_counts() -> None:
    history = [turn(0, 1.0), turn(1, 1.2, "</response> Nobody."), turn(2, 2.0, "</response> Hi."), turn(3, 2.3)]
    heard = aligned(SCRIPT, history, [], {})
    assert [(utterance.time_s, utterance.reply) for utterance in heard[1:3]] == [
        (1.2, "</response> Nobody."),
        (2.0, "</response> Hi."),
    ]


def test_what_lies_outside_of_the_script_is_not_scored() -> None:
    heard = aligned(SCRIPT, [turn(0, 7.0, "</response> Late."), turn(1, 60.0, "</response> Later.")], [], {})
    assert {utterance.reply for utterance in heard} == {SILENCE}


@given(st.floats(0, 5.4))
def test_the_nearest_second(time_s: float) -> None:
    assert abs(turn_at(SCRIPT, time_s) - time_s) <= 0.5
