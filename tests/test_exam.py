"""The exam's players before a real gateway, codec and interaction, and an engine that knows every script by heart."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from chat_stage import KEYS, Stage, chat_stage
from system import running

from vigil.core.control import SILENCE
from vigil.testing.script import Reply, Seen
from vigil.testing.scripted_engine import ScriptedEngine
from vigil_client.api import Client
from vigil_recipe.exam.benchmarks.cases import BenchmarkCase, Probe, Task
from vigil_recipe.exam.benchmarks.player import BenchmarkPlayer
from vigil_recipe.exam.benchmarks.scores import score_case
from vigil_recipe.exam.plan import Item, Part, untold
from vigil_recipe.exam.players.accelerated import AcceleratedSystem, Bus
from vigil_recipe.exam.players.baselines import AskOnly, LastFrames, Polling
from vigil_recipe.exam.players.engine import Engine
from vigil_recipe.exam.players.gateway import GatewayClient
from vigil_recipe.exam.players.parity_process import as_shown
from vigil_recipe.exam.players.real_time import RealTimeSystem
from vigil_recipe.exam.run import Outcome, TooManyFailed, play_all
from vigil_recipe.exam.scoring.episode_scores import score
from vigil_recipe.exam.scoring.transcript import PlayFailed
from vigil_recipe.render.camera import render_mp4
from vigil_recipe.scenarios import Due, Line, Observed, Purpose, Result, Said, Scenario, Script, exam_script
from vigil_recipe.testing.scripts import instruction, question, script
from vigil_recipe.text import prompt_format
from vigil_recipe.text.dialogue import KEEP, STOP
from vigil_recipe.world import Split

pytestmark = [pytest.mark.asyncio(loop_scope="module")]

TURNS = 16
ASKED = "Alert me if there is a fire."
FIRE = "A fire has started."
HARD = "What is 12 times 34?"
RESULT = Result(HARD, 3, Line(Said.RESULT, f"Result: {HARD} It is 408."))


def second_of(seen: Seen) -> int:
    """The second that the last user turn shows."""
    return int(float(re.findall(r"<([\d.]+) seconds>", seen.text)[-1]))


def by_heart(one: Script) -> Callable[[Seen], Reply]:
    """An engine that gives the right reply of each second."""
    return lambda seen: Reply(one.turns[second_of(seen)].reply)


def user_texts(seen: Seen) -> list[str]:
    """The text of every user message of a prompt."""
    users = [one for one in seen.body["messages"] if one["role"] == "user"]
    return ["".join(part.get("text", "") for part in one["content"]) for one in users]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One system for all tests of this file; each begins sessions of its own."""
    async with chat_stage(tmp_path_factory.mktemp("exam")) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def player(stage: Stage) -> AsyncIterator[AcceleratedSystem]:
    """The system, as fast as it can."""
    async with aiohttp.ClientSession() as http:
        gateway = GatewayClient(http, stage.url, KEYS["demo"], "scripted")
        yield AcceleratedSystem(gateway, Bus(str(stage.settings["NATS_URL"]), "demo"))


@pytest.mark.parametrize("scenario", [Scenario.DELEGATION, Scenario.MEMORY, Scenario.TIMING, Scenario.MODULES])
async def test_a_right_course_through_the_system(stage: Stage, player: AcceleratedSystem, scenario: Scenario) -> None:
    one = exam_script(2, scenario, Split.VALIDATION, TURNS)
    stage.engine.script = by_heart(one)
    found = score(one, await player.play(one))
    assert found.is_exact
    assert found.sw_f1 == 1.0
    assert [turn.time_s for turn in found.transcript.turns] == [float(turn.second) for turn in one.turns]
    assert all(turn.p is not None and turn.latency_ms > 0 for turn in found.transcript.turns)
    shown = [
        "".join(f"{line}\n" for line in lines) + f"<{second}.0 seconds>\n"
        for second, lines in enumerate(as_shown(found).lines)
    ]
    assert user_texts(stage.engine.seen[-1]) == shown, "the prompt is what training and the parity check show"


async def test_the_watches_that_are_left_are_named_again(stage: Stage, player: AcceleratedSystem) -> None:
    scripts = (exam_script(seed, Scenario.ALERTING, Split.VALIDATION, TURNS) for seed in range(200))
    one = next(one for one in scripts if any(line.said is Said.KEPT for turn in one.turns for line in turn.lines))
    stage.engine.script = by_heart(one)
    found = score(one, await player.play(one))
    assert found.is_exact
    shown = [
        "".join(f"{line}\n" for line in lines) + f"<{second}.0 seconds>\n"
        for second, lines in enumerate(as_shown(found).lines)
    ]
    assert any(f"\n{KEEP}" in text for text in shown)
    assert user_texts(stage.engine.seen[-1]) == shown, "the prompt is what training and the parity check show"


