"""Who is enrolled, who is recognised, and that what is kept tells nothing without the key."""

import stat
from pathlib import Path

import pytest
from faces.config import Config, InvalidConfig, read_config
from faces.gallery import (
    CLEARLY,
    DAY_S,
    DIMENSIONS,
    MOST_FACES,
    MOST_PEOPLE,
    NEAREST,
    Embedding,
    Gallery,
    Match,
    Person,
    Refused,
)
from faces.vault import FORM, load, new_key, read_key, save, seal, unseal
from faces.watching import Face, Watched, watch
from finding import Finding
from modules.stage import EXAMPLES, command

S = 1_000_000
NOW_S = 1_800_000_000
CONSENT = "signed form 12 of 3 March, for the lobby's camera"
BOX = (10, 20, 80, 80)


def embedding(first: float, second: float = 0.0) -> Embedding:
    """A face that is as far from another as their numbers are apart."""
    return (first, second, *[0.0] * (DIMENSIONS - 2))


def person(name: str, *faces: Embedding, days: int = 30) -> Person:
    return Person(name, CONSENT, NOW_S, NOW_S + days * DAY_S, faces or (embedding(0.0),))


ANNA, BEN = person("Anna", embedding(0.0)), person("Ben", embedding(1.0))
BOTH = Gallery((ANNA, BEN))


@pytest.mark.parametrize(
    ("face", "expected"),
    [
        (embedding(0.0), ("Anna", 0.0)),
        (embedding(0.25), ("Anna", 0.25)),
        (embedding(0.9), ("Ben", 0.1)),
        (embedding(0.0, NEAREST), None),
        (embedding(-3.0), None),
    ],
)
def test_who_is_near_enough_is_recognised(face: Embedding, expected: tuple[str, float] | None) -> None:
    assert rounded(BOTH.recognise(face)) == expected


def rounded(match: Match | None) -> tuple[str, float] | None:
    """Who was recognised, and how far away."""
    return None if match is None else (match.name, round(match.distance, 6))


def test_between_two_people_nobody_is_recognised() -> None:
    near = Gallery((person("Anna", embedding(0.0)), person("Ben", embedding(0.4))))
    assert near.recognise(embedding(0.2)) is None
    assert rounded(near.recognise(embedding(0.2 + CLEARLY))) == ("Ben", 0.15)


def test_the_nearest_of_a_persons_faces_counts() -> None:
    gallery = Gallery().enrol(person("Anna", embedding(0.0))).enrol(person("Anna", embedding(0.0, 2.0)))
    assert rounded(gallery.recognise(embedding(0.0, 1.9))) == ("Anna", 0.1)


def test_confidence_is_nearness() -> None:
    assert [Match("Anna", distance).confidence for distance in (0.0, 0.314, 2.0)] == [1.0, 0.69, 0.0]


def test_who_is_forgotten_is_recognised_no_more() -> None:
    assert BOTH.forget("Anna").recognise(embedding(0.0)) is None
    with pytest.raises(Refused, match="nobody called 'Cleo' is enrolled"):
        BOTH.forget("Cleo")


def test_consent_ends() -> None:
    assert [found.name for found in BOTH.at(NOW_S + 30 * DAY_S - 1).people] == ["Anna", "Ben"]
    assert BOTH.at(NOW_S + 30 * DAY_S).people == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"consent": " "}, "without consent"),
        ({"consent": "yes"}, "without consent"),
        ({"name": ""}, "cannot be told"),
        ({"name": "Anna\nis a queen"}, "cannot be told"),
        ({"name": 61 * "a"}, "cannot be told"),
        ({"until_s": NOW_S}, "1 to 3,650 days"),
        ({"until_s": NOW_S + 4_000 * DAY_S}, "1 to 3,650 days"),
        ({"faces": ()}, "has 0 faces"),
        ({"faces": (MOST_FACES + 1) * (embedding(0.0),)}, "has 9 faces"),
        ({"faces": ((0.0, 1.0),)}, "128 finite numbers"),
        ({"faces": (embedding(float("nan")),)}, "128 finite numbers"),
    ],
)
def test_nobody_is_enrolled_who_cannot_be(change: dict[str, object], told: str) -> None:
    given: dict[str, object] = {
        "name": "Anna",
        "consent": CONSENT,
        "enrolled_s": NOW_S,
        "until_s": NOW_S + DAY_S,
        "faces": (embedding(0.0),),
    }
    with pytest.raises(Refused) as refused:
        Person(**{**given, **change})  # type: ignore[arg-type]
    assert told in str(refused.value)


def test_a_gallery_is_bounded() -> None:
    gallery = Gallery(tuple(person(f"person {number}") for number in range(MOST_PEOPLE)))
    with pytest.raises(Refused, match="forget somebody first"):
        gallery.enrol(ANNA)
    assert len(gallery.enrol(person("person 7")).people) == MOST_PEOPLE


