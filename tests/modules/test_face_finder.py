"""The real finder of faces, and the module's commands, as its README runs them, from the first key to the last word.

Needs `make modules`. The portraits are in the public domain and are not kept here: Eileen Collins (NASA) comes in
scikit-image, Grace Hopper (U.S. Navy) in Matplotlib. There is one picture of each, so "another picture" is the same one
with what cameras and rooms do to a face: smaller, darker, mirrored, turned, compressed.
"""

import io
import json
import subprocess
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from faces.gallery import DAY_S, Gallery, Person
from faces.watching import Face
from modules.pictures import SIZE, encoded, filmed
from modules.stage import EXAMPLES, FOOTAGE, INSTALLED, Stage, command, installed, running, stage_at, until_said
from PIL import Image, ImageEnhance, ImageOps

from vigil.testing.servers import NatsServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

COLLINS, HOPPER = "astronaut.png", "grace_hopper.jpg"
CONSENT = "a public portrait, for this test of 2026 alone"
FIND = """
import json, sys
from pathlib import Path
from faces.dlib_finder import DlibFinder
finder = DlibFinder()
pictures = [finder.faces(Path(path).read_bytes()) for path in sys.argv[1:]]
print(json.dumps([[[found.embedding, found.box] for found in faces] for faces in pictures]))
"""
PEOPLE = FOOTAGE / "one-by-one-person-detection.mp4"


@pytest.fixture
async def stage(nats_server: NatsServer) -> AsyncIterator[Stage]:
    async with stage_at(nats_server.url) as stage:
        yield stage


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The settings of an operator who has switched recognition on for one session."""
    path = tmp_path / "faces.toml"
    path.write_text('is_on = true\nsessions = ["s-1"]\nfaces_file = "faces.sealed"\nkey_file = "faces.key"\n')
    return path


def portrait(name: str) -> Path:
    path = INSTALLED / "pictures" / name
    if not path.exists():
        pytest.skip("the portraits are not installed: make modules")
    return path


@dataclass(frozen=True, slots=True)
class Change:
    """What the camera or the room did to a face."""

    mirrored: bool = False
    light: float = 1.0
    turned: float = 0.0  # degrees
    side: int = 300  # pixels of the portrait in the picture
    quality: int = 75


CHANGES = (
    Change(),
    Change(mirrored=True),
    Change(light=0.5),
    Change(light=1.4),
    Change(turned=12),
    Change(side=200),
    Change(quality=30),
    Change(mirrored=True, light=0.7, turned=6, side=260),
)


def at_the_door(name: str, change: Change = CHANGES[0]) -> bytes:
    """A camera's picture of a hall in which somebody stands."""
    with Image.open(portrait(name)) as opened:
        person = opened.convert("RGB")
    person = ImageOps.mirror(person) if change.mirrored else person
    person = ImageEnhance.Brightness(person.rotate(change.turned, fillcolor=(90, 90, 90))).enhance(change.light)
    person.thumbnail((change.side, change.side))
    hall = Image.new("RGB", SIZE, (150, 145, 135))
    hall.paste(person, (200, SIZE[1] - person.height))
    return encoded(hall, change.quality)


