"""The real reader: what it reads on rendered signs and on filmed pictures, and the module that runs it, as a process.

Needs `make modules`. The reader runs in the module's own environment; what it reads comes back as JSON.
"""

import json
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from modules.pictures import SIZE, captioned, filmed
from modules.stage import EXAMPLES, FOOTAGE, Stage, installed, running, stage_at, until_said
from text.reading import Reading, key
from text.watching import Watched, watch

from vigil.testing.servers import NatsServer
from vigil_recipe.render.frames import to_jpeg
from vigil_recipe.world import Split, make_episode, render
from vigil_recipe.world import Stage as WorldStage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

READ = """
import json, sys
from pathlib import Path
from text.rapid import RapidReader
reader = RapidReader()
pictures = [reader.read(Path(path).read_bytes()) for path in sys.argv[1:]]
print(json.dumps([[[found.text, found.confidence, found.box] for found in readings] for readings in pictures]))
"""
CARS = FOOTAGE / "car-detection.mp4"


@pytest.fixture
async def stage(nats_server: NatsServer) -> AsyncIterator[Stage]:
    async with stage_at(nats_server.url) as stage:
        yield stage


def read(folder: Path, pictures: Sequence[bytes]) -> list[list[Reading]]:
    """What the reader reads in these pictures."""
    paths = [folder / f"{number}.jpg" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        path.write_bytes(picture)
    done = subprocess.run(
        [installed("text"), "-c", READ, *map(str, paths)], cwd=EXAMPLES, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return [
        [Reading(text, confidence, tuple(box)) for text, confidence, box in readings]
        for readings in json.loads(done.stdout)
    ]


def told(pictures: Sequence[Sequence[Reading]]) -> list[str]:
    """What is told of readings, a second apart."""
    watched, texts = Watched(), []
    for second, readings in enumerate(pictures, 1):
        watched, findings = watch(watched, readings, second * 1_000_000)
        texts += [finding.text for finding in findings]
    return texts


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_words_on_rendered_signs_are_read(seed: int, tmp_path: Path) -> None:
    episode = make_episode(seed, Split.TEST, 24, stage=WorldStage.SIGN)
    seconds = range(episode.seconds)
    readings = read(tmp_path, [to_jpeg(render(episode, second, SIZE), 85) for second in seconds])
    shown = {second: episode.word(second) for second in seconds if episode.word(second)}
    assert shown
    right = [second for second, word in shown.items() if key(word) in {key(found.text) for found in readings[second]}]
    assert len(right) >= 0.9 * len(shown), f"of {shown} only {right} were read"
    spans = [span for span in episode.screen if min(span.end_s, episode.seconds) - max(span.start_s, 0) >= 2]
    came = [text for text in told(readings) if text.startswith("the picture shows")]
    assert [text for text in came if not any(span.word in text for span in episode.screen)] == []
    assert len(came) >= 0.9 * len(spans)


@pytest.mark.skipif(not CARS.is_file(), reason="there is no build/footage")
def test_a_sign_laid_over_real_footage_is_read_and_nothing_else(tmp_path: Path) -> None:
    pictures = list(filmed(CARS))
    plain, signed = pictures[:6], [captioned(picture, "BAY 21 CLOSED") for picture in pictures[12:18]]
    assert told(read(tmp_path, [*plain, *signed, *pictures[:8]])) == [
        'the picture shows the text "BAY 21 CLOSED"',
        'no longer in the picture is the text "BAY 21 CLOSED"',
    ]


async def test_the_module_as_a_process_tells_what_the_picture_says(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "address").write_text(stage.address("text"))
    episode = make_episode(1, Split.TEST, 24, stage=WorldStage.SIGN)
    span = episode.screen[0]
    picture = to_jpeg(render(episode, span.start_s + 0.5, SIZE), 85)
    async with running("text", f"@{tmp_path / 'address'}", python=installed("text")) as process:
        await until_said(process, "demo/text reads")
        seen = await stage.show_until_told([picture], f'the picture shows the text "{span.word}"', process)
    assert (seen.module, seen.kind) == ("text", "text")
    assert seen.confidence is not None
    assert seen.confidence > 0.75
    assert seen.box is not None
    assert seen.box.top + seen.box.height < SIZE[1] / 2
