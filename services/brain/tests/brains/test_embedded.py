"""The kind `embedded` with a stand-in for its server: when it starts, what it is asked, and that it ends.

The model itself is slow and large: `make brain` installs it, and what it answers stands in docs/brain-kinds.md.
"""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from vigil.testing.eventually import eventually
from vigil.testing.scripted_brain import Behaviour, ScriptedBrain
from vigil_brain.brains.embedded import MODEL, EmbeddedBrain, EmbeddedSettings, installed
from vigil_brain.brains.port import BrainError, BrainTask
from vigil_brain.brains.sentences import GRAMMAR
from vigil_brain.testing.told import RecordedTold


def stand_in(folder: Path, server: ScriptedBrain, said: str = "") -> EmbeddedBrain:
    """A brain whose server process names the scripted server, and counts its starts in a file."""
    line = said or json.dumps({"url": server.url, "key": "k"})
    program = folder / "server.py"
    program.write_text(
        f"import sys\nopen({str(folder / 'starts')!r}, 'a').write('x')\nprint({line!r}, flush=True)\nsys.stdin.read()\n"
    )
    return EmbeddedBrain((sys.executable, str(program)), timeout_s=60.0)


def starts(folder: Path) -> int:
    return len((folder / "starts").read_text())


async def test_its_server_starts_with_the_first_task_and_stays(
    tmp_path: Path, server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    server.answers = lambda body: "It is 408."
    brain = stand_in(tmp_path, server)
    for _ in range(2):
        assert (await brain.solve(task, told)).text == "It is 408."
    assert (starts(tmp_path), told.said) == (1, ["loads its model"])
    assert server.seen[0]["messages"][-1]["content"] == "What is 12 times 34?", "the question alone"
    assert server.keys[0] == "Bearer k"
    await brain.close()


async def test_the_model_is_shown_examples_as_turns_and_held_to_the_sentences(
    tmp_path: Path, server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    brain = stand_in(tmp_path, server)
    await brain.solve(task, told)
    system, *turns, asked = server.seen[0]["messages"]
    assert (system["role"], asked["role"]) == ("system", "user")
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * (len(turns) // 2)
    assert {turn["content"] for turn in turns} >= {"What is 13 times 17?", "It is 221."}
    assert server.seen[0]["grammar"] == GRAMMAR
    assert server.seen[0]["temperature"] == 0.0
    await brain.close()


@pytest.mark.parametrize(
    ("said", "text"), [("408", "It is 408."), ("It is 408.", "It is 408."), ("So 408?", "So 408?")]
)
async def test_a_bare_answer_is_set_into_the_sentence_that_the_small_model_knows(
    tmp_path: Path, server: ScriptedBrain, task: BrainTask, told: RecordedTold, said: str, text: str
) -> None:
    server.answers = lambda body: said
    brain = stand_in(tmp_path, server)
    assert (await brain.solve(task, told)).text == text
    await brain.close()


async def test_a_server_that_died_is_started_again(
    tmp_path: Path, server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    brain = stand_in(tmp_path, server)
    await brain.solve(task, told)
    await brain.close()
    await brain.solve(task, told)
    assert starts(tmp_path) == 2
    await brain.close()


async def test_one_task_after_the_other(tmp_path: Path, server: ScriptedBrain, task: BrainTask) -> None:
    brain, told = stand_in(tmp_path, server), RecordedTold()
    server.behaviour = Behaviour.HANG
    first = asyncio.create_task(brain.solve(task, told))
    second = asyncio.create_task(brain.solve(task, told))
    await eventually(lambda: len(server.seen) == 1)
    first.cancel()
    await eventually(lambda: len(server.seen) == 2, what="the second begins when the first is cancelled")
    second.cancel()
    await asyncio.wait((first, second))
    await eventually(lambda: server.left == 2, what="the server sees that nobody waits")
    await brain.close()


async def test_a_server_that_says_nothing_of_use_is_no_server(
    tmp_path: Path, server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    brain = stand_in(tmp_path, server, said="out of memory")
    with pytest.raises(BrainError, match="did not start") as caught:
        await brain.solve(task, told)
    assert caught.value.is_transient


def test_it_is_installed_when_its_python_and_its_weights_are_there(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    with pytest.raises(BrainError, match="run make brain"):
        installed(EmbeddedSettings(str(tmp_path)))
    (tmp_path / f"{MODEL}.gguf").touch()
    assert installed(EmbeddedSettings(str(tmp_path), threads=3))[-2:] == (str(tmp_path / f"{MODEL}.gguf"), "3")