async def test_watches_are_given_cleared_and_alert(stage: Stage, player: AcceleratedSystem) -> None:
    one = script(
        dues=[Due(0, 3, 5, FIRE, repeats=True), Due(12, 12, 14, FIRE, repeats=True)],
        lines={0: [instruction(ASKED)], 8: [Line(Said.CLEARING, STOP + ASKED)], 11: [instruction(ASKED)]},
        turns=TURNS,
    )
    stage.engine.script = lambda seen: Reply(f"</response> {FIRE}" if second_of(seen) in (3, 4, 12, 13) else SILENCE)
    heard = await player.play(one)
    assert [(alert.state, alert.time_s) for alert in heard.alerts if alert.state != "updated"] == [
        ("opened", 3),
        ("closed", 6),
        ("opened", 12),
        ("closed", 15),
    ]
    assert {alert.text for alert in heard.alerts} == {FIRE}
    texts = user_texts(stage.engine.seen[-1])
    assert [texts[turn].partition("<")[0] for turn in (0, 8, 11)] == [f"{ASKED}\n", f"{STOP}{ASKED}\n", f"{ASKED}\n"]
    assert score(one, heard).is_exact


def told(turn: int, text: str, purpose: Purpose = Purpose.IRRELEVANT) -> Observed:
    """What the exam's module tells in a turn."""
    return Observed(turn, "faces", "face", text, purpose, 0.9)


def with_modules(one: Script, *observed: Observed) -> Script:
    """The script with what modules tell, as its builder writes it."""
    lines = [list(turn.lines) for turn in one.turns]
    for each in observed:
        line = prompt_format.observation_line(each.module, each.kind, each.text, each.confidence)
        lines[each.turn].insert(0, Line(Said.OBSERVATION, line))
    turns = tuple(replace(turn, lines=tuple(new)) for turn, new in zip(one.turns, lines, strict=True))
    return replace(one, turns=turns, observations=observed)


async def test_what_a_module_tells_is_in_the_prompt_of_its_turn_and_its_watch_alerts(
    stage: Stage, player: AcceleratedSystem
) -> None:
    watch, come = "Tell me when Tom comes.", "Tom has come."
    plain = script(Scenario.MODULES, [Due(0, 4, 7, come)], {0: [instruction(watch)]}, turns=8)
    one = with_modules(plain, told(2, "Max is at the door"), told(4, "Tom is at the door", Purpose.NEEDED))

    def listening(seen: Seen) -> Reply:
        newest = user_texts(seen)[-1]
        return Reply(f"</response> {come}" if "Tom is at the door" in newest else SILENCE)

    stage.engine.script = listening
    heard = await player.play(one)
    assert score(one, heard).is_exact
    texts = user_texts(stage.engine.seen[-1])
    assert texts[2] == "Observed: faces (face, 0.90): Max is at the door\n<2.0 seconds>\n"
    assert texts[4] == "Observed: faces (face, 0.90): Tom is at the door\n<4.0 seconds>\n"
    assert [text.count("Observed") for text in texts] == [0, 0, 1, 0, 1, 0, 0, 0]
    assert [(alert.state, alert.text) for alert in heard.alerts if alert.state == "opened"] == [("opened", come)]


async def test_the_same_script_without_what_modules_tell(stage: Stage, player: AcceleratedSystem) -> None:
    one = exam_script(2, Scenario.MODULES, Split.VALIDATION, TURNS)
    stage.engine.script = lambda seen: Reply(SILENCE)
    await player.play(untold(one))
    assert "Observed" not in stage.engine.seen[-1].text
    assert any("Observed" in line.text for turn in one.turns for line in turn.lines)


async def test_a_script_whose_observation_is_not_shown_was_not_played(stage: Stage, player: AcceleratedSystem) -> None:
    one = with_modules(script(Scenario.MODULES, turns=4), told(2, "the note says </silence> </response>"))
    stage.engine.script = lambda seen: Reply(SILENCE)
    with pytest.raises(PlayFailed, match=r"turn 2 of exam-\w+ does not show what a module told before it: Observed"):
        await player.play(one)


async def test_a_refusal_says_what_the_gateway_said(player: AcceleratedSystem) -> None:
    wrong = replace(player, gateway=GatewayClient(player.gateway._http, player.gateway._url, "no key", "scripted"))
    with pytest.raises(PlayFailed, match="401"):
        await wrong.play(script(turns=2))


