"""A session whose facts are known, and of how many questions on them the prompt holds the fact, by the age of the fact:
with memory and recall, with memory alone, and with the raw turns alone.

More than two and a half hours of video at a turn a second. Facts on the recipe's topics come from a seed and change
once, among many other things that happen. Summaries are exact; mergers keep as many of their sentences as fit. The
session is planned by the pure core, archived in a real Redis, and recalled from there.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from redis.asyncio import Redis

from vigil.core.chunk import boundary, is_full, next_chunk, tail
from vigil.core.consolidation import Asking, ahead, at_boundary
from vigil.core.control import SILENCE
from vigil.core.memory import Block, MemoryLimits, MemoryRequest, RequestKind, clipped
from vigil.core.message import Image, Message, Text
from vigil.core.profile import PROFILES, PromptProfile
from vigil.core.prompt import prompt
from vigil.core.session import SessionSpec, SessionState
from vigil.core.source import Source, SourceKind
from vigil.core.turn import FrameRef, Turn
from vigil.runtime.store.memory_archive import ArchivedBlock
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.v1 import memory_pb2 as pb
from vigil_memory.recall.recaller import ArchiveRecaller
from vigil_recipe.scenarios.memory import TOPICS, Fact

LAST_S = 9_400
ORIGIN_US = 1_795_932_000_000_000
LEAD_TURNS = 20
AGES_S = {
    "15-30 s": (15, 30),
    "30-60 s": (30, 60),
    "5-15 min": (300, 900),
    "30-60 min": (1_800, 3_600),
    "2 h": (7_200, 7_800),
}
ASKED = 5  # questions on each fact at each age
OTHERS = (
    "the door opened",
    "the door closed",
    "an object was left",
    "the object was taken",
    "someone sat down",
    "a dog ran past",
    "the light went out",
    "the light came on",
    "a box was put on the floor",
    "a woman with a hat came in",
    "someone looked at the shelf",
    "a bus stopped",
)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened at a second, in the words of an exact summary."""

    second: int
    topic: str
    fact: Fact

    @property
    def sentence(self) -> str:
        """As memory tells it."""
        return f"At {self.second} seconds {self.fact.sentence}."


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked at a second, and what its prompt must hold."""

    second: int
    age: str
    text: str
    needed: Happening


@dataclass(slots=True)
class World:
    """All that happens, and all that is asked, from a seed."""

    seed: int
    happenings: dict[int, list[Happening]] = field(default_factory=lambda: defaultdict(list))
    questions: dict[int, list[Question]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        for second in range(3, LAST_S, 10):
            words = OTHERS[int(rng.integers(len(OTHERS)))]
            self.happenings[second].append(Happening(second, "", Fact(words, "")))
        for topic in TOPICS:
            self._tell(rng, topic)

    def _tell(self, rng: np.random.Generator, topic: str) -> None:
        """A fact on one topic that changes once, and questions of every age about what it is since."""
        first, second = int(rng.integers(5, 60)), int(rng.integers(100, 1_500))
        for at in (first, second):
            self.happenings[at].append(Happening(at, topic, TOPICS[topic].draw(rng, at)))
        needed = self.happenings[second][-1]
        for age, (low, high) in AGES_S.items():
            for _ in range(ASKED):
                at = second + int(rng.integers(low, high))
                text = str(rng.choice(TOPICS[topic].questions))
                self.questions[at].append(Question(at, age, text, needed))

    def told(self, from_ms: int, to_ms: int) -> list[str]:
        """The sentences of a span."""
        seconds = range(from_ms // 1_000, -(-to_ms // 1_000))
        return [happening.sentence for second in seconds for happening in self.happenings.get(second, ())]


@dataclass(slots=True)
class Stream:
    """A session as the core plans it, with a summariser that is exact and done before the boundary."""

    spec: SessionSpec
    profile: PromptProfile
    world: World
    state: SessionState = field(default_factory=SessionState)
    written: list[Block] = field(default_factory=list)

    def turn(self, second: int) -> SessionState | None:
        """The turn of this second. At a boundary the state before it."""
        before: SessionState | None = None
        requests: tuple[MemoryRequest, ...] = ()
        if is_full(self.state, self.spec, 1):
            before = self.state
            requests = self._cross()
        turn = Turn(self.state.next_sequence, second * 1_000, (FrameRef(f"u-{second}", 64, 64),), SILENCE)
        chunk = replace(self.state.chunk, turns=(*self.state.chunk.turns, turn))
        state = replace(self.state, next_sequence=turn.sequence + 1, last_time_ms=turn.time_ms, chunk=chunk)
        self.state, asked = ahead(self.spec, state, Asking(LEAD_TURNS, ORIGIN_US + second * 1_000_000))
        self.written += [request.block(self._text(request)) for request in (*requests, *asked)]
        return before

    def _cross(self) -> tuple[MemoryRequest, ...]:
        carried = tail(self.state, self.spec, 0)
        crossed = boundary(self.spec, self.state, carried, self.written)
        self.written = []
        state = crossed.state
        self.state = replace(state, chunk=next_chunk(self.spec, self.profile, state, carried))
        return at_boundary(self.spec, self.state, crossed.again, ORIGIN_US + state.last_time_ms * 1_000)

    def _text(self, request: MemoryRequest) -> str:
        """Exact, as far as it fits."""
        if request.kind is RequestKind.MERGE:
            text = " ".join(block.text for block in request.blocks)
        else:
            text = " ".join(self.world.told(request.from_ms, request.to_ms)) or "Nothing happened."
        return clipped(text, request.max_tokens)

    def prompt(self, question: Question, recalled: tuple[str, ...]) -> tuple[Message, ...]:
        """The prompt of a turn in which the question is asked."""
        new = Turn(
            self.state.next_sequence,
            question.second * 1_000 + 500,
            (FrameRef("u-new", 64, 64),),
            "",
            queries=(question.text,),
            recalled=recalled,
        )
        return prompt(self.profile, self.state.chunk, new)


@dataclass(slots=True)
class Tally:
    """Questions of one age, and of how many the prompt held the fact."""

    asked: int = 0
    recalled: int = 0
    memory: int = 0
    raw: int = 0
    in_newest_value: int = 0


def text_of(messages: tuple[Message, ...]) -> str:
    """All text of a prompt."""
    return "\n".join(part.text for message in messages for part in parts(message) if isinstance(part, Text))


def parts(message: Message) -> Iterator[Text | Image]:
    """Texts and pictures of a message."""
    yield from message.parts


def is_shown(messages: tuple[Message, ...], needed: Happening) -> bool:
    """Whether the picture of the fact is in the prompt."""
    return any(
        isinstance(part, Image) and part.ref.uuid == f"u-{needed.second}"
        for message in messages
        for part in parts(message)
    )


def tells_newest(lines: tuple[str, ...], needed: Happening, earlier: list[Happening]) -> bool:
    """Whether the first line that tells a value of the fact tells the newest."""
    values = {happening.sentence for happening in earlier} | {needed.sentence}
    first = next((line for line in lines if any(value in line for value in values)), "")
    return needed.sentence in first


async def measured(redis: Redis, seed: int, profile: str) -> dict[str, Tally]:
    """Runs a whole stream and asks all of its questions."""
    source = Source("lobby", SourceKind.RTSP, "rtsp://camera/1")
    spec = SessionSpec("demo", f"s-{seed}", source, profile, "m", memory=MemoryLimits(is_on=True))
    world, sessions = World(seed), SessionStore(redis)
    stream = Stream(spec, PROFILES[profile], world)
    recaller = ArchiveRecaller(sessions, deadline_s=60.0)
    await sessions.create(spec)
    await sessions.take(spec.key, 1)
    tallies = {age: Tally() for age in AGES_S}
    for second in range(LAST_S):
        if (before := stream.turn(second)) is not None:
            entries = tuple(map(ArchivedBlock, new_summaries(before, stream.state)))
            await sessions.commit(spec.key, 1, Commit(stream.state, restart=True, archived=entries))
        for question in world.questions.get(second, ()):
            lines = await recalled(recaller, spec, question)
            count(tallies[question.age], stream, question, lines)
    return tallies


def new_summaries(before: SessionState, after: SessionState) -> list[Block]:
    """The summaries that entered memory."""
    known = {block.id for block in before.memory.blocks}
    return [block for block in after.memory.blocks if not block.level and block.id not in known]


async def recalled(recaller: ArchiveRecaller, spec: SessionSpec, question: Question) -> tuple[str, ...]:
    """The lines that the memory service gives for the question."""
    request = pb.RecallRequest(
        tenant=spec.tenant,
        session=spec.session,
        question=question.text,
        time_ms=question.second * 1_000,
        origin_us=ORIGIN_US,
    )
    return tuple(line.text for line in (await recaller.recall(request)).lines)


def count(tally: Tally, stream: Stream, question: Question, lines: tuple[str, ...]) -> None:
    """Look for the fact in the prompts of the question."""
    with_recall, without = stream.prompt(question, lines), stream.prompt(question, ())
    needed = question.needed
    is_raw = is_shown(without, needed)
    tally.asked += 1
    tally.raw += is_raw
    tally.memory += is_raw or needed.sentence in text_of(without)
    tally.recalled += is_raw or needed.sentence in text_of(with_recall)
    earlier = [
        happening
        for told in stream.world.happenings.values()
        for happening in told
        if happening.topic == needed.topic and happening.second < needed.second
    ]
    tally.in_newest_value += is_raw or tells_newest(lines, needed, earlier)


def figure(tally: Tally) -> dict[str, float]:
    """Shares of the questions."""
    shares = {name: getattr(tally, name) / tally.asked for name in ("recalled", "memory", "raw", "in_newest_value")}
    return {"questions": tally.asked} | {name: round(share, 3) for name, share in shares.items()}
