"""One text is played: in time, with its words, and up to where it is stopped."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from vigil.testing.eventually import eventually
from vigil_tts.player import LEAD_S, PIECE_S, Piece, Player
from vigil_tts.synthesizers.port import SynthesizerError, Task
from vigil_tts.testing.scripted_synthesizer import RATE_HZ, ScriptedSynthesizer, tone


@dataclass
class Listener:
    """Keeps the pieces, with when each came."""

    pieces: list[Piece] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    first: int = 0

    async def publish(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.at.append(time.monotonic())

    def on_sound(self) -> None:
        self.first += 1

    @property
    def seconds(self) -> float:
        return sum(piece.seconds for piece in self.pieces)


@pytest.fixture
def engine() -> ScriptedSynthesizer:
    return ScriptedSynthesizer()


@pytest.fixture
def listener() -> Listener:
    return Listener()


def player(engine: ScriptedSynthesizer, text: str, listener: Listener) -> Player:
    return Player(engine, text, Task("", "anna", 1.0, "en"), listener.publish, listener.on_sound)


async def test_every_sentence_is_played_as_it_is_read(engine: ScriptedSynthesizer, listener: Listener) -> None:
    text = "At 14:05 he came. \U0001f525 Then **he** left."
    playing = player(engine, text, listener)
    await playing.run()
    assert engine.tasks == [
        Task("At fourteen oh five he came.", "anna", 1.0, "en"),
        Task("Then he left.", "anna", 1.0, "en"),
    ]
    assert [piece.sentence.text for piece in listener.pieces] == ["At 14:05 he came."] * 5 + [
        "\U0001f525 Then **he** left."
    ] * 5
    assert b"".join(piece.pcm for piece in listener.pieces) == tone(0.15) * 4
    assert {piece.sample_rate_hz for piece in listener.pieces} == {RATE_HZ}
    assert (listener.first, playing.heard) == (1, text)


async def test_sound_is_published_hardly_ahead_of_when_it_is_heard(
    engine: ScriptedSynthesizer, listener: Listener
) -> None:
    engine.usual_s = 0.8
    begun = time.monotonic()
    await player(engine, "One. Two.", listener).run()
    lasted = time.monotonic() - begun
    assert lasted >= listener.seconds - 0.01, "it ends when all has been heard"
    before = 0.0
    for piece, at in zip(listener.pieces, listener.at, strict=True):
        before += piece.seconds
        assert before - (at - listener.at[0]) <= LEAD_S + 0.02
        assert piece.seconds <= PIECE_S + 0.001


async def test_the_next_sentence_is_made_while_one_is_heard_and_no_more(
    engine: ScriptedSynthesizer, listener: Listener
) -> None:
    engine.usual_s = 2.0
    running = asyncio.create_task(player(engine, "One. Two. Three. Four.", listener).run())
    await eventually(lambda: len(listener.pieces) >= 5, what="it plays")
    assert {piece.sentence.text for piece in listener.pieces} == {"One."}
    assert engine.texts == ["One.", "Two."]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_pause_stops_at_once_and_it_goes_on_where_it_paused(
    engine: ScriptedSynthesizer, listener: Listener
) -> None:
    engine.usual_s = 1.0
    playing = player(engine, "One two three four five six.", listener)
    running = asyncio.create_task(playing.run())
    await eventually(lambda: listener.seconds >= 0.5, what="half of it is published")
    playing.pause()
    published, unplayed_s = listener.seconds, playing.unplayed_s
    assert unplayed_s <= LEAD_S
    await asyncio.sleep(0.4)  # so long nothing may come
    assert listener.seconds == published
    heard = playing.heard
    assert heard in ("One two", "One two three", "One two three four")
    playing.resume()
    await running
    assert listener.seconds == pytest.approx(1.0)
    assert playing.heard == "One two three four five six."


async def test_what_was_heard_when_it_is_stopped_is_told(engine: ScriptedSynthesizer, listener: Listener) -> None:
    engine.seconds = {"The door is open.": 0.2, "A man comes in slowly.": 1.0}
    playing = player(engine, "The door is open. A man comes in slowly.", listener)
    assert playing.heard == ""
    running = asyncio.create_task(playing.run())
    await eventually(lambda: listener.seconds >= 0.8, what="it is in the second sentence")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert playing.heard.startswith("The door is open. A")
    assert not playing.heard.endswith("slowly.")
    assert engine.closed == len(engine.tasks), "the engine's work has ended"


async def test_a_slow_engine_leaves_gaps_and_no_rush_after_them(
    engine: ScriptedSynthesizer, listener: Listener
) -> None:
    engine.usual_s = 0.6
    engine.may_speak.clear()
    running = asyncio.create_task(player(engine, "One.", listener).run())
    await asyncio.sleep(0.3)
    engine.may_speak.set()
    await running
    spread = listener.at[-1] - listener.at[0]
    assert spread >= 0.6 - LEAD_S - 2 * PIECE_S


@pytest.mark.parametrize(("fails", "heard_s"), [("mute", 0.3), ("fails", 0.45)])
async def test_an_engine_that_fails_ends_it_after_what_there_is(
    engine: ScriptedSynthesizer, listener: Listener, fails: str, heard_s: float
) -> None:
    getattr(engine, fails).add("Two.")
    playing = player(engine, "One. Two. Three.", listener)
    with pytest.raises(SynthesizerError):
        await playing.run()
    assert listener.seconds == pytest.approx(heard_s)
    assert playing.has_sound
    assert engine.texts == ["One.", "Two."]


async def test_words_come_with_the_piece_in_which_they_begin(engine: ScriptedSynthesizer, listener: Listener) -> None:
    await player(engine, "aaaa bbbb cccc.", listener).run()
    told = [[(timed.word.begin, round(timed.from_s, 2)) for timed in piece.words] for piece in listener.pieces]
    assert told == [[(0, 0.0)], [(5, 0.03)], [], [(10, 0.01)], []]


async def test_a_text_with_nothing_to_say_has_no_sound(engine: ScriptedSynthesizer, listener: Listener) -> None:
    playing = player(engine, "\U0001f525 …", listener)
    await playing.run()
    assert (engine.tasks, listener.pieces, playing.has_sound, playing.heard) == ([], [], False, "")