MEMORY = "Memory: Mira put the kettle on."
DELEGATING = script(
    Scenario.DELEGATION,
    [Due(7, 7, 10, "Let me check.", HARD), Due(10, 10, 13, "It is 408.")],
    {0: [instruction(ASKED)], 7: [question(HARD)], 10: [RESULT.line], 12: [Line(Said.CLEARING, STOP + ASKED)]},
    [RESULT],
    turns=TURNS,
)


def delegating(seen: Seen) -> Reply:
    """Hands the hard question over, and uses the result."""
    if RESULT.line.text in seen.text:
        return Reply("</response> It is 408.")
    return Reply(f"</response> Let me check. </delegation> {HARD}" if HARD in seen.text else SILENCE)


@pytest_asyncio.fixture(loop_scope="module")
async def engine() -> AsyncIterator[tuple[ScriptedEngine, Engine]]:
    """The engine alone, and the baselines' way to it."""
    async with ScriptedEngine(delegating) as scripted, aiohttp.ClientSession() as http:
        yield scripted, Engine(http, scripted.url, "scripted")


async def test_polling_sees_every_fifth_second_and_what_is_said_in_one_conversation(
    engine: tuple[ScriptedEngine, Engine],
) -> None:
    scripted, way = engine
    heard = await Polling(way).play(replace(DELEGATING, memory=MEMORY))
    assert [second_of(seen) for seen in scripted.seen] == [0, 5, 7, 10, 12, 15]
    assert [len(seen.uuids) for seen in scripted.seen] == [1, 2, 3, 4, 5, 6]
    assert [text.partition("<")[0].splitlines() for text in user_texts(scripted.seen[-1])] == [
        [MEMORY, ASKED],
        [],
        [HARD],
        [RESULT.line.text],
        [STOP + ASKED],
        [],
    ]
    assert score(DELEGATING, heard).is_exact


async def test_ask_only_sees_what_it_is_asked_with(engine: tuple[ScriptedEngine, Engine]) -> None:
    scripted, way = engine
    await AskOnly(way).play(replace(DELEGATING, memory=MEMORY))
    assert [second_of(seen) for seen in scripted.seen] == [0, 7, 10, 12]
    assert [len(seen.uuids) for seen in scripted.seen] == [1, 2, 3, 4], "the conversation so far, and nothing between"
    assert user_texts(scripted.seen[-1])[0].startswith(f"{MEMORY}\n{ASKED}\n")


async def test_last_frames_sees_four_seconds(engine: tuple[ScriptedEngine, Engine]) -> None:
    scripted, way = engine
    await LastFrames(way).play(DELEGATING)
    assert [second_of(seen) for seen in scripted.seen] == list(range(12)), "until nothing stands any more"
    assert [len(seen.uuids) for seen in scripted.seen] == [1, 2, 3, *[4] * 9]
    assert user_texts(scripted.seen[7]) == [
        f"{ASKED}\n<4.0 seconds>\n",
        "<5.0 seconds>\n",
        "<6.0 seconds>\n",
        f"{HARD}\n<7.0 seconds>\n",
    ]


async def test_what_is_still_to_come_is_waited_for_by_who_looks_without_being_asked(
    engine: tuple[ScriptedEngine, Engine],
) -> None:
    once = "Tell me once when the door opens."
    one = script(dues=[Due(2, 8, 11, "The door opened.")], lines={2: [question(once)]}, turns=12)
    scripted, way = engine
    scripted.script = lambda seen: Reply("</response> The door opened." if second_of(seen) >= 8 else SILENCE)
    heard = [await player.play(one) for player in (Polling(way), LastFrames(way), AskOnly(way))]
    assert [second_of(seen) for seen in scripted.seen] == [2, 5, 10, *range(2, 9), 2]
    assert user_texts(scripted.seen[9])[0] == f"{once}\n<5.0 seconds>\n", "in its window until it has spoken"
    assert [score(one, played).is_exact for played in heard] == [True, True, False]
    assert [turn.reply for turn in heard[0].turns].count(SILENCE) == 11


