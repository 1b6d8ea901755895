"""What a session may be asked to be."""

from collections.abc import Callable
from typing import Any

import pytest

from vigil.core.errors import InvalidSpec, InvalidToken
from vigil.core.hearing import Hearing
from vigil.core.session import Cadence, ResponseMode, SessionSpec, SessionState, Speech, Window
from vigil.core.source import Role, Source, SourceKind, kind_of
from vigil.core.voice import Voice


def spec(**changes: Any) -> SessionSpec:
    values: dict[str, Any] = {
        "tenant": "demo",
        "session": "s-1",
        "source": Source("door", SourceKind.RTSP, "rtsp://camera/door"),
        "profile": "joyai",
        "model": "joyai",
    }
    return SessionSpec(**values | changes)


def test_the_defaults_are_those_of_the_released_model() -> None:
    default = spec()
    assert (default.cadence.interval_ms, default.cadence.frames_per_turn) == (1_000, 1)
    assert (default.window.chunk_turns, default.window.tail_turns) == (100, 9)
    assert default.speech.response_mode is ResponseMode.BALANCED
    assert default.infer_when_idle
    assert default.speech.text_temperature == 0
    assert SessionState() == SessionState(next_sequence=0, last_time_ms=-1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Window(1), "window.chunk_turns is 1: give 2 to 250"),
        (lambda: Window(tail_turns=-1), "window.tail_turns is -1: give 0 to 249"),
        (lambda: Window(5, 5), "window.tail_turns is 5: give less than window.chunk_turns, which is 5"),
        (lambda: Window(251), "window.chunk_turns is 251: give 2 to 250"),
        (
            lambda: spec(cadence=Cadence(1_000, 2), window=Window(126)),
            "is 252 pictures in one prompt: at most 250 are allowed",
        ),
        (lambda: spec(cadence=Cadence(1_000, 3)), "is 300 pictures in one prompt"),
        (lambda: Speech(text_temperature=2.1), "text_temperature is 2.1: give 0 to 2"),
        (lambda: Speech(text_temperature=float("nan")), "text_temperature is nan: give 0 to 2"),
        (lambda: Source("door", SourceKind.RTSP), "every other source needs one"),
        (lambda: Source("door", SourceKind.PUSHED, "rtsp://camera/door"), "a pushed or webrtc source has no address"),
    ],
)
def test_options_out_of_range(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        make()


@pytest.mark.parametrize("window", [Window(2, 1), Window(250, 0)])
def test_chunks_at_their_limits(window: Window) -> None:
    assert spec(window=window).window == window


@pytest.mark.parametrize("field", ["tenant", "session"])
def test_names_must_be_tokens(field: str) -> None:
    with pytest.raises(InvalidToken, match=f"{field} 'no good' is not allowed"):
        spec(**{field: "no good"})


def test_the_name_of_a_source_must_be_a_token() -> None:
    with pytest.raises(InvalidToken, match="source id 'no good' is not allowed"):
        Source("no good", SourceKind.PUSHED)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("file:///videos/a.mp4", SourceKind.FILE),
        ("rtsp://camera/1", SourceKind.RTSP),
        ("RTSPS://camera/1", SourceKind.RTSP),
        ("http://camera/1", SourceKind.HTTP),
        ("https://camera/1", SourceKind.HTTP),
    ],
)
def test_the_address_says_how_a_source_is_read(url: str, kind: SourceKind) -> None:
    assert kind_of(url) is kind


@pytest.mark.parametrize("url", ["rtsp://cam/\0", "rtsp://cam/a\r\nX: y", "file:///a\x7f", "rtsp://cam/\ud800"])
def test_an_address_with_control_characters_is_refused(url: str) -> None:
    with pytest.raises(InvalidSpec, match="control character"):
        kind_of(url)


@pytest.mark.parametrize("url", ["ftp://camera/1", "/videos/a.mp4", "", "concat:/etc/passwd"])
def test_an_address_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(InvalidSpec, match="must begin with file:///, rtsp://"):
        kind_of(url)


def test_a_pushed_source_needs_no_ingestion() -> None:
    assert spec().roles == (Role.INGESTION, Role.CODEC, Role.INTERACTION)
    assert spec(source=Source("door", SourceKind.PUSHED)).roles == (Role.CODEC, Role.INTERACTION)
    assert spec(source=Source("door", SourceKind.WEBRTC)).roles == spec().roles


def test_a_session_that_hears_or_speaks_needs_workers_for_that_and_is_watched_without_them() -> None:
    both = spec(hearing=Hearing(is_on=True), voice=Voice(is_on=True))
    assert both.roles == (*spec().roles, Role.ASR, Role.TTS)
    assert both.source.roles == spec().roles
    assert spec(hearing=Hearing(is_on=True)).roles == (*spec().roles, Role.ASR)
    assert spec(voice=Voice(name="anna")).roles == spec().roles


def test_pushed_pictures_have_no_sound() -> None:
    door = Source("door", SourceKind.PUSHED)
    assert spec(source=door, hearing=Hearing(is_on=True)).roles == (Role.CODEC, Role.INTERACTION, Role.ASR)
    with pytest.raises(InvalidSpec, match=r"hearing\.from_source is true and pushed pictures have no sound"):
        spec(source=door, hearing=Hearing(is_on=True, from_source=True))


@pytest.mark.parametrize("interval_ms", [199, 60_001, 0, -1_000])
def test_intervals_out_of_range(interval_ms: int) -> None:
    with pytest.raises(InvalidSpec, match=f"interval_ms is {interval_ms}: give 200 to 60000 milliseconds"):
        Cadence(interval_ms=interval_ms)


@pytest.mark.parametrize("frames", [0, 9])
def test_frames_per_turn_out_of_range(frames: int) -> None:
    with pytest.raises(InvalidSpec, match=f"frames_per_turn is {frames}: give 1 to 8"):
        Cadence(frames_per_turn=frames)


def test_a_cadence_at_its_limits() -> None:
    assert Cadence(200, 1).interval_ms == 200
    assert Cadence(60_000, 8).frames_per_turn == 8