def found(folder: Path, pictures: Sequence[bytes]) -> list[list[Face]]:
    """The faces that the finder finds in these pictures."""
    paths = [folder / f"{number}.jpg" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        path.write_bytes(picture)
    command = [installed("faces"), "-c", FIND, *map(str, paths)]
    done = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return [[Face(tuple(face), tuple(box)) for face, box in faces] for faces in json.loads(done.stdout)]


def test_a_person_is_recognised_in_pictures_that_differ_and_no_other_is(tmp_path: Path) -> None:
    names = [COLLINS, HOPPER]
    faces = found(tmp_path, [portrait(name).read_bytes() for name in names])
    people = [
        Person(name, CONSENT, 1, 1 + DAY_S, (face.embedding,)) for name, (face,) in zip(names, faces, strict=True)
    ]
    for name in names:
        seen = found(tmp_path, [at_the_door(name, change) for change in CHANGES])
        assert [len(faces) for faces in seen] == [1] * len(CHANGES)
        for person in people:
            matches = [Gallery((person,)).recognise(face.embedding) for (face,) in seen]
            assert [match is not None for match in matches] == [person.name == name] * len(CHANGES)


@pytest.mark.skipif(not PEOPLE.is_file(), reason="there is no build/footage")
def test_people_on_real_footage_who_never_agreed_are_nobody(tmp_path: Path) -> None:
    enrolled = found(tmp_path, [portrait(name).read_bytes() for name in (COLLINS, HOPPER)])
    gallery = Gallery(
        tuple(
            Person(name, CONSENT, 1, 1 + DAY_S, (face.embedding,))
            for name, (face,) in zip((COLLINS, HOPPER), enrolled, strict=True)
        )
    )
    faces = [face for faces in found(tmp_path, list(filmed(PEOPLE))) for face in faces]
    assert [face for face in faces if gallery.recognise(face.embedding)] == []


async def faces(config: Path, *arguments: str) -> tuple[int, str]:
    return await command("faces", str(config), *arguments, python=installed("faces"))


async def enrol(config: Path, *people: tuple[str, str]) -> None:
    assert (await faces(config, "key"))[0] == 0
    for name, picture in people:
        status, text = await faces(config, "enrol", name, str(portrait(picture)), "--consent", CONSENT, "--days", "30")
        assert status == 0, text
        assert f"enrolled {name} until" in text


async def test_who_agreed_is_told_in_pictures_that_differ_and_the_other_is_not(
    stage: Stage, config: Path, tmp_path: Path
) -> None:
    await enrol(config, ("Eileen Collins", COLLINS))
    (tmp_path / "address").write_text(stage.address("faces"))
    async with running("faces", str(config), "run", f"@{tmp_path / 'address'}", python=installed("faces")) as process:
        await until_said(process, "demo/faces looks for 1 people in s-1")
        for _ in range(20):
            await stage.show(at_the_door(HOPPER))
        picture = at_the_door(COLLINS, CHANGES[-1])
        seen = await stage.show_until_told([picture], "Eileen Collins is in the picture", process)
        await stage.show_until_told([at_the_door(HOPPER)], "Eileen Collins is no longer in the picture", process)
    assert stage.texts() == ["Eileen Collins is in the picture", "Eileen Collins is no longer in the picture"]
    assert (seen.module, seen.kind) == ("faces", "face")
    assert seen.confidence is not None
    assert 0.5 < seen.confidence <= 1
    assert seen.box is not None
    assert 200 <= seen.box.left <= 460


async def test_each_of_two_people_is_told_by_their_own_name(stage: Stage, config: Path) -> None:
    await enrol(config, ("Eileen Collins", COLLINS), ("Grace Hopper", HOPPER))
    async with running("faces", str(config), "run", stage.address("faces"), python=installed("faces")) as process:
        await until_said(process, "looks for 2 people")
        await stage.show_until_told([at_the_door(HOPPER, CHANGES[2])], "Grace Hopper is in the picture", process)
        await stage.show_until_told([at_the_door(COLLINS)], "Eileen Collins is in the picture", process)
    assert stage.texts()[:2] == ["Grace Hopper is in the picture", "Eileen Collins is in the picture"]


async def test_what_is_kept_tells_nothing_and_who_is_forgotten_is_gone(config: Path, tmp_path: Path) -> None:
    await enrol(config, ("Eileen Collins", COLLINS), ("Grace Hopper", HOPPER))
    status, listed = await faces(config, "list")
    assert status == 0
    assert [line.split(":")[0] for line in listed.splitlines()] == ["Eileen Collins", "Grace Hopper"]
    assert CONSENT in listed
    sealed = (tmp_path / "faces.sealed").read_bytes()
    assert b"Eileen" not in sealed
    assert b"public portrait" not in sealed
    assert {path.name for path in tmp_path.glob("*")} == {"faces.key", "faces.sealed", "faces.toml"}  # noqa: ASYNC240
    assert (await faces(config, "forget", "Eileen Collins"))[0] == 0
    assert "Eileen" not in (await faces(config, "list"))[1]
    assert "nobody called 'Eileen Collins'" in (await faces(config, "forget", "Eileen Collins"))[1]


async def test_what_must_not_be_is_refused_in_words(config: Path, tmp_path: Path) -> None:
    await enrol(config)
    nobody, two = tmp_path / "nobody.jpg", tmp_path / "two.jpg"
    nobody.write_bytes(encoded(Image.new("RGB", SIZE, (120, 120, 120))))
    both = Image.new("RGB", (800, 400))
    for place, name in enumerate((COLLINS, HOPPER)):
        with Image.open(io.BytesIO(at_the_door(name))) as hall:
            both.paste(hall.crop((200, 84, 500, 384)), (400 * place, 50))
    two.write_bytes(encoded(both))
    cases = [
        (("enrol", "Anna", str(nobody), "--consent", CONSENT), "shows 0 faces"),
        (("enrol", "Anna", str(two), "--consent", CONSENT), "shows 2 faces"),
        (("enrol", "Anna", str(config), "--consent", CONSENT), "is no picture"),
        (("enrol", "Anna", str(portrait(HOPPER)), "--consent", "yes"), "nobody is enrolled without consent"),
        (("enrol", "Anna", str(portrait(HOPPER))), "--consent"),
        (("enrol", "Anna", str(portrait(HOPPER)), "--consent", CONSENT, "--days", "0"), "1 to 3,650 days"),
        (("key",), "exists"),
    ]
    for arguments, expected in cases:
        status, text = await faces(config, *arguments)
        assert status != 0
        assert expected in text
        assert "Traceback" not in text
    assert not (tmp_path / "faces.sealed").exists()
