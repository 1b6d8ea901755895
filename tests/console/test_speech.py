"""The microphone and the voice in a real browser: what its microphone hears arrives on the bus, what a session speaks
is played, and its words are shown."""

import asyncio
import math
import struct
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from console_axe import serious_findings
from console_journey import WAIT_MS, log_in
from console_stage import MISSING, NEEDS, TENANT, Stage, chromium
from playwright.async_api import Browser, Locator, Page, expect

from vigil.contract import subjects
from vigil.contract.audio import (
    AudioChunk,
    SpokenChunk,
    SpokenWord,
    VoiceActivity,
    VoiceState,
    decode_audio,
    encode_activity,
    encode_spoken,
)
from vigil.contract.events.speech import Spoken, speech_outgoing
from vigil.contract.events.transcripts import Transcript, transcript_outgoing
from vigil.contract.subject_tokens import SpeechEvent
from vigil.core.hearing import Became, Origin
from vigil.core.ids import SessionKey
from vigil.core.sound import SAMPLE_RATE_HZ
from vigil.core.source import Role
from vigil.core.voice import SpeechCause, SpeechKind
from vigil.runtime.bus.client import Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.placement.leases import Placement
from vigil.runtime.session.lifecycle import now_us
from vigil.runtime.store.redis_client import open_redis
from vigil.testing.eventually import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.skipif(MISSING, reason=NEEDS)]

TONE_HZ, WAV_HZ, VOICE_HZ = 660, 48_000, 24_000
TEXT = "A fire has started."
UTTERANCE = "s-1.utterance.9.4"
# Each word of it: its first character, the one behind its last, and the millisecond at which it begins.
WORD_TIMES = ((0, 1, 0), (2, 6, 150), (7, 10, 400), (11, 19, 650))
# The page's own AudioContexts, for a test to look at.
REMEMBER_CONTEXTS = """window.contexts = [];
const Own = window.AudioContext;
window.AudioContext = class extends Own {
  constructor(...given) { super(...given); window.contexts.push(this); }
};"""
# The one that plays what is spoken is there before the microphone's.
CLOCK = "contexts[0].currentTime"


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's microphone hears, over and over: a tone in short beeps, as browsers take out what lasts."""
    path = tmp_path_factory.mktemp("microphone") / "tone.wav"
    beeps = (
        int(12_000 * math.sin(2 * math.pi * TONE_HZ * at / WAV_HZ)) if at // (WAV_HZ // 5) % 2 == 0 else 0
        for at in range(4 * WAV_HZ)
    )
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, WAV_HZ, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in beeps))
    return path


@pytest.fixture
async def browser(camera: Path, microphone: Path) -> AsyncIterator[Browser]:
    async with chromium(camera, microphone=microphone) as running:
        yield running


@asynccontextmanager
async def workers_of_speech(stage: Stage) -> AsyncIterator[None]:
    """Places of workers that hear and speak, so that sessions may ask for both: the tests tell what they would."""
    async with open_redis(stage.redis_url) as redis:
        placement = Placement(redis, lease_s=3_600)
        for role in (Role.ASR, Role.TTS):
            await placement.heartbeat(role, f"{role}-1", 10)
        yield


async def watch_with_speech(page: Page) -> SessionKey:
    """Open a session on this browser's camera that is spoken to and speaks; its page is shown."""
    await page.add_init_script(REMEMBER_CONTEXTS)
    await log_in(page)
    await page.goto("/sessions/new")
    await page.get_by_text("Microphone and voice", exact=True).click()
    await page.get_by_label("It can be spoken to").check()
    await page.get_by_label("Questions").select_option("push")
    await page.get_by_label("It speaks aloud").check()
    await page.get_by_label("Speed", exact=True).fill("1.25")
    await page.get_by_label("What to watch for").fill("Alert me when a fire starts.")
    await page.get_by_role("button", name="Start watching").click()
    await expect(page.get_by_role("group", name="Speech")).to_be_visible(timeout=WAIT_MS)
    return SessionKey(TENANT, page.url.rsplit("/", 1)[1])


async def test_what_the_microphone_hears_arrives_as_it_sounded(stage: Stage, page: Page) -> None:
    async with workers_of_speech(stage):
        key = await watch_with_speech(page)
        chunks: list[AudioChunk] = []
        async with stage.bus.subscribe(subjects.audio_in(key), 4_096) as channel:
            hearing = asyncio.create_task(_hear(channel, chunks))
            button = page.get_by_role("button", name="Microphone")
            await button.focus()
            await page.keyboard.down(" ")
            await expect(page.get_by_text("Listening; let go to stop")).to_be_visible(timeout=WAIT_MS)
            await eventually(lambda: _addressed_s(chunks) >= 2, what="two seconds were heard")
            await page.keyboard.up(" ")
            await expect(button).to_have_attribute("aria-pressed", "false")
            await eventually(lambda: any(not chunk.is_addressed for chunk in chunks), what="silence follows")
            hearing.cancel()
        assert await serious_findings(page) == []
    heard = [chunk for chunk in chunks if chunk.is_addressed]
    assert {chunk.origin for chunk in chunks} == {Origin.MICROPHONE}
    assert all(20 <= chunk.duration_ms <= 100 for chunk in heard)
    assert [chunk.sequence for chunk in chunks] == list(range(len(chunks)))
    assert abs(_strongest_hz(b"".join(chunk.pcm for chunk in heard)) - TONE_HZ) < 5
    after = [chunk for chunk in chunks if not chunk.is_addressed]
    assert not any(any(chunk.pcm) for chunk in after[1:]), "once the button is let go nothing is listened to"


