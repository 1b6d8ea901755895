"""What a summariser is told: the words of a file, the pictures with their times, and bounded data. Pure.

The small model knows the bytes that it was trained on and nothing else: `vigil-small` is told as the recipe writes it.
Every other model is told in a system prompt what to write. All that came from the camera, the user and earlier
summaries is data: it is fenced and cannot close its fence.
"""

from collections.abc import Sequence
from functools import cache
from importlib import resources

from vigil.core.control import plain
from vigil.core.memory import MemoryRequest, RequestKind, plain_lines
from vigil.core.message import Image, Message, Text
from vigil.core.profile import PromptProfile, QueryLayout
from vigil.core.prompt import time_marker
from vigil.core.turn import FrameRef
from vigil_memory.summarisers.port import Picture, SummaryTask

SMALL_PICTURES = 12  # the most that the small model has learned from
MAX_DATA_CHARS = 20_000  # of one fence

_OPEN, _CLOSE = "<<<data", "data>>>"
_LANGUAGES = {"en": "English", "zh": "Chinese"}


@cache
def prompt_text(profile: str, kind: RequestKind) -> str:
    """The words of the prompt, without the line of its version."""
    text = resources.files("vigil_memory.prompts").joinpath(profile, f"{kind}.txt").read_text("utf-8")
    version, _, words = text.partition("\n")
    if not version.startswith("version "):
        raise ValueError(f"prompts/{profile}/{kind}.txt must begin with the line `version N`")
    return words.rstrip("\n")


def messages(profile: PromptProfile, task: SummaryTask) -> tuple[Message, ...]:
    """The messages that ask for the block."""
    request = task.request
    words = prompt_text(profile.name, request.kind)
    if profile.query_layout is QueryLayout.PLAIN:
        return Message("system", (Text(profile.system),)), _small(words, task)
    parts: list[Text | Image] = [Text("\n\n".join(_sections(request)))]
    for picture in task.pictures:
        parts += [Text(time_marker(picture.time_ms)), _image(picture)]
    return Message("system", (Text(words),)), Message("user", (*parts, Text(_wish(request))))


def evenly(pictures: Sequence[Picture], most: int) -> Sequence[Picture]:
    """At most `most` of the pictures, spread over the span: the first and the last are among them."""
    if len(pictures) <= most:
        return pictures
    last = len(pictures) - 1
    return [pictures[round(place * last / (most - 1))] for place in range(most)]


def _small(words: str, task: SummaryTask) -> Message:
    """As the recipe's `summary_text` and `merge_text` write it."""
    if task.request.kind is RequestKind.MERGE:
        lines = [plain(block.text) for block in task.request.blocks]
        return Message("user", (Text("\n".join((words, *lines))),))
    parts: list[Text | Image] = []
    for picture in evenly(task.pictures, SMALL_PICTURES):
        before = f"{words}\n" if not parts else "\n"
        parts += [Text(f"{before}{time_marker(picture.time_ms)}\n"), _image(picture)]
    return Message("user", tuple(parts) or (Text(words),))


def _sections(request: MemoryRequest) -> list[str]:
    """What is known beside the pictures; sections that are empty are left out."""
    instructions = [f"- {plain(text)}" for text in request.instructions]
    said = sorted((reply.time_ms, plain(reply.text)) for reply in request.replies)
    told = [f"{time_marker(time_ms)} {text}" for time_ms, text in said]
    blocks = [f"{_span(block.from_ms, block.to_ms)}\n{plain_lines(block.text)}" for block in request.blocks]
    sections = (
        ("What the user asked to be watched for and done", instructions),
        ("What the user said in the span", [plain(line) for line in request.asked]),
        ("What the assistant said in the span", told),
        ("What other programs noticed in the span", [plain(line) for line in request.observed]),
        ("The end of the memory before", [plain_lines(request.before)] if request.before else []),
        ("The memories", blocks),
    )
    span = f"The span: {_span(request.from_ms, request.to_ms)}"
    return [span, *(f"{title}:\n{fenced(lines)}" for title, lines in sections if lines)]


def fenced(lines: Sequence[str]) -> str:
    """The lines marked as data, at most `MAX_DATA_CHARS`: the newest stay. They cannot close the fence or open one."""
    text = "\n".join(lines).replace("<<<", "‹‹‹").replace(">>>", "›››")
    return f"{_OPEN}\n{text[-MAX_DATA_CHARS:]}\n{_CLOSE}"


def _wish(request: MemoryRequest) -> str:
    language = _LANGUAGES.get(request.language, request.language)
    words = max(20, request.max_tokens * 2 // 3)
    said = f"Write in {language}" if language else "Write in the language of the user's words, or in English"
    return f"\n\n{said}, at most {words} words. Write the memory now, and nothing else."


def _span(from_ms: int, to_ms: int) -> str:
    return f"{from_ms / 1000:.1f} to {to_ms / 1000:.1f} seconds"


def _image(picture: Picture) -> Image:
    return Image(FrameRef(picture.uuid, 0, 0))
