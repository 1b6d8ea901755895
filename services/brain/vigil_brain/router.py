"""Which brain answers which question. Pure.

The brain that was named with the question, its watch or its session comes first; then the first rule that fits, then
the tenant's brain, then the default. A name that the deployment does not have is told: another brain may cost more, or
may not be allowed to see the pictures.

Rules go by how hard the question looks (its words), how urgent it is, and whose it is. A rule names a brain; models
that are interpolated between quick and thorough (DAMI) are so many brains of the file, one for each strength.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vigil.core.task import TaskRequest


@dataclass(frozen=True, slots=True)
class Condition:
    """What a question must be like; every one that is given must hold."""

    words_at_most: int | None = None
    words_at_least: int | None = None
    priority_at_least: int | None = None
    contains: tuple[str, ...] = ()  # one of these, in any case
    tenants: tuple[str, ...] = ()
    has_pictures: bool | None = None

    def holds(self, request: TaskRequest) -> bool:
        """Whether the question is so."""
        words, text = _words(request.question), request.question.casefold()
        return (
            (self.words_at_most is None or words <= self.words_at_most)
            and (self.words_at_least is None or words >= self.words_at_least)
            and (self.priority_at_least is None or request.priority >= self.priority_at_least)
            and (not self.contains or any(part.casefold() in text for part in self.contains))
            and (not self.tenants or request.tenant in self.tenants)
            and (self.has_pictures is None or bool(request.frames) == self.has_pictures)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """Questions of this kind go to this brain."""

    condition: Condition
    brain: str


@dataclass(frozen=True, slots=True)
class Routes:
    """Everything that chooses a brain. `known` are the names of the brains that there are."""

    known: frozenset[str] = frozenset()
    default: str = ""
    tenants: Mapping[str, str] = field(default_factory=dict)
    rules: Sequence[Rule] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """The brain that answers, or why there is none."""

    brain: str = ""
    fault: str = ""


NO_BRAIN = (
    "there is no brain to answer this: name one in the file of VIGIL_BRAINS_FILE (docs/brain.md), "
    "or install the embedded one with `make brain`"
)


def choose(routes: Routes, request: TaskRequest) -> Chosen:
    """The brain for a question."""
    if request.brain:
        if request.brain in routes.known:
            return Chosen(request.brain)
        return Chosen(fault=f"there is no brain {request.brain!r}: the operator's file does not name it")
    for rule in routes.rules:
        if rule.condition.holds(request):
            return Chosen(rule.brain)
    name = routes.tenants.get(request.tenant, routes.default)
    return Chosen(name) if name else Chosen(fault=NO_BRAIN)


def _words(text: str) -> int:
    """Words, or characters of a script without spaces, two of which are about a word."""
    wide = sum("\u3040" <= character <= "\u9fff" for character in text)
    return len(text.split()) + wide // 2
