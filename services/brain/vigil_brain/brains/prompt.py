"""What a brain is told: a system prompt from a file, and one message with the question and its bounded context. Pure.

Text that came from the camera or from a tool is data. It is fenced, and cannot close its fence. The number in the name
of a prompt's file goes up with every change of the file, so that a log can say which prompt led to an answer.
"""

import base64
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

from vigil_brain.brains.port import BrainTask, Picture

ANSWER_PROMPT = "answer-1"
EMBEDDED_PROMPT = "embedded-2"
MAX_DATA_CHARS = 60_000

_OPEN, _CLOSE = "<<<data", "data>>>"
_LANGUAGES = {"en": "English", "zh": "Chinese"}
_QUESTION, _ANSWER = "\n\nQuestion: ", "\nAnswer: "


class Example(NamedTuple):
    """A question with an answer as the model should give it."""

    question: str
    answer: str


def prompt_text(name: str) -> str:
    """The system prompt of that name, without its examples and without the newline at its end."""
    return _file(name).partition(_QUESTION)[0]


def prompt_examples(name: str) -> tuple[Example, ...]:
    """The examples of that prompt, which a chat model is shown as turns before the question."""
    blocks = _file(name).split(_QUESTION)[1:]
    return tuple(Example(*block.split(_ANSWER, 1)) for block in blocks)


def _file(name: str) -> str:
    return resources.files("vigil_brain.prompts").joinpath(f"{name}.txt").read_text("utf-8").rstrip("\n")


def system_text(task: BrainTask, name: str = ANSWER_PROMPT) -> str:
    """The system prompt for this task: its own when it has one, else that of the file `name`."""
    text = task.prompt or prompt_text(name)
    language = _LANGUAGES.get(task.language, task.language)
    return f"{text}\n\nAnswer in {language}." if language else text


def user_text(task: BrainTask) -> str:
    """The question, and below it what the brain may need to know; sections that are empty are left out."""
    note = f"What the person was told meanwhile: {task.note}" if task.note else ""
    standing = [f"- {text}" for text in task.instructions]
    watched = f"What the camera is being watched for:\n{fenced(chr(10).join(standing))}" if standing else ""
    memory = f"What was seen and said before:\n{fenced(task.memory)}" if task.memory else ""
    return "\n\n".join(section for section in (task.question, note, watched, memory) if section)


def fenced(text: str) -> str:
    """`text` marked as data, at most `MAX_DATA_CHARS` of it. The text cannot close its fence or open another."""
    kept = text[:MAX_DATA_CHARS]
    plain = kept.replace("<<<", "‹‹‹").replace(">>>", "›››")
    cut = "\n[cut]" if len(text) > MAX_DATA_CHARS else ""
    return f"{_OPEN}\n{plain}{cut}\n{_CLOSE}"


def picture_label(picture: Picture) -> str:
    """What stands before a picture: when it was taken, in model time."""
    return f"Picture at {picture.time_ms / 1000:.1f} seconds:"


def data_url(picture: Picture) -> str:
    """The picture as a data URL."""
    return f"data:image/jpeg;base64,{base64.b64encode(picture.jpeg).decode('ascii')}"


def newest(pictures: Sequence[Picture], most: int) -> Sequence[Picture]:
    """The newest pictures, `most` at most, in order of time."""
    return pictures[-most:] if most > 0 else ()
