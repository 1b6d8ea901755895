"""Films whose every second is known, sessions that watch them, and what is counted of their answers."""

from itertools import pairwise

import msgspec
import pytest
from memory_stage import ScriptedChat, Stage
from memory_world import AGES_S
from redis.asyncio import Redis

from bench.ages import Ages, Author, Tally, tallied
from bench.exact_summariser import exact_summariser, request_of
from bench.exam_memory import AGE, BEFORE_S, Known, script_films
from bench.film import EVENTS_S, LOOP_S, NEAR_S, Film, Happened, Question
from bench.film_session import CHUNK_TURNS, LAST_FRAMES, Answer, FilmSession, Mode
from bench.machine import Machine
from bench.report import html
from bench.results import Results
from vigil.core.memory import Block, MemoryRequest, RequestKind
from vigil.runtime.bus.client import Bus
from vigil.runtime.engine.client import Engine, EngineConfig
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.script import Reply, Script, Seen
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.servers import NatsServer, RedisServer
from vigil_memory.summarisers.external import asked_of
from vigil_memory.summarisers.port import SummaryTask
from vigil_recipe.scenarios.chat import UNKNOWN
from vigil_recipe.scenarios.memory import OPENING
from vigil_recipe.scenarios.summary import NOTHING
from vigil_recipe.world import Kind