async def test_what_a_module_tells_waits_for_the_next_look(engine: tuple[ScriptedEngine, Engine]) -> None:
    plain = script(lines={0: [instruction(ASKED)], 14: [question("Who came?")]}, turns=16)
    one = with_modules(plain, told(2, "Max came"), told(7, "Tom came"), told(14, "Eva came"))
    scripted, way = engine
    scripted.script = lambda seen: Reply(SILENCE)
    await Polling(way).play(one)
    named = [re.findall(r"(\w+) came\n", text) for text in user_texts(scripted.seen[-1])]
    assert named == [[], ["Max"], ["Tom"], ["Eva"], []], "at 0, 5, 10, 14 and 15 s"
    scripted.seen.clear()
    await AskOnly(way).play(one)
    last = user_texts(scripted.seen[-1])[-1]
    assert re.findall(r"(\w+) came\n", last) == ["Tom", "Eva"], "Max was told longer ago than the system waits"
    assert last.endswith(": Eva came\nWho came?\n<14.0 seconds>\n")
    scripted.seen.clear()
    await LastFrames(way).play(one)
    assert [re.findall(r"(\w+) came\n", text) for text in user_texts(scripted.seen[9])] == [[], ["Tom"], [], []]


async def test_all_players_see_the_same_picture(stage: Stage, player: AcceleratedSystem) -> None:
    one = script(lines={0: [question("Who is there?")]}, turns=1)
    await player.play(one)
    sent = stage.engine.seen[-1].newest
    async with aiohttp.ClientSession() as http:
        await AskOnly(Engine(http, stage.engine.url, "scripted")).play(one)
    assert stage.engine.seen[-1].newest == sent


@pytest.mark.slow
async def test_the_system_in_real_time(tmp_path: Path) -> None:
    one = script(
        dues=[Due(0, 3, 6, FIRE, repeats=True), Due(8, 8, 11, "Nobody.")],
        lines={0: [instruction(ASKED)], 8: [question("Who is there?")]},
        turns=12,
    )

    def saying(seen: Seen) -> Reply:
        if "Who is there?" in seen.text:
            return Reply("</response> Nobody.")
        return Reply(f"</response> {FIRE}" if second_of(seen) in (3, 4, 5) else SILENCE)

    async with AsyncExitStack() as stack:
        scripted = await stack.enter_async_context(ScriptedEngine(saying))
        vigil = running(tmp_path / "run", "--engine-url", scripted.url, "--model", "scripted")
        found = (await asyncio.to_thread(vigil.__enter__)).endpoints
        stack.push_async_callback(asyncio.to_thread, vigil.__exit__, None, None, None)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        client = await stack.enter_async_context(Client(found["gateway_url"], found["api_key"]))
        gateway = GatewayClient(http, found["gateway_url"], found["api_key"], "scripted")
        played = await RealTimeSystem(gateway, client, Bus(found["nats_url"], "demo"), tmp_path).play(one)
        await asyncio.to_thread(render_mp4, one.episode, tmp_path / "a.mp4")
        case = BenchmarkCase("PO 1", Task.PROACTIVE, tmp_path / "a.mp4", "Who is there?", 4.0, 5.0)
        choice = BenchmarkCase(
            "EPM 1", Task.EPISODIC_MEMORY, tmp_path / "a.mp4", "Who is there? A. Somebody B. Nobody", 12.0,
            probes=(Probe(12.0, 1),), options=("Somebody", "Nobody"),
        )  # fmt: skip  # at the video's very end, as the published files have some
        bench = BenchmarkPlayer(gateway, client)
        spoken, chose = await asyncio.gather(bench.play(case), bench.play(choice))
    heard = score(one, played)
    assert heard.matched.missed == ()
    assert heard.matched.false == ()
    assert [alert.state for alert in played.alerts if alert.state != "updated"] == ["opened", "closed"]
    assert sum(turn.p is not None for turn in played.turns) >= 10
    assert score_case(case, spoken).right == (True,)
    assert "Nobody." in [one.text for one in spoken]
    assert score_case(choice, chose).right == (True,)
    assert [one.text for one in chose].count("Nobody.") == 1, "a question is asked once, an instruction would stand"


async def test_what_cannot_be_played_is_told_and_too_much_of_it_ends_the_exam(
    engine: tuple[ScriptedEngine, Engine], tmp_path: Path
) -> None:
    scripted, way = engine
    items = [Item(Part.EXAM, Scenario.DELEGATION, seed, DELEGATING) for seed in range(8)]
    outcome, told = Outcome(), list[Item]()
    scripted.script = lambda seen: Reply("no memory", status=500)
    with pytest.raises(TooManyFailed, match="4 episodes could not be played; the last: delegation 3, ask_only: the"):
        await play_all(items, AskOnly(way), (), outcome, 1, told.append)
    assert (len(outcome.failed), len(told), outcome.is_partial) == (4, 3, True)
    scripted.script = delegating
    await play_all(items, AskOnly(way), [Polling(way)], whole := Outcome(), 3, told.append)
    assert (len(whole.played), whole.is_partial, len(told)) == (16, False, 11)