async def test_what_is_spoken_is_played_with_its_words_and_stops_when_it_is_interrupted(
    stage: Stage, page: Page
) -> None:
    async with workers_of_speech(stage):
        key = await watch_with_speech(page)
        caption = page.get_by_role("group", name="Speech").locator(".caption")
        await eventually(lambda: _shows(caption, stage, key), what="the page is connected")
        for chunk in spoken_chunks(key):
            await stage.bus.publish(subjects.audio_out(key), encode_spoken(chunk))
        await expect(caption).to_contain_text(TEXT)
        await expect(caption.locator("mark")).to_have_text("started.")
        begin = float(await page.evaluate(CLOCK))
        await eventually(lambda: _has_moved(page, begin), what="the sound goes on")

        await _tell(stage, VoiceActivity(key, VoiceState.STARTED, now_us(), Origin.MICROPHONE, "m-1"))
        await eventually(lambda: _is(page, "suspended"), what="somebody speaks: it pauses")
        for is_dark in (False, True):
            await page.emulate_media(color_scheme="dark" if is_dark else "light", reduced_motion="reduce")
            assert await serious_findings(page) == []
        await _tell(stage, VoiceActivity(key, VoiceState.FALSE_START, now_us(), Origin.MICROPHONE, "m-1"))
        await eventually(lambda: _is(page, "running"), what="nobody did: it goes on")

        spoken = Spoken(key, "camera", UTTERANCE, SpeechKind.ORDINARY, TEXT, "A fire", "", SpeechCause.USER_SPOKE)
        await stage.bus.publish_stored(speech_outgoing(SpeechEvent.INTERRUPTED, spoken, now_us()))
        await expect(caption).to_have_count(0)


async def test_what_is_said_is_shown_with_what_became_of_it(stage: Stage, page: Page) -> None:
    async with workers_of_speech(stage):
        key = await watch_with_speech(page)
        bar = page.get_by_role("group", name="Speech")
        partial = bar.locator(".partial")
        await eventually(lambda: _shows(bar.locator(".caption"), stage, key), what="the page is connected")
        said = Transcript(key, "camera", "t-1", "How many", now_us(), now_us(), None, "en", Origin.MICROPHONE, "test")
        told = transcript_outgoing(said, now_us())

        async def is_shown() -> bool:
            """What comes before the page follows the session's transcripts is gone: it is told again."""
            await stage.bus.publish(told.subject, told.payload)
            return await partial.count() > 0

        await eventually(is_shown, what="what is being said is shown")
        await expect(partial).to_contain_text("How many")
        final = replace(said, text="How many people?", confidence=0.9, became=Became.NOT_ADDRESSED)
        await stage.bus.publish_stored(transcript_outgoing(final, now_us()))
        await expect(page.get_by_role("log").get_by_text("How many people?")).to_be_visible()
        await expect(page.get_by_role("log").get_by_text("Said to somebody else")).to_be_visible()
        await expect(partial).to_have_count(0)
        assert await serious_findings(page) == []


def spoken_chunks(key: SessionKey) -> Iterator[SpokenChunk]:
    """Three seconds of a tone in pieces of 100 ms, with the four words of `TEXT` in the first second."""
    words = {at // 100: (SpokenWord(begin, end, at % 100, at % 100 + 200),) for begin, end, at in WORD_TIMES}
    for piece in range(30):
        samples = VOICE_HZ // 10
        pcm = b"".join(
            struct.pack("<h", int(8_000 * math.sin(2 * math.pi * 330 * (piece * samples + at) / VOICE_HZ)))
            for at in range(samples)
        )
        yield SpokenChunk(key, UTTERANCE, piece, TEXT, 0, VOICE_HZ, pcm, words.get(piece, ()), piece == 29)


async def _shows(caption: Locator, stage: Stage, key: SessionKey) -> bool:
    """Whether the words of a piece without sound are shown, which says that the page hears what is spoken."""
    probe = SpokenChunk(key, "probe", 0, "Hello.", 0, VOICE_HZ, b"", (), is_last=True)
    await stage.bus.publish(subjects.audio_out(key), encode_spoken(probe))
    return await caption.count() > 0


async def _tell(stage: Stage, activity: VoiceActivity) -> None:
    await stage.bus.publish(subjects.voice_activity(activity.key), encode_activity(activity))


async def _has_moved(page: Page, begin: float) -> bool:
    return float(await page.evaluate(CLOCK)) > begin + 0.2


async def _is(page: Page, state: str) -> bool:
    return bool(await page.evaluate("contexts[0].state") == state)


async def _hear(channel: KeepLatest[Message], chunks: list[AudioChunk]) -> None:
    async for message in channel:
        chunk = decode_audio(message.payload)
        chunks.append(chunk)


def _addressed_s(chunks: list[AudioChunk]) -> float:
    return sum(chunk.duration_ms for chunk in chunks if chunk.is_addressed) / 1_000


def _strongest_hz(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / len(samples))
