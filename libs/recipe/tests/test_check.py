"""The check of a served checkpoint: what is sent, how onsets, false alarms and wrong sentences are counted."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from vigil_recipe.export.check import Case, Tally, count, main, make_cases, play, run_case
from vigil_recipe.text.dialogue import ALERT, RESPONSE, SILENCE
from vigil_recipe.world import Kind, Span, Split, make_episode

FIRE = f"{RESPONSE} {ALERT[Kind.FIRE]}"
DOOR = f"{RESPONSE} {ALERT[Kind.DOOR]}"


def case() -> Case:
    spans = (Span(Kind.FIRE, 2, 5), Span(Kind.FIRE, 10, 14), Span(Kind.DOOR, 6, 8))
    return Case(make_episode(0, Split.TEST, 16, spans=spans), (Kind.FIRE,), ("Alert me when a fire starts.",))


def tallied(replies: dict[int, str]) -> tuple[Tally, list[str]]:
    tally = Tally()
    return tally, count(case(), [replies.get(second, SILENCE) for second in range(16)], tally)


def test_a_perfect_run() -> None:
    tally, notes = tallied(dict.fromkeys((2, 3, 4, 10, 11, 12, 13), FIRE))
    assert (tally.onsets, tally.onsets_met, tally.first_second) == (2, 2, 2)
    assert (tally.false_alarms, tally.late_stops, tally.wrong_text, tally.malformed) == (0, 0, 0, 0)
    assert notes == []


def test_late_missed_false_and_malformed() -> None:
    tally, notes = tallied({4: FIRE, 5: FIRE, 7: DOOR, 8: "fire?", 9: FIRE, 13: FIRE})
    assert (tally.onsets, tally.onsets_met, tally.first_second) == (2, 1, 0)
    assert (tally.false_alarms, tally.late_stops, tally.malformed) == (2, 1, 1)
    assert notes == [
        "seed 0: missed fire at 10..14",
        "seed 0: false door at 7 s",
        "seed 0: false fire at 9 s",
    ]


def test_a_wrong_sentence_is_counted() -> None:
    tally, _ = tallied({2: FIRE, 3: f"{FIRE} {ALERT[Kind.DOOR]}"})
    assert (tally.wrong_text, tally.false_alarms) == (1, 1)


def test_cases_ask_every_kind_on_unseen_episodes() -> None:
    cases = list(make_cases(14, 20))
    assert {kind for one in cases for kind in one.asked} == set(Kind)
    assert {one.episode.split for one in cases} == {Split.VALIDATION}
    assert any(len(one.asked) == 2 for one in cases)


class Engine(ThreadingHTTPServer):
    """An OpenAI-compatible engine on a port of its own: says that it burns from the third turn on."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Engine)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        turns = sum(message["role"] == "user" for message in body["messages"])
        reply = FIRE if turns > 2 else f"{SILENCE}\n"
        answer = {"choices": [{"message": {"content": reply}}], "usage": {"prompt_tokens": 20 * turns}}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_case_is_one_conversation_with_its_own_replies(engine: Engine) -> None:
    spans = (Span(Kind.FIRE, 1, 4),)
    short = Case(make_episode(0, Split.TEST, 4, spans=spans), (Kind.FIRE,), ("Alert me when a fire starts.",))
    ticks = run_case(short, engine.url, "small")
    assert [tick.reply for tick in ticks] == [SILENCE, SILENCE, FIRE, FIRE]
    assert [tick.prompt_tokens for tick in ticks] == [20, 40, 60, 80]
    last = engine.asked[-1]
    assert (last["model"], last["temperature"], last["skip_special_tokens"]) == ("small", 0, False)
    roles = [message["role"] for message in last["messages"]]
    assert roles == ["system", *["user", "assistant"] * 3, "user"]
    texts = [message["content"][0]["text"] for message in last["messages"] if message["role"] == "user"]
    assert texts[:2] == ["Alert me when a fire starts.\n<0.0 seconds>\n", "<1.0 seconds>\n"]
    pictures = [message["content"][1]["image_url"]["url"] for message in last["messages"] if message["role"] == "user"]
    assert base64.b64decode(pictures[3].removeprefix("data:image/jpeg;base64,")) == ticks[3].jpeg


def test_all_cases_are_added_up_and_told(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    spans = (Span(Kind.FIRE, 1, 5),)
    cases = [Case(make_episode(seed, Split.TEST, 4, spans=spans), (Kind.FIRE,), ("Alert me.",)) for seed in (0, 1)]
    tally, played = play(cases, engine.url, "small")
    assert [case for case, _ in played] == cases
    assert (tally.ticks, tally.onsets, tally.onsets_met, tally.first_second) == (8, 2, 2, 0)
    assert len(tally.latencies_ms) == 6, "the first turn of a conversation is not timed"
    assert capsys.readouterr().out.splitlines()[-1] == "seed 1 fire: 2/2 onsets met, 0 false ticks so far"


def test_figures_of_nothing_are_not_known() -> None:
    figures = Tally().as_dict()
    assert figures["asked_for_onsets_met_within_2_s"] == "0 of 0"
    assert (figures["median_ms_a_tick"], figures["p95_ms_a_tick"]) == (None, None)
    assert Tally(latencies_ms=[float(ms) for ms in range(100)]).as_dict()["p95_ms_a_tick"] == 95


def test_an_engine_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with Engine() as server:
        url = server.url
    assert main(["--model", "models/vigil-small", "--url", url, "--episodes", "1", "--seconds", "1"]) == 1
    assert f"check: the engine at {url} does not answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--url", "http://127.0.0.1:1/v1"), "required: --model"),
        (("--model", "m"), "required: --url"),
        (("--model", "m", "--url", "u", "--episodes", "0"), "--episodes and --seconds are 1 or more"),
        (("--model", "m", "--url", "u", "--seconds", "ten"), "argument --seconds: invalid int value: 'ten'"),
    ],
)
def test_wrong_options_are_named(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
