"""The values of memory: what a session keeps of the turns that its prompt no longer shows. Pure.

Memory has tiers. The short term is the raw turns of the chunk. The mid term is one summary for each span of turns that
left the prompt: a block of level 0. The long term is blocks that were merged from others: level 1 and above. A span
whose summary is not written yet is kept by a few of its pictures.

A span begins at `from_ms` and ends before `to_ms`, both model time in milliseconds. Blocks, unwritten spans and raw
turns follow each other without gap or overlap.
"""

import math
import re
from dataclasses import dataclass, replace
from enum import StrEnum

from vigil.core.bounds import Bounds
from vigil.core.control import plain
from vigil.core.errors import InvalidSpec
from vigil.core.ids import SessionKey
from vigil.core.task import KeyFrame
from vigil.core.turn import FrameRef, Reply

MAX_BLOCK_CHARS = 4_000
MAX_ZONE_CHARS = 64
MAX_UNWRITTEN = 4
MAX_REQUEST_FRAMES = 32
MAX_OBSERVED = 32  # lines of modules that go with a span
MAX_OBSERVED_CHARS = 3_000

MID_BLOCKS = Bounds(3, 20)
LONG_BLOCKS = Bounds(5, 60)
BLOCK_TOKENS = Bounds(32, 1_000, "tokens")
LONG_TOKENS = Bounds(200, 16_000, "tokens")
KEY_FRAMES = Bounds(0, 8)
LEAST_LONG = 6  # so many blocks fit into the long term at least: those that unwritten spans part cannot be merged

# Scripts whose tokenizers spend about a token a character: everything behind the Latin letters and their accents.
_DENSE = re.compile("[\u0250-\U0010ffff]")
_WORDS_TO_TOKENS = 1.4
_CHARS_PER_TOKEN = 3
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*|")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n")


