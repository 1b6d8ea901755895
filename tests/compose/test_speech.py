"""Speech in real containers: a question that is spoken to a session is understood, and its answer is spoken.

The tests share one deployment: each finds what the one before has left.
"""

import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np
import pytest
from bench.speech.sounds import framed, pcm, resampled
from bench.speech.words import word_error_rate
from compose_stage import Deployment, Table, docker
from spoken_to import Talk, talking
from system import Rest, rest

from vigil.testing.eventually import eventually
from vigil_client.sound import SoundEvent, SpokenSound
from vigil_client.speech import SpeechNews, Transcript

pytestmark = pytest.mark.timeout(900)

SENTENCE = "How many people are in the kitchen now?"
MOST_WRONG = 0.25  # of its words
PAUSE_S = 1.0  # behind it, by which it ends
HEARD_S = 60.0
AGAIN_S = 240.0
TRY_S = 15.0  # sound that comes while nobody listens is lost: then the question is asked again
SPEECH = ("asr", "tts")
RIGHTS = "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.State.OOMKilled}}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer. Times are in seconds after the question's last word."""

    transcript: Transcript
    answer: SpeechNews
    understood_s: float
    sounds_s: float


async def test_a_spoken_question_is_understood_and_its_answer_spoken(deployment: Deployment, table: Table) -> None:
    began = time.monotonic()
    speaking = await _up(deployment)
    table.note("with asr and tts, a scripted engine: `up` until healthy", f"{time.monotonic() - began:.0f} s")
    async with rest(speaking) as gateway:
        question = await _spoken(gateway)
        async with talking(gateway, await _open(gateway)) as talk:
            await talk.opens_microphone()
            exchange = await _asked(talk, question, HEARD_S)
    assert exchange.transcript.became == "query"
    assert word_error_rate([(SENTENCE, exchange.transcript.text)]) <= MOST_WRONG, exchange.transcript.text
    assert "answer number" in exchange.answer.text
    table.note("from a spoken question's last word until its final transcript", f"{exchange.understood_s:.1f} s")
    table.note("from a spoken question's last word until its answer sounds", f"{exchange.sounds_s:.1f} s")
    for service in SPEECH:
        (container,) = speaking.of(service)
        assert docker("inspect", "--format", RIGHTS, container.id).split() == ["10001:10001", "true", "[ALL]", "false"]
        used = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container.id).strip()
        table.note(f"memory of {service} with its embedded engine, of its limit", used)


@pytest.mark.parametrize("service", SPEECH)
async def test_speech_goes_on_after_docker_kill(deployment: Deployment, table: Table, service: str) -> None:
    speaking = await _up(deployment)

    async def kill() -> None:
        docker("kill", speaking.of(service)[0].id)
        # Docker takes `docker kill` for its user's own wish: that container stays down until it is started again.
        await speaking.run("up", "--detach", "--no-recreate")

    table.note(
        f"`docker kill` of {service}, `up` again, until a question is answered aloud", await _again(speaking, kill)
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may kill a process in a container from outside")
@pytest.mark.parametrize("service", SPEECH)
async def test_speech_comes_back_by_itself_after_a_crash(deployment: Deployment, table: Table, service: str) -> None:
    speaking = await _up(deployment)

    async def crash() -> None:
        os.kill(speaking.of(service)[0].pid, signal.SIGKILL)

    table.note(f"a crash of {service} until a question is answered aloud", await _again(speaking, crash))


async def _up(deployment: Deployment) -> Deployment:
    """The deployment with the profile `speech`, begun anew where it runs without."""
    # The scripted engine knows a question by the header that this profile gives it.
    told = {"COMPOSE_PROFILES": "speech", "VIGIL_TEST_SCRIPT": "answering", "VIGIL_PROFILE": "joyai"}
    speaking = deployment.with_files().with_layer("scripted.yaml").with_variables(told)
    if not all(speaking.of(service) for service in SPEECH):
        await deployment.forget()
        await speaking.run("up", "--detach")
        await speaking.until(speaking.is_healthy, "every container is healthy with the profile speech")
        await speaking.run("run", "--rm", "-T", "camera")
    return speaking


async def _again(speaking: Deployment, harm: Callable[[], Awaitable[None]]) -> str:
    """Do harm to a session that hears and speaks; how long it took until it does both again."""
    async with rest(speaking) as gateway:
        question = await _spoken(gateway)
        async with talking(gateway, await _open(gateway)) as talk:
            await talk.opens_microphone()
            await _asked(talk, question, HEARD_S)
            began = time.monotonic()
            await harm()
            while not await _is_answered_again(talk, question):
                assert time.monotonic() - began < AGAIN_S, f"nobody hears or speaks\n{speaking.unwell()}"
            took_s = time.monotonic() - began
    await speaking.until(speaking.is_healthy, "every container is healthy again")
    return f"{took_s:.0f} s"


async def _is_answered_again(talk: Talk, question: bytes) -> bool:
    """Whether it is heard to its last word and answered. No where nobody listened yet, or only to the end of it."""
    try:
        exchange = await _asked(talk, question, TRY_S)
    except TimeoutError:
        return False
    return word_error_rate([(SENTENCE, exchange.transcript.text)]) <= MOST_WRONG


async def _open(gateway: Rest, **options: object) -> str:
    """A session that is spoken to and speaks."""
    hears = {"hearing": {"is_on": True, "language": "en"}, "voice": {"is_on": True}}
    return await gateway.open("file:///media/demo.mp4", source={"loop": True}, **(options or hears))


async def _spoken(gateway: Rest) -> bytes:
    """The sentence as the voice of another session speaks it, as a microphone would record it."""
    session = await _open(gateway, voice={"is_on": True})
    await eventually(lambda: _is_held(gateway, session), HEARD_S, "a worker speaks for the session")
    async with talking(gateway, session) as talk:
        status, answer = await gateway.call("POST", f"/v1/sessions/{session}/say", {"text": SENTENCE})
        assert status < 300, answer
        sound, rate_hz = await talk.speech()
    await gateway.end(session)
    samples = np.frombuffer(sound, "<i2").astype(np.float64) / 32_768
    return pcm(framed(resampled(samples, rate_hz), 0.0, PAUSE_S))


async def _is_held(gateway: Rest, session: str) -> bool:
    """Whether a worker that speaks has taken it: what is said before that is lost."""
    return "tts" in (await gateway.call("GET", f"/v1/sessions/{session}"))[1]["workers"]


async def _asked(talk: Talk, question: bytes, deadline_s: float) -> Exchange:
    """Ask by the microphone and hear the answer to its end. Raises `TimeoutError`."""
    since = len(talk.told)
    await talk.says(question)
    said_at = time.monotonic() - PAUSE_S
    understood_at, transcript = await talk.wait_for(_is_final, since, deadline_s)
    sounds_at, _ = await talk.wait_for(_sounds, since, deadline_s)
    _, answer = await talk.wait_for(_is_answered, since, deadline_s)
    assert isinstance(transcript, Transcript)
    assert isinstance(answer, SpeechNews)
    return Exchange(transcript, answer, understood_at - said_at, sounds_at - said_at)


def _is_final(event: SoundEvent) -> bool:
    return isinstance(event, Transcript) and bool(event.became)


def _sounds(event: SoundEvent) -> bool:
    return isinstance(event, SpokenSound) and any(event.pcm)


def _is_answered(event: SoundEvent) -> bool:
    return isinstance(event, SpeechNews) and (event.kind, event.event) == ("answer", "ended")