KINDS = {"fire": Kind.FIRE, "fall": Kind.FALL}
SEEDS = range(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_asked_about_begins_once_and_never_again(seed: int) -> None:
    film = Film(seed)
    for about in film.happened:
        kind = KINDS[about.topic]
        seconds = range(1, EVENTS_S + 2 * LOOP_S)
        begins = [second for second in seconds if kind in film.truth(second) - film.truth(second - 1)]
        assert begins == [about.second]


@pytest.mark.parametrize("seed", SEEDS)
def test_exact_summaries_tell_each_change_once_wherever_spans_end(seed: int) -> None:
    film = Film(seed)
    whole = film.told(0, 900)
    told = [film.told(from_s, to_s) for from_s, to_s in pairwise(range(0, 901, 30))]
    assert " ".join(text for text in told if text != NOTHING) == whole
    assert all(about.is_told(whole) for about in film.happened)
    assert whole.count(film.happened[0].sentence) == 1


def test_a_merger_keeps_what_its_blocks_tell() -> None:
    texts = (NOTHING, "At 9 seconds the door opened.", NOTHING, "At 99 seconds someone fell.")
    blocks = tuple(
        Block(f"{place * 50_000}-{(place + 1) * 50_000}-0", 0, place * 50_000, (place + 1) * 50_000, text)
        for place, text in enumerate(texts)
    )
    assert Film(0).summary(request(RequestKind.MERGE, 0, 200, blocks)) == f"{texts[1]} {texts[3]}"
    assert Film(0).summary(request(RequestKind.MERGE, 0, 50, blocks[:1])) == NOTHING


def test_questions_are_of_the_age_that_they_say() -> None:
    asked = Film(1).questions(AGES_S, 5)
    questions = [question for told in asked.values() for question in told]
    assert len(questions) == 2 * len(AGES_S) * 5
    for second, told in asked.items():
        for question in told:
            low, high = AGES_S[question.age]
            assert isinstance(question.about, Happened)
            assert question.second == second
            assert low <= second - question.about.second < high
            assert question.text in question.about.questions


def test_an_answer_is_as_far_off_as_the_second_that_it_names() -> None:
    about = Happened("fire", 95)
    answers = ("At 95 seconds.", "at 99 seconds.", "At 95.0 seconds.", UNKNOWN, "95")
    assert [about.off_s(answer) for answer in answers] == [0, 4, 0, None, None]
    assert about.is_told("At 12 seconds the door opened. At 98 seconds a fire started.")
    assert not about.is_told("At 101 seconds a fire started. At 95 seconds someone fell.")


def test_answers_are_counted_by_age_and_by_how_they_were_asked() -> None:
    about = Happened("fall", 100)
    texts = ("At 100 seconds.", f"At {100 + NEAR_S} seconds.", "At 90 seconds.", UNKNOWN, "")
    asked = [Question(130, "30-60 s", about.questions[0], about)] * len(texts)
    answers = [
        Answer(question, Mode.RECALL, text, is_held=bool(text)) for question, text in zip(asked, texts, strict=True)
    ]
    expected = Tally(Author.MODEL, Mode.RECALL, "30-60 s", 5, held=4, right=1, near=2, unknown=1, unheard=1)
    assert tallied(Author.MODEL, answers) == (expected,)
    assert expected.near_share == 0.4


def test_the_answers_about_two_hours_ago_are_the_summary_and_no_target() -> None:
    tallies = tuple(
        Tally(author, Mode.RECALL, "2 h", 10, held, held, held, 0, 0)
        for author, held in ((Author.MODEL, 3), (Author.EXACT, 9))
    )
    results = Results(Machine(2, "a processor", 8.0, "Linux", 0.1), {})
    exam = (Tally(Author.EXACT, Mode.MEMORY, AGE, 20, 20, 18, 18, 1, 0),)
    results.ages = Ages(1, tallies, exam, {"small model": 40, "exact": 40}, {"small model": 1, "exact": 0})
    summary = results.summary()
    assert (summary["answered_at_2h"], summary["answered_at_2h_exact"]) == (0.3, 0.9)
    assert summary["exam_memory_answered"] == 0.9
    assert results.met() == {}
    assert "<td>exact, recall</td><td>2 h</td><td>10</td><td>0.90</td>" in html(results)
    assert results.ages.near_share(Author.MODEL, Mode.NEITHER, "2 h") is None


def test_an_exact_summariser_reads_what_an_external_one_is_sent() -> None:
    block = Block("0-40000-0", 0, 0, 40_000, "At 9 seconds the door opened.")
    asked = request(RequestKind.MERGE, 0, 40, (block,))
    read = request_of(asked_of(SummaryTask(asked, (), 1.0)))
    assert (read.kind, read.session, read.blocks, read.to_ms) == (asked.kind, asked.session, (block,), 40_000)
    with pytest.raises(msgspec.ValidationError, match="missing required field `tenant`"):
        request_of({"kind": "merge"})


def test_the_facts_of_an_exam_script_are_the_summary_of_the_chunk_before_it() -> None:
    for film in script_films(12):
        summary = film.summary(request(RequestKind.SUMMARY, 0, 40))
        assert f"{OPENING} {summary}" == film.script.memory
        assert film.summary(request(RequestKind.SUMMARY, 40, 80)) == NOTHING
        assert film.jpeg(0) == film.jpeg(BEFORE_S)
        questions = film.questions()
        assert questions
        for question in questions:
            assert BEFORE_S <= question.second < BEFORE_S + len(film.script.turns)
            assert question.about.is_told(f"Memory: {summary}\n{question.text}")
            assert not question.about.is_told(question.text)
    assert (Known("Blue.").off_s("Blue."), Known("Blue.").off_s("Red.")) == (0, None)


async def test_a_question_about_what_left_the_prompt_is_asked_in_four_ways(
    redis: Redis, bus: Bus, nats_server: NatsServer, redis_server: RedisServer
) -> None:
    """With the memory service as it is deployed, whose blocks are exact, and an engine that answers from the text that
    it is sent."""
    film = Film(0)
    about = film.happened[0]
    question = Question(about.second + 2 * CHUNK_TURNS, "old", about.questions[0], about)
    async with ScriptedEngine(script=reading(about), model="vigil-small") as scripted:
        stage = Stage(redis, bus, nats_server.url, redis_server.url, scripted, ScriptedChat(lambda *_: ""))
        async with exact_summariser({"f-0": film}) as url, stage.memory(url), engine_at(scripted) as engine:
            session = FilmSession(SessionStore(redis), bus, engine, film, "f-0")
            await session.begin()
            for second in range(question.second):
                await session.see(second)
            state = session.state
            answers = {mode: await session.ask(question, mode) for mode in Mode}
    assert session.state is state, "no question leaves a trace"
    assert {mode: answer.is_held for mode, answer in answers.items()} == {
        Mode.RECALL: True,
        Mode.MEMORY: True,
        Mode.NEITHER: False,
        Mode.LAST_FRAMES: False,
    }
    assert [answers[mode].text for mode in (Mode.RECALL, Mode.NEITHER)] == [f"At {about.second} seconds.", UNKNOWN]
    prompts = dict(zip(Mode, [seen for seen in scripted.seen if not seen.refused], strict=True))
    assert f"Memory: At {about.second} seconds {about.sentence}." in prompts[Mode.RECALL].text
    assert "Memory:" not in prompts[Mode.MEMORY].text, "it stands in the first message"
    assert len(prompts[Mode.LAST_FRAMES].uuids) == LAST_FRAMES
    assert prompts[Mode.LAST_FRAMES].uuids == prompts[Mode.NEITHER].uuids[-LAST_FRAMES:]
    assert state.memory.spans[0][0] == 0
    assert all(earlier[1] == later[0] for earlier, later in pairwise(state.memory.spans))
    assert not state.memory.unwritten


def reading(about: Happened) -> Script:
    """Answers what the prompt tells."""

    def answer(seen: Seen) -> Reply:
        is_told = any(about.sentence in str(message["content"]) for message in seen.body["messages"])
        return Reply(f"</response> At {about.second} seconds." if is_told else f"</response> {UNKNOWN}")

    return answer


def engine_at(scripted: ScriptedEngine) -> Engine:
    """A client of it."""
    return Engine(EngineConfig(scripted.url, "vigil-small"))


def request(kind: RequestKind, from_s: int, to_s: int, blocks: tuple[Block, ...] = ()) -> MemoryRequest:
    """A request for a block."""
    level = int(kind is RequestKind.MERGE)
    ident = f"{from_s * 1000}-{to_s * 1000}-{level}"
    span = (from_s * 1_000, to_s * 1_000)
    return MemoryRequest(kind, "bench", "f-0", "cam", ident, level, *span, "vigil-small", "m", blocks=blocks)
