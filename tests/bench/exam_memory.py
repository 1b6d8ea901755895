"""The exam's memory scripts, whose memory line the memory service has written.

The facts of a script are what happened in a chunk before it: its summary is exact, goes through the memory service into
the session, and stands in the prompts of the script's turns as any block does. Nobody saw the facts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.film import Question
from bench.film_session import CHUNK_TURNS
from vigil.core.memory import MemoryRequest
from vigil_recipe.exam.plan import SEED_STEP, TURNS
from vigil_recipe.exam.players.pictures import camera_jpeg, model_jpeg
from vigil_recipe.exam.scoring.dues import lines_of
from vigil_recipe.exam.scoring.scenario_scores import in_memory
from vigil_recipe.scenarios import Said, Scenario, Script, exam_script
from vigil_recipe.scenarios.memory import OPENING
from vigil_recipe.scenarios.summary import NOTHING
from vigil_recipe.world import Split

BEFORE_S = CHUNK_TURNS  # the chunk before the script
AGE = "exam"
SEED = 20


@dataclass(frozen=True, slots=True)
class Known:
    """A fact of a script, by the answer to its question."""

    answer: str
    second: int = -1

    def is_told(self, text: str) -> bool:
        """Whether a memory line of the text holds the answer."""
        return any(in_memory(line, self.answer) for line in text.splitlines() if line.startswith(OPENING))

    def off_s(self, answer: str) -> int | None:
        """Nothing but the very words is right."""
        return 0 if answer == self.answer else None


@dataclass(frozen=True, slots=True)
class ScriptFilm:
    """A still picture for a chunk, then the script."""

    script: Script

    def jpeg(self, second: int) -> bytes:
        """What the model gets of a second."""
        turn = self.script.turns[max(0, second - BEFORE_S)]
        return model_jpeg(camera_jpeg(self.script.episode, turn.second))

    def summary(self, request: MemoryRequest) -> str:
        """The facts of the script for the first span, and nothing ever after."""
        return NOTHING if request.from_ms else self.script.memory.removeprefix(f"{OPENING} ")

    def questions(self) -> list[Question]:
        """Those whose answers the memory line holds."""
        return [
            Question(BEFORE_S + due.asked, AGE, text, Known(due.text))
            for due in self.script.dues
            if in_memory(self.script.memory, due.text)
            for text in lines_of(self.script, due.asked, Said.QUESTION)
        ]


def script_films(count: int) -> Iterator[ScriptFilm]:
    """Of so many memory scripts of an exam of the test split those that ask for what is to be remembered."""
    for place in range(count):
        film = ScriptFilm(exam_script(SEED * SEED_STEP + place, Scenario.MEMORY, Split.TEST, TURNS))
        if film.questions():
            yield film