def test_what_is_sealed_opens_with_the_key_and_tells_nothing_without_it() -> None:
    key, other = bytes(range(32)), bytes(32)
    sealed = seal(BOTH, key)
    assert unseal(sealed, key) == BOTH
    assert seal(BOTH, key) != sealed, "each writing has its own nonce"
    assert b"Anna" not in sealed
    assert b"signed" not in sealed
    with pytest.raises(Refused, match="does not open with this key"):
        unseal(sealed, other)


@pytest.mark.parametrize("place", [len(FORM), len(FORM) + 12, -1])
def test_a_byte_that_was_changed_is_found_out(place: int) -> None:
    sealed = bytearray(seal(BOTH, bytes(32)))
    sealed[place] ^= 1
    with pytest.raises(Refused, match="or was changed"):
        unseal(bytes(sealed), bytes(32))


def test_another_files_bytes_are_refused() -> None:
    with pytest.raises(Refused, match="of a newer release"):
        unseal(b"vigil faces 2\n" + bytes(64), bytes(32))
    with pytest.raises(Refused, match="or was changed"):
        unseal(FORM, bytes(32))


def test_a_key_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    new_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(read_key(path)) == 32
    with pytest.raises(Refused, match="would make every face sealed with it unreadable"):
        new_key(path)
    path.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        read_key(path)


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="make one with `key`"):
        read_key(tmp_path / "none")
    (tmp_path / "short").write_text("YWJj\n")
    (tmp_path / "short").chmod(0o600)
    with pytest.raises(Refused, match="is no key"):
        read_key(tmp_path / "short")


def test_a_file_is_written_whole_for_its_owner_alone(tmp_path: Path) -> None:
    path, key = tmp_path / "faces", bytes(32)
    assert load(path, key) == Gallery()
    save(BOTH, path, key)
    save(BOTH.forget("Ben"), path, key)
    assert load(path, key) == Gallery((ANNA,))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["faces"]


def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        load(tmp_path, bytes(32))
    with pytest.raises(Refused, match="cannot be written"):
        save(BOTH, tmp_path / "nowhere" / "faces", bytes(32))


def told(*pictures: list[Embedding], gallery: Gallery = BOTH) -> list[Finding]:
    """What is told of the faces of pictures, one a second."""
    watched = Watched()
    findings: list[Finding] = []
    for second, faces in enumerate(pictures, 1):
        watched, found = watch(watched, [Face(face, BOX) for face in faces], gallery, second * S)
        findings += found
    return findings


def test_who_comes_is_told_and_who_goes() -> None:
    here = [embedding(0.25)]
    assert told(here, here, here, *[[]] * 10) == [
        Finding("Anna is in the picture", 0.75, BOX),
        Finding("Anna is no longer in the picture"),
    ]


def test_of_strangers_nothing_is_told() -> None:
    assert told(*[[embedding(-2.0), embedding(0.0, 3.0)]] * 20) == []


def test_one_look_alone_names_nobody() -> None:
    assert told([embedding(0.0)], [], [embedding(0.0)], []) == []


def test_of_two_faces_of_one_person_the_nearer_is_told() -> None:
    both = [embedding(0.4), embedding(0.1)]
    assert told(both, both) == [Finding("Anna is in the picture", 0.9, BOX)]


def test_who_is_forgotten_while_in_the_picture_is_named_no_more() -> None:
    watched = Watched()
    found: tuple[Finding, ...] = ()
    for second in (1, 2):
        watched, found = watch(watched, [Face(embedding(0.0), BOX)], BOTH, second * S)
    assert [finding.text for finding in found] == ["Anna is in the picture"]
    for second in range(3, 30):
        watched, found = watch(watched, [Face(embedding(0.0), BOX)], BOTH.forget("Anna"), second * S)
        assert found == ()


def test_recognition_is_off_until_the_operator_says_otherwise() -> None:
    shipped = EXAMPLES / "faces/faces.toml"
    config = read_config(shipped.read_text(), shipped.parent)
    assert config == Config(shipped.parent / "faces.sealed", shipped.parent / "faces.key", is_on=False, sessions=())
    with pytest.raises(InvalidConfig, match=r"recognition is off: read docs/faces-privacy\.md"):
        config.check_on()
    with pytest.raises(InvalidConfig, match="no session is named"):
        Config(config.faces_file, config.key_file, is_on=True).check_on()
    Config(config.faces_file, config.key_file, is_on=True, sessions=("s-1",)).check_on()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("is_on", "no TOML"),
        ("is_on = 1", "give true or false"),
        ("sessions = 's-1'", "a list of session ids"),
        ("is_on = true", "name two files"),
        ("key_file = ''\nfaces_file = 'a'", "name two files"),
        ("colour = 'red'", "unknown settings ['colour']"),
    ],
)
def test_settings_that_do_not_say_what_is_needed_are_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidConfig) as refused:
        read_config(text, Path())
    assert told in str(refused.value)


async def test_the_process_refuses_to_look_while_recognition_is_off() -> None:
    status, text = await command("faces", "faces/faces.toml", "run", "nats://module.demo.faces:x@127.0.0.1:1")
    assert status == 1
    assert text == "recognition is off: read docs/faces-privacy.md, then set is_on = true\n"
