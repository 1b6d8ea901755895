"""Zones and motion: their geometry by value, and what is told of pictures drawn for it, rendered, and filmed."""

from collections.abc import Iterator, Sequence

import pytest
from finding import Finding
from modules.pictures import SIZE, encoded, filmed, room, squares
from modules.stage import EXAMPLES, FOOTAGE
from PIL import Image
from zones.motion import LEARNING_PICTURES, WIDTH, small, step
from zones.watching import Watched, watch
from zones.zone import InvalidZone, Point, Zone, area, crosses_itself, read_zones

from vigil_recipe.render.frames import to_jpeg
from vigil_recipe.world import Split, Stage, make_episode, render

S = 1_000_000
LEFT = Zone("the left half", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
RIGHT = Zone("the right half", ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)))
SQUARE: tuple[Point, ...] = ((0.2, 0.2), (0.4, 0.2), (0.4, 0.4), (0.2, 0.4))
CARS = FOOTAGE / "car-detection.mp4"


def told(pictures: Sequence[bytes], zones: Sequence[Zone] = (LEFT, RIGHT), size: tuple[int, int] = SIZE) -> list[str]:
    """What is told of pictures, one a second, each with its second."""
    watched = Watched()
    findings: list[str] = []
    for second, picture in enumerate(pictures):
        watched, found = watch(watched, small(picture), zones, (second + 1) * S, size)
        findings += [f"{second}: {finding.text}" for finding in found]
    return findings


EMPTY = [room()] * LEARNING_PICTURES


def test_what_enters_a_zone_and_leaves_it_is_told_once() -> None:
    there = room((100, 150, 160, 300))
    assert told([*EMPTY, room(), there, there, there, *[room()] * 5]) == [
        f"{LEARNING_PICTURES + 1}: something moves in the left half",
        f"{LEARNING_PICTURES + 6}: nothing moves in the left half any more",
    ]


def test_what_walks_through_is_told_of_each_zone() -> None:
    walk = [room((x, 150, x + 60, 300)) for x in range(-60, 700, 100)]
    assert told([*EMPTY, *walk]) == [
        "10: something moves in the left half",
        "13: something moves in the right half",
        "15: nothing moves in the left half any more",
    ]


def test_the_box_is_around_what_moves_in_pixels_of_the_picture() -> None:
    watched = Watched()
    found: tuple[Finding, ...] = ()
    for second, picture in enumerate([*EMPTY, room((100, 150, 160, 300))], 1):
        watched, found = watch(watched, small(picture), [LEFT], second * S, SIZE)
    (finding,) = found
    assert finding.box is not None
    assert finding.box == pytest.approx((100, 150, 60, 150), abs=8)


def test_what_stands_in_the_first_pictures_for_a_moment_is_no_part_of_the_background() -> None:
    passing = [room((x, 150, x + 60, 300)) for x in (0, 20, 40)]
    assert told([*EMPTY[:3], *passing, *EMPTY[:3], *EMPTY]) == []


def test_light_that_changes_is_no_motion() -> None:
    dimmer = [room(light=light) for light in range(120, 70, -5)]
    assert told([*EMPTY, *dimmer, *[room(light=70)] * 3, room(light=140), room(light=140)]) == []


def test_a_camera_that_turned_begins_anew() -> None:
    assert told([*[squares(0)] * LEARNING_PICTURES, *[squares(64)] * 12]) == []


def test_what_stands_still_is_noticed_for_a_minute_and_becomes_background_in_ten() -> None:
    there = room((100, 150, 160, 300))
    assert told([*EMPTY, *[there] * 60]) == [f"{LEARNING_PICTURES}: something moves in the left half"]
    assert told([*EMPTY, *[there] * 600])[1:] != []


def test_a_picture_of_another_size_begins_anew() -> None:
    background, _ = step(None, small(room()))
    tall = small(encoded(Image.new("RGB", (200, 400))))
    begun, moving = step(background, tall)
    assert begun.pictures == 1
    assert moving.getbbox() is None
    assert begun.picture.size == (WIDTH, 2 * WIDTH)


def test_too_little_motion_for_a_zone_is_not_told() -> None:
    fussy = Zone(LEFT.name, LEFT.polygon, least_share=0.5)
    assert told([*EMPTY, *[room((100, 150, 160, 300))] * 3], [fussy]) == []


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(OSError, match="cannot identify"):
        small(b"no picture")