@dataclass(frozen=True, slots=True)
class Block:
    """What a summariser wrote about a span. Level 0 was summarised from pictures, a higher level merged from blocks.

    `text` is plain words in one or several lines, see `plain_lines`.
    """

    id: str
    level: int
    from_ms: int
    to_ms: int
    text: str

    def __post_init__(self) -> None:
        _check_span("block", self.from_ms, self.to_ms)
        if self.level < 0:
            raise InvalidSpec(f"a block has level {self.level}: give 0 for a summary, more for merged blocks")
        if self.id != block_id(self.from_ms, self.to_ms, self.level):
            raise InvalidSpec(f"{self.id[:80]!r} is not the id of this block: give the id that its request came with")
        if not self.text.strip():
            raise InvalidSpec(f"block {self.id} has no text: write what the span showed")
        if len(self.text) > MAX_BLOCK_CHARS:
            raise InvalidSpec(
                f"the text of block {self.id} has {len(self.text):,} characters: at most {MAX_BLOCK_CHARS:,} are "
                "allowed, shorten it"
            )


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A span whose block is not there yet, with some of its pictures and their model times, oldest first. `asked`
    counts the requests for its summary. `observed` are lines of what modules noticed in it, each with its time."""

    from_ms: int
    to_ms: int
    frames: tuple[FrameRef, ...] = ()
    times_ms: tuple[int, ...] = ()
    asked: int = 0
    observed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_span("unwritten span", self.from_ms, self.to_ms)
        if len(self.frames) != len(self.times_ms):
            raise InvalidSpec(
                f"the span {self.id} has {len(self.frames)} pictures and {len(self.times_ms)} times: give one each"
            )

    @property
    def id(self) -> str:
        """The id of the block that it waits for."""
        return block_id(self.from_ms, self.to_ms, 0)


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept of the time before the raw turns, oldest first. It changes at chunk boundaries only, except
    `asked_ms`.

    Nothing is kept of the time before `forgotten_ms`. `asked_ms` is where the span ends whose summary was asked for
    ahead of the coming boundary; -1 before that.
    """

    blocks: tuple[Block, ...] = ()
    unwritten: tuple[Unwritten, ...] = ()
    forgotten_ms: int = 0
    asked_ms: int = -1

    @property
    def end_ms(self) -> int:
        """Where the raw turns begin."""
        return max((self.forgotten_ms, *(end_ms for _, end_ms in self.spans)))

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Where each block and each unwritten span begins and ends, oldest first."""
        written = ((block.from_ms, block.to_ms) for block in self.blocks)
        return tuple(sorted((*written, *((span.from_ms, span.to_ms) for span in self.unwritten))))

    @property
    def tokens(self) -> int:
        """About how many tokens the text of the blocks has."""
        return sum(tokens(block.text) for block in self.blocks)

    @property
    def pictures(self) -> int:
        """How many pictures of unwritten spans it keeps."""
        return sum(len(span.frames) for span in self.unwritten)


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """How much memory a session keeps; none unless it is on, which suits weights that were trained to read memory.

    More than `mid_blocks` summaries are merged into one block, and so are more than so many blocks of any other level.
    The long term has at most `long_blocks` blocks and `long_tokens` tokens, a block at most `block_tokens`. A span
    whose summary is late is kept by `key_frames` pictures. Questions name times of day in `time_zone`, a name of the
    IANA; empty: in that of the memory service.
    """

    is_on: bool = False
    mid_blocks: int = 5
    long_blocks: int = 15
    block_tokens: int = 256
    long_tokens: int = 3_000
    key_frames: int = 4
    time_zone: str = ""

    def __post_init__(self) -> None:
        MID_BLOCKS.check("memory.mid_blocks", self.mid_blocks)
        LONG_BLOCKS.check("memory.long_blocks", self.long_blocks)
        BLOCK_TOKENS.check("memory.block_tokens", self.block_tokens)
        LONG_TOKENS.check("memory.long_tokens", self.long_tokens)
        KEY_FRAMES.check("memory.key_frames", self.key_frames)
        if len(self.time_zone) > MAX_ZONE_CHARS or not _ZONE.fullmatch(self.time_zone):
            raise InvalidSpec(
                f"memory.time_zone is {self.time_zone[:MAX_ZONE_CHARS]!r}: give a name of the IANA, such as "
                "Europe/Berlin"
            )
        if self.long_tokens < LEAST_LONG * self.block_tokens:
            raise InvalidSpec(
                f"memory.long_tokens is {self.long_tokens}: give at least {LEAST_LONG} times memory.block_tokens, "
                f"which is {self.block_tokens}"
            )

    @property
    def most_mid_blocks(self) -> int:
        """The most summaries that are kept while a merger of the older ones is not written yet."""
        return 2 * self.mid_blocks

    @property
    def most_tokens(self) -> int:
        """The most tokens that the text of memory ever has."""
        return self.most_mid_blocks * self.block_tokens + self.long_tokens if self.is_on else 0

    @property
    def most_pictures(self) -> int:
        """The most pictures that unwritten spans ever keep."""
        return MAX_UNWRITTEN * self.key_frames if self.is_on else 0


class RequestKind(StrEnum):
    """What a summariser is asked for."""

    SUMMARY = "summary"  # of the pictures of a span
    MERGE = "merge"  # of several blocks into one


@dataclass(frozen=True, slots=True)
class MemoryRequest:
    """A block as work for the memory service; see `proto/vigil/v1/memory.proto`.

    `id` is that of the block to be written. For a summary `frames` are pictures of the span, oldest first, `replies`
    what the model said in it, `asked` the lines of the user and `observed` those of modules, each with its time. For a
    merger `blocks` are what is to be merged. `before` is the text of the newest block: its end is the state that this
    one goes on from.

    The block is wanted by `due_us` and of use for `ttl_s` seconds from `requested_at_us` on; both are microseconds
    since the epoch.
    """

    kind: RequestKind
    tenant: str
    session: str
    source_id: str
    id: str
    level: int
    from_ms: int
    to_ms: int
    profile: str
    model: str
    language: str = ""
    frames: tuple[KeyFrame, ...] = ()
    replies: tuple[Reply, ...] = ()
    asked: tuple[str, ...] = ()
    instructions: tuple[str, ...] = ()
    before: str = ""
    blocks: tuple[Block, ...] = ()
    max_tokens: int = 256
    due_us: int = 0
    requested_at_us: int = 0
    ttl_s: float = 120.0
    observed: tuple[str, ...] = ()

    @property
    def key(self) -> SessionKey:
        """The key of its session."""
        return SessionKey(self.tenant, self.session)

    @property
    def expires_us(self) -> int:
        """When the block is of no use any more, in microseconds since the epoch."""
        return self.requested_at_us + round(self.ttl_s * 1e6)

    def block(self, text: str) -> Block:
        """The block that was asked for, with this text made plain. Raises `InvalidSpec` for a text without words or
        one that is too long."""
        return Block(self.id, self.level, self.from_ms, self.to_ms, plain_lines(text))

    def without_words(self) -> "MemoryRequest":
        """The same request without anything that was seen, said or asked for: fit to be kept when its session is
        gone. It can no longer be worked on."""
        return replace(self, frames=(), replies=(), asked=(), instructions=(), before="", blocks=(), observed=())


def block_id(from_ms: int, to_ms: int, level: int) -> str:
    """The id of a block: a second summary of the same span has the same one."""
    return f"{from_ms}-{to_ms}-{level}"


def plain_lines(text: str) -> str:
    """A text as plain words, line by line, without empty lines: nothing in it is a command to the model, or looks like
    what only Vigil writes into a prompt (see `control.plain`)."""
    return "\n".join(line for line in map(plain, text.splitlines()) if line)


def tokens(text: str) -> int:
    """How many tokens a text has at most, about: no tokenizer is asked, so that every model may serve the session."""
    dense = len(_DENSE.findall(text))
    rest = _DENSE.sub(" ", text)
    return dense + math.ceil(max(len(rest.split()) * _WORDS_TO_TOKENS, (len(text) - dense) / _CHARS_PER_TOKEN))


def clipped(text: str, most: int) -> str:
    """The first sentences of a text that have at most so many tokens; its first characters where those are few."""
    if tokens(text) <= most:
        return text
    ends = [match.start() for match in _SENTENCE_END.finditer(text)]
    whole = next((text[:end].rstrip() for end in reversed(ends) if tokens(text[:end]) <= most), "")
    return whole if 2 * tokens(whole) >= most else _first_characters(text, most)


def _first_characters(text: str, most: int) -> str:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) <= most else (low, middle - 1)
    return text[:low].rstrip()


def _check_span(what: str, from_ms: int, to_ms: int) -> None:
    if not 0 <= from_ms < to_ms:
        raise InvalidSpec(f"the {what} from {from_ms} to {to_ms} ms has no length: it must end after it begins")
