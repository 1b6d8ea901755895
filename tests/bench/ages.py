"""What the small model answers about what it saw 15 seconds to two hours ago: with memory and recall, with memory
alone, without either, and from its last four pictures.

Films whose every second is known are watched faster than the clock (`bench.film`), each by two sessions: one whose
blocks the small model writes, one whose blocks are exact. Memory is a service of its own: it gets requests, writes
blocks and recalls. The engine is vLLM with the small model.
"""

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from memory_world import AGES_S
from nats.aio.msg import Msg

from bench.exact_summariser import exact_summariser
from bench.exam_memory import AGE, script_films
from bench.film import NEAR_S, Film, Shown
from bench.film_session import Answer, FilmSession, Mode
from bench.memory_worker import external, memory_service
from bench.nats_client import connected
from bench.progress import say
from bench.settings import BenchSettings
from bench.stack import Stack, running
from vigil.contract import subjects
from vigil.contract.events.envelope import decode_event
from vigil.contract.subject_tokens import MemoryEvent
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.engine.client import Engine, EngineConfig
from vigil.testing.handled import handled
from vigil_recipe.scenarios.chat import UNKNOWN

EXAM_MODES = (Mode.RECALL, Mode.MEMORY, Mode.NEITHER)
TELL_S = 600  # of the film


class Author(StrEnum):
    """Who writes the blocks."""

    MODEL = "small model"
    EXACT = "exact"

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The ways in which questions are asked. Without memory nobody's blocks are read: one of the two is enough."""
        return tuple(Mode) if self is Author.EXACT else (Mode.RECALL, Mode.MEMORY)


@dataclass(frozen=True, slots=True)
class Tally:
    """Questions of one age, asked in one way. Of `held` the prompt told the fact or showed it; `right` were answered
    with its very second, `near` within five; `unknown` with "I do not know."; `unheard` were not answered at all."""

    author: Author
    mode: Mode
    age: str
    asked: int
    held: int
    right: int
    near: int
    unknown: int
    unheard: int

    @property
    def near_share(self) -> float:
        """Of all that were asked."""
        return self.near / self.asked


@dataclass(frozen=True, slots=True)
class Ages:
    """All questions of one run; `exam` are those of the exam's memory scripts, of which only the very words are right.
    `blocks` were asked for by each author, and `given_up` of them not written."""

    films: int
    tallies: tuple[Tally, ...]
    exam: tuple[Tally, ...]
    blocks: dict[str, int]
    given_up: dict[str, int]
    elapsed_s: float = 0.0

    def near_share(self, author: Author, mode: Mode, age: str) -> float | None:
        """The share of questions answered within five seconds; None where none was asked."""
        found = (tally for tally in self.tallies if (tally.author, tally.mode, tally.age) == (author, mode, age))
        return next((tally.near_share for tally in found), None)


async def measure(settings: BenchSettings) -> Ages:
    """Watch all films, once for each author. Raises `RuntimeError` when a block is not written in time."""
    began_s = time.monotonic()
    found: dict[Author, list[Answer]] = {}
    blocks: dict[str, int] = {}
    given_up: dict[str, int] = {}
    async with (
        running(settings, "ages", engine="real") as (stack, _),
        Bus.connect(BusConfig(stack.nats.url, "bench ages")) as bus,
        Engine(EngineConfig(stack.engine.url, stack.engine.model)) as engine,
    ):
        await bus.connected()
        films = [Film(seed) for seed in range(settings.ages_films)]
        for author in Author:
            names = {f"{author.name.lower()}-{film.seed}": film for film in films}
            sessions = [FilmSession(stack.store, bus, engine, film, name) for name, film in names.items()]
            async with _written_by(stack, author, names), _failures(stack, sessions) as failures:
                found[author] = [
                    answer
                    for session, film in zip(sessions, films, strict=True)
                    for answer in await _watched(session, film, author, settings.ages_questions)
                ]
            blocks[author] = sum(session.blocks for session in sessions)
            given_up[author] = len(failures)
            _tell(tallied(author, found[author]))
        exam = await _examined(stack, bus, engine, settings.ages_scripts)
        _tell(exam)
    tallies = tuple(tally for author in Author for tally in tallied(author, found[author]))
    return Ages(settings.ages_films, tallies, exam, blocks, given_up, round(time.monotonic() - began_s, 1))


