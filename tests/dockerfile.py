"""What a Dockerfile and a .dockerignore say, read from their text: no Docker is needed."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LABEL = "org.opencontainers.image."


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction: its word in capitals, and the rest as one line."""

    word: str
    rest: str


@dataclass(slots=True)
class Stage:
    """A stage: its name, what it begins with (another stage, or an image), and its instructions."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def every(self, word: str) -> list[str]:
        return [instruction.rest for instruction in self.instructions if instruction.word == word]

    def last(self, word: str) -> str:
        """The instruction that holds of several; empty when there is none."""
        return (self.every(word) or [""])[-1]

    def command(self, word: str) -> list[str]:
        """ENTRYPOINT or CMD in its JSON form. Raises `ValueError` where it is a line for a shell."""
        found: list[str] = json.loads(self.last(word) or "[]")
        return found

    @property
    def labels(self) -> dict[str, str]:
        """The OCI labels by the last part of their names."""
        pairs = (pair.partition("=") for line in self.every("LABEL") for pair in shlex.split(line))
        return {name.removeprefix(LABEL): value for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The arguments before the first stage, and the stages by name."""

    arguments: Mapping[str, str]
    stages: Mapping[str, Stage]

    @property
    def targets(self) -> list[str]:
        """The stages that are images: those with a title."""
        return [name for name, stage in self.stages.items() if "title" in stage.labels]

    def chain(self, name: str) -> Iterator[Stage]:
        """A stage, and those that it was begun from."""
        while stage := self.stages.get(name):
            yield stage
            name = stage.base


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions; a line that ends with a backslash goes on with the next."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\n\s*", " ", code).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield Instruction(word.upper(), rest.strip())


def read_dockerfile(text: str) -> Dockerfile:
    """The stages of a Dockerfile, each of which has a name."""
    arguments: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for instruction in instructions(text):
        if instruction.word == "FROM":
            base, _, name = instruction.rest.partition(" AS ")
            stage = stages[name] = Stage(name, base)
        elif stage is not None:
            stage.instructions.append(instruction)
        else:
            name, _, default = instruction.rest.partition("=")
            arguments[name] = default
    return Dockerfile(arguments, stages)


def ignored(path: str, rules: str) -> bool:
    """Whether a .dockerignore keeps a file out of the build: the last rule that fits it, or a folder of it, holds."""
    parts = path.split("/")
    places = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
    out = False
    for line in rules.splitlines():
        rule = line.strip().rstrip("/")
        if rule and not rule.startswith("#"):
            pattern = _pattern(rule.removeprefix("!"))
            if any(pattern.fullmatch(place) for place in places):
                out = not rule.startswith("!")
    return out


def _pattern(rule: str) -> re.Pattern[str]:
    translated = re.escape(rule).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return re.compile(re.sub(r"\\\[(.*?)\\\]", r"[\1]", translated))
