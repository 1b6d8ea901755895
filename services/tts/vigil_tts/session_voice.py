"""The voice of one session: does what the speaking rule (`vigil.core.speaking`) decides, and tells of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.contract.audio import VoiceActivity, VoiceState
from vigil.contract.subject_tokens import SpeechEvent
from vigil.core import speaking
from vigil.core.session import SessionSpec
from vigil.core.speaking import Step
from vigil.core.speech import MAX_AGE_US, Dropped, Effect, Ended, Pause, Resume, Speak, Speaking, Stopped, Words
from vigil.core.voice import SpeechCause
from vigil.runtime.process.logs import get_log
from vigil_tts import metrics
from vigil_tts.player import Player
from vigil_tts.ports import Ports
from vigil_tts.spoken_sound import SpokenSound
from vigil_tts.synthesizers.port import SynthesizerError, Task
from vigil_tts.telling import Telling

CLOSING_S = 2.0  # for the last events of a session that has ended
MAX_STREAMS = 16  # of sound in which a user may be heard at once

log = get_log()


class SessionVoice:
    """Everything that happens is handed to one of its methods, none of which waits. Open it with `session_voice`."""

    def __init__(self, ports: Ports, spec: SessionSpec, tasks: asyncio.TaskGroup) -> None:
        self._ports = ports
        self._spec = spec
        self._tasks = tasks
        self._state = Speaking()
        self._telling = Telling(ports.bus, spec, ports.now_us)
        self._player: Player | None = None
        self._playing: asyncio.Task[None] | None = None
        self._streams: set[str] = set()  # in which a user is heard now
        self._has_changed = asyncio.Event()

    def offer(self, words: Words) -> None:
        """Something to be spoken, if the rule lets it."""
        if self._spec.voice.is_on:
            self._do(speaking.offered(self._state, words, self._ports.now_us()))

    def take_up(self, spec: SessionSpec) -> None:
        """What the client changed holds from the next words on; a voice that was turned off ends what it speaks."""
        was_on = self._spec.voice.is_on
        if was_on and not spec.voice.is_on:
            self._do(speaking.over(self._state, SpeechCause.TURNED_OFF))
        self._spec = self._telling.spec = spec

    def user(self, activity: VoiceActivity) -> None:
        """Somebody began to speak to the session, or stopped."""
        now_us = self._ports.now_us()
        if activity.state is VoiceState.STARTED:
            if len(self._streams) < MAX_STREAMS:
                self._streams.add(activity.stream)
            paused = self._state.is_paused
            self._do(speaking.user_started(self._state, now_us))
            if self._player is not None and self._state.is_paused and not paused:
                since_s = max(0.0, (now_us - activity.time_us) / 1_000_000)
                metrics.PAUSE_SECONDS.observe(since_s + self._player.unplayed_s)
            return
        self._streams.discard(activity.stream)
        if self._streams:
            return  # somebody else still speaks
        stopped = activity.state is VoiceState.STOPPED
        self._do((speaking.user_stopped if stopped else speaking.false_start)(self._state, now_us))

    def transcript(self, *, is_to_session: bool) -> None:
        """What somebody said is known."""
        if is_to_session:
            self._do(speaking.user_said(self._state, self._ports.now_us()))
        elif not self._streams:
            self._do(speaking.false_start(self._state, self._ports.now_us()))

    async def keep_time(self) -> None:
        """End what has waited for too long, until cancelled."""
        while True:
            self._has_changed.clear()
            due_us = self._due_us()
            with contextlib.suppress(TimeoutError):
                left_s = None if due_us is None else max(0.0, (due_us - self._ports.now_us()) / 1_000_000)
                async with asyncio.timeout(left_s):
                    await self._has_changed.wait()
                    continue
            now_us = self._ports.now_us()
            if self._is_late(now_us):
                self._do(speaking.late(self._state, now_us))
            if self._state.due_us is not None and now_us >= self._state.due_us:
                self._streams.clear()
                self._do(speaking.waited(self._state, now_us))

    async def tell(self) -> None:
        """Store the events of what is spoken, until `end`."""
        await self._telling.run()

    def end(self) -> None:
        """The session has ended: stop, and tell so."""
        self._do(speaking.over(self._state))
        self._telling.close()

    def stop(self) -> None:
        """Play no more, and tell nothing: another worker goes on with the session."""
        self._silence()

    def _due_us(self) -> int | None:
        spoken, due_us = self._state.spoken, self._state.due_us
        if spoken is None or (self._player is not None and self._player.has_sound):
            return due_us
        late_us = spoken.created_us + MAX_AGE_US + 1
        return late_us if due_us is None else min(late_us, due_us)

    def _is_late(self, now_us: int) -> bool:
        spoken, player = self._state.spoken, self._player
        return spoken is not None and player is not None and not player.has_sound and spoken.is_old(now_us)

    def _do(self, step: Step, reason: str = "") -> None:
        self._state, effects = step
        for effect in effects:
            self._perform(effect, reason)
        self._has_changed.set()

    def _perform(self, effect: Effect, reason: str) -> None:
        match effect:
            case Speak(words):
                self._begin(words)
            case Pause() if self._player is not None:
                self._player.pause()
            case Resume() if self._player is not None:
                metrics.RESUMED.inc()
                self._player.resume()
            case Ended(words):
                has_sound = self._player is not None and self._player.has_sound
                self._silence()
                if has_sound:
                    self._telling.tell(SpeechEvent.ENDED, words, heard=words.text)
                else:
                    self._telling.tell(SpeechEvent.DROPPED, words, reason="there is nothing in it that can be said")
            case Stopped(words, cause):
                has_sound = self._player is not None and self._player.has_sound
                event = SpeechEvent.INTERRUPTED if has_sound else SpeechEvent.DROPPED
                self._telling.tell(event, words, heard=self._silence(), cause=cause, reason=reason)
            case Dropped(words, cause):
                if self._player is not None and self._playing is not None and self._playing.get_name() == words.id:
                    self._silence()
                self._telling.tell(SpeechEvent.DROPPED, words, cause=cause, reason=reason)

    def _begin(self, words: Words) -> None:
        voice, now_us = self._spec.voice, self._ports.now_us()
        sound = SpokenSound(self._ports.bus, self._spec.key, words.id)

        def on_sound() -> None:
            metrics.FIRST_AUDIO_SECONDS.observe(max(0.0, (self._ports.now_us() - now_us) / 1_000_000))
            self._telling.tell(SpeechEvent.STARTED, words)
            self._has_changed.set()

        task = Task("", voice.name, voice.speed, voice.language)
        player = Player(self._ports.engine, words.text, task, sound.publish, on_sound)
        self._player = player
        self._playing = self._tasks.create_task(self._play(words, player, sound), name=words.id)

    async def _play(self, words: Words, player: Player, sound: SpokenSound) -> None:
        reason = ""
        try:
            await player.run()
        except SynthesizerError as error:
            reason = error.reason
            log.warning("speech failed", reason=reason, was_heard=player.has_sound)
        finally:
            await sound.end()
        if self._player is not player:
            return  # it was stopped meanwhile
        now_us = self._ports.now_us()
        if reason:
            self._do(speaking.failed(self._state, now_us, was_heard=player.has_sound), reason)
        else:
            self._do(speaking.finished(self._state, now_us))

    def _silence(self) -> str:
        """Play no more of what is spoken; returns the part that was heard."""
        player, playing = self._player, self._playing
        self._player = self._playing = None
        if player is None or playing is None:
            return ""
        heard = player.heard
        if playing is not asyncio.current_task():
            playing.cancel()
        return heard


@asynccontextmanager
async def session_voice(ports: Ports, spec: SessionSpec) -> AsyncIterator[SessionVoice]:
    """A voice for as long as the block runs. When the block ends by itself the session is over: its last events are
    stored before this returns, if that takes no longer than `CLOSING_S`."""
    async with asyncio.TaskGroup() as tasks:
        voice = SessionVoice(ports, spec, tasks)
        telling = tasks.create_task(voice.tell())
        keeping = tasks.create_task(voice.keep_time())
        try:
            yield voice
            voice.end()
            await asyncio.wait({telling}, timeout=CLOSING_S)
        finally:
            keeping.cancel()
            telling.cancel()
            voice.stop()