async def _watched(session: FilmSession, film: Film, author: Author, count: int) -> list[Answer]:
    """All of a film, with its questions on the way."""
    questions = film.questions(AGES_S, count)
    answers: list[Answer] = []
    began_s = time.monotonic()
    await session.begin()
    for second in range(max(questions) + 1):
        for question in questions.get(second, ()):
            answers += [await session.ask(question, mode) for mode in author.modes]
        await session.see(second)
        if second % TELL_S == 0:
            took_s = time.monotonic() - began_s
            say(f"{session.name}: second {second:,}, {session.blocks} blocks, {len(answers)} answers, {took_s:.0f} s")
    return answers


async def _examined(stack: Stack, bus: Bus, engine: Engine, count: int) -> tuple[Tally, ...]:
    """The exam's memory scripts, whose memory line the memory service writes."""
    films = {f"exam-{place}": film for place, film in enumerate(script_films(count))}
    answers: list[Answer] = []
    say(f"the exam's memory scripts: {count}")
    async with _written_by(stack, Author.EXACT, films):
        for name, film in films.items():
            session = FilmSession(stack.store, bus, engine, film, name)
            questions = {question.second: question for question in film.questions()}
            await session.begin()
            for second in range(max(questions) + 1):
                if (question := questions.get(second)) is not None:
                    answers += [await session.ask(question, mode) for mode in EXAM_MODES]
                await session.see(second)
    return tallied(Author.EXACT, answers)


def tallied(author: Author, answers: Iterable[Answer]) -> tuple[Tally, ...]:
    """The answers by mode and age."""
    every = list(answers)
    return tuple(
        _tally(author, mode, age, some)
        for mode in author.modes
        for age in (*AGES_S, AGE)
        if (some := [answer for answer in every if (answer.mode, answer.question.age) == (mode, age)])
    )


def _tally(author: Author, mode: Mode, age: str, answers: Sequence[Answer]) -> Tally:
    off = [answer.question.about.off_s(answer.text) for answer in answers]
    return Tally(
        author=author,
        mode=mode,
        age=age,
        asked=len(answers),
        held=sum(answer.is_held for answer in answers),
        right=sum(seconds == 0 for seconds in off),
        near=sum(seconds is not None and seconds <= NEAR_S for seconds in off),
        unknown=sum(answer.text == UNKNOWN for answer in answers),
        unheard=sum(not answer.text for answer in answers),
    )


@asynccontextmanager
async def _written_by(stack: Stack, author: Author, films: Mapping[str, Shown]) -> AsyncIterator[None]:
    """A memory service whose blocks that author writes."""
    if author is Author.MODEL:
        async with memory_service(stack, {}):
            yield
        return
    async with exact_summariser(films) as url, memory_service(stack, external(url)):
        yield


@asynccontextmanager
async def _failures(stack: Stack, sessions: Sequence[FilmSession]) -> AsyncIterator[list[str]]:
    """Tells sessions which of their blocks were given up; yields the ids of all of them."""
    by_name = {session.name: session for session in sessions}
    found: list[str] = []

    async def failed(message: Msg) -> None:
        data = decode_event(message.data).data
        if (session := by_name.get(data["session"])) is not None:
            session.failed.add(data["block"])
            found.append(data["block"])

    client = await connected(stack.nats.url, "bench failures")
    try:
        for subject in subjects.all_memory(MemoryEvent.FAILED):
            await client.subscribe(subject, cb=failed)
        await handled(client)
        yield found
    finally:
        await client.close()


def _tell(tallies: Iterable[Tally]) -> None:
    for tally in tallies:
        say(
            f"{tally.author}, {tally.mode}, {tally.age}: {tally.held} of {tally.asked} prompts held the fact; "
            f"{tally.right} answers named its second, {tally.near} one within {NEAR_S} s; {tally.unknown} unknown, "
            f"{tally.unheard} not answered"
        )