@pytest.mark.parametrize(
    ("polygon", "expected"),
    [
        (SQUARE, 0.04),
        (tuple(reversed(SQUARE)), 0.04),
        (((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)), 0.5),
    ],
)
def test_the_area_of_a_polygon(polygon: tuple[Point, ...], expected: float) -> None:
    assert area(polygon) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("polygon", "crosses"),
    [
        (SQUARE, False),
        (((0.2, 0.2), (0.4, 0.4), (0.4, 0.2), (0.2, 0.4)), True),
        (((0.0, 0.0), (0.5, 0.4), (1.0, 0.0), (0.5, 1.0)), False),
        (((0.0, 0.0), (1.0, 0.0), (0.5, 0.0), (0.5, 1.0)), True),  # an edge runs back on another
    ],
)
def test_edges_that_cross_are_found(polygon: tuple[Point, ...], crosses: bool) -> None:
    assert crosses_itself(polygon) is crosses


def test_zones_are_read() -> None:
    text = """
        [[zone]]
        name = "the door"
        polygon = [[0.2, 0.2], [0.4, 0.2], [0.4, 0.4], [0.2, 0.4]]
        session = "s1"
        least_share = 0.1

        [[zone]]
        name = "the bay"
        polygon = [[0, 0], [1, 0], [0, 1]]
    """
    door, bay = read_zones(text)
    assert door == Zone("the door", SQUARE, "s1", 0.1)
    assert bay == Zone("the bay", ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
    assert door.holds_for("s1")
    assert not door.holds_for("s2")
    assert bay.holds_for("s2")


def test_the_file_that_is_there_to_be_changed_is_right() -> None:
    zones = read_zones((EXAMPLES / "zones/zones.toml").read_text())
    assert [zone.name for zone in zones] == ["the doorway", "the left half of the floor"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("zone = 3", "needs 1 to 16 tables"),
        ("[[zone]\n", "no TOML"),
        ("[[zone]]\nname = 'a'", "needs `name` and `polygon`"),
        ("[[zone]]\nname = 'a'\npolygon = [[0, 0], [1, 0]]", "has 2 points: give 3 to 32"),
        ("[[zone]]\nname = 'a'\npolygon = [[0, 0], [100, 0], [0, 1]]", "outside the picture"),
        ("[[zone]]\nname = 'a'\npolygon = [[0.2, 0.2], [0.4, 0.4], [0.4, 0.2], [0.2, 0.4]]", "cross"),
        ("[[zone]]\nname = 'a'\npolygon = [[0, 0], [0.01, 0], [0, 0.01]]", "too small"),
        ("[[zone]]\nname = ' '\npolygon = [[0, 0], [1, 0], [0, 1]]", "give it a name"),
        ("[[zone]]\nname = 'a'\npolygon = [[0, 0], [1, 0], [0, 1]]\nleast_share = 0", "give a share above 0"),
        ("[[zone]]\nname = 'a'\npolygon = [[0, 0], [1, 0], [0, 1]]\ncolour = 'red'", "unknown fields ['colour']"),
        (2 * "[[zone]]\nname = 'a'\npolygon = [[0, 0], [1, 0], [0, 1]]\n", "two zones have one name"),
    ],
)
def test_a_zone_that_cannot_be_watched_is_refused_with_words(lines: str, told: str) -> None:
    with pytest.raises(InvalidZone) as refused:
        read_zones(lines)
    assert told in str(refused.value)


def test_nearly_everybody_who_crosses_rendered_scenes_is_there_in_the_half_that_they_are_in() -> None:
    noticed = [there for seed in (3, 5, 8) for there in crossing(seed)]
    assert len(noticed) >= 12
    assert sum(noticed) >= 0.9 * len(noticed)


def crossing(seed: int) -> Iterator[bool]:
    """For each second in which somebody is wholly in one half of a rendered scene, whether the zone there knows it."""
    episode, watched = make_episode(seed, Split.TEST, 40, stage=Stage.CROSSING), Watched()
    for second in range(episode.seconds):
        picture = small(to_jpeg(render(episode, second, SIZE), 85))
        watched, _ = watch(watched, picture, [LEFT, RIGHT], (second + 1) * S, SIZE)
        side = episode.passer_side(second)
        if side and second >= LEARNING_PICTURES:
            yield f"the {side} half" in watched.presence.there


@pytest.mark.skipif(not CARS.is_file(), reason="the footage is not on this machine")
def test_cars_on_real_footage_enter_and_leave() -> None:
    assert told(list(filmed(CARS)), size=(640, 360)) == [
        "15: something moves in the left half",  # a silver car and a red one pass each other
        "15: something moves in the right half",
        "21: nothing moves in the right half any more",
        "22: nothing moves in the left half any more",
        "26: something moves in the left half",  # a white car
        "30: nothing moves in the left half any more",
    ]
