"""The remarks of one session, each from its first word until it has become a question or watch of the session, or has
not."""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace

from vigil.contract.audio import VoiceActivity, VoiceState
from vigil.contract.events.transcripts import Transcript
from vigil.core.errors import InvalidSpec
from vigil.core.hearing import ASKED, Became, Origin
from vigil.core.session import SessionSpec
from vigil.core.sound import length_us
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import SessionEnded, StoreError, UnknownSession
from vigil.runtime.process.logs import get_log
from vigil_asr import metrics
from vigil_asr.asking import ask
from vigil_asr.ear import Ended
from vigil_asr.own_voice import OwnVoice
from vigil_asr.ports import Ports
from vigil_asr.recognizers.port import Recognized, RecognizerError
from vigil_asr.sound import RemarkSound
from vigil_asr.telling import tell_activity, tell_transcript
from vigil_asr.transcription import transcribed
from vigil_asr.verdict import Remark, Verdict, judged
from vigil_asr.words import stable_chars

MAX_UNFINISHED = 4  # remarks of a session; a further one is not recognized

log = get_log()


@dataclass(frozen=True, slots=True)
class Speaker:
    """Where somebody speaks, and whether he holds the button."""

    origin: Origin
    stream: str
    is_addressed: bool


@dataclass(slots=True)
class _OpenRemark:
    """A remark that is spoken or recognized now. `began_s` and `ended_s` are by the worker's clock, `revision` counts
    its partial transcripts. `is_told`: voice activity tells of it."""

    speaker: Speaker
    begin_us: int
    sound: RemarkSound
    began_s: float
    ended: asyncio.Future[Ended]
    is_told: bool
    id: str = field(default_factory=lambda: f"said-{secrets.token_hex(8)}")
    ended_s: float = 0.0
    revision: int = 0


class Remarks:
    """Concluded in the order in which they began, whatever the engine says first. `spec` may change meanwhile."""

    def __init__(self, ports: Ports, spec: SessionSpec, own_voice: OwnVoice) -> None:
        self.own_voice = own_voice
        self._ports = ports
        self.spec = spec
        self._speaking: dict[str, _OpenRemark] = {}
        self._unfinished: dict[asyncio.Task[None], _OpenRemark] = {}
        self._last: asyncio.Task[None] | None = None

    def begin(self, speaker: Speaker, begin_us: int, sound: RemarkSound, *, is_told: bool) -> None:
        """Somebody speaks. Unless that `is_told` already, it is once he was understood to ask the session something."""
        if len(self._unfinished) >= MAX_UNFINISHED:
            metrics.FAILURES.labels("overloaded").inc()
            metrics.REMARKS.labels("failed").inc()
            log.warning("remark not recognized", reason=f"{MAX_UNFINISHED} of the session are not finished yet")
            return
        ended = asyncio.get_running_loop().create_future()
        remark = _OpenRemark(speaker, begin_us, sound, self._ports.now_s(), ended, is_told)
        self._speaking[speaker.stream] = remark
        task = asyncio.create_task(self._follow(remark, self._last))
        self._last = task
        self._unfinished[task] = remark
        metrics.LISTENING.inc()
        task.add_done_callback(self._finished)

    def end(self, speaker: Speaker, ended: Ended) -> None:
        """He stopped."""
        remark = self._speaking.pop(speaker.stream, None)
        if remark is not None:
            remark.ended_s = self._ports.now_s()
            remark.ended.set_result(ended)

    async def give_up(self) -> None:
        """Finish none of them."""
        for task in self._unfinished:
            task.cancel()
        await asyncio.gather(*self._unfinished, return_exceptions=True)

    def _finished(self, task: asyncio.Task[None]) -> None:
        metrics.LISTENING.dec()
        self._unfinished.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("remark not finished", error=repr(error))

    async def _follow(self, remark: _OpenRemark, before: asyncio.Task[None] | None) -> None:
        try:
            recognized = await self._recognized(remark)
        except RecognizerError as error:
            metrics.FAILURES.labels(error.reason).inc()
            metrics.REMARKS.labels("failed").inc()
            log.warning("remark not recognized", reason=str(error), engine=self._ports.recognizer.name)
            await self._tell_it_was_none(remark, await remark.ended)
            return
        ended = await remark.ended
        self._observe(remark)
        if before is not None:
            await asyncio.wait({before})
        with suppress(UnknownSession, SessionEnded):
            await self._conclude(remark, ended, recognized)

    async def _recognized(self, remark: _OpenRemark) -> Recognized:
        partials = KeepLatest[str]()
        telling = asyncio.create_task(self._tell_partials(remark, partials))
        ports, language = self._ports, self.spec.hearing.language
        try:
            return await transcribed(ports.recognizer, remark.sound, language, partials.offer, ports.timeout_s)
        finally:
            partials.close()
            await asyncio.gather(telling, return_exceptions=True)

    async def _tell_partials(self, remark: _OpenRemark, partials: KeepLatest[str]) -> None:
        said = ""
        async for text in partials:
            if not text or text == said:
                continue
            if remark.revision == 0:
                metrics.FIRST_PARTIAL_SECONDS.observe(
                    self._ports.now_s() - remark.began_s + self._ports.rules.least_speech_ms / 1_000
                )
            stable, said = stable_chars(said, text), text
            end_us = remark.begin_us + length_us(remark.sound.length)
            await tell_transcript(self._ports, self._transcript(remark, Recognized(text), end_us, stable=stable))
            remark.revision += 1

    async def _conclude(self, remark: _OpenRemark, ended: Ended, recognized: Recognized) -> None:
        verdict = self._verdict(remark, ended, recognized)
        became, command = await self._asked(remark, verdict)
        metrics.REMARKS.labels(became).inc()
        log.info("remark finished", became=became, transcript=remark.id)
        if recognized.text or remark.revision:
            await tell_transcript(self._ports, self._transcript(remark, recognized, ended.end_us, became, command))
        if became not in ASKED:
            await self._tell_it_was_none(remark, ended)
        elif not remark.is_told:
            await self._tell_activity(remark, VoiceState.STARTED, remark.begin_us)
            await self._tell_activity(remark, VoiceState.STOPPED, ended.end_us)

    def _verdict(self, remark: _OpenRemark, ended: Ended, recognized: Recognized) -> Verdict:
        heard = Remark(
            recognized.text,
            ended.certainty,
            ended.speech_ms,
            recognized.confidence,
            remark.speaker.is_addressed,
            may_watch=remark.speaker.origin is Origin.MICROPHONE,
        )
        own = self.own_voice.between(remark.began_s, remark.ended_s)
        verdict = judged(heard, self.spec.hearing, own, self._ports.least_confidence)
        is_off = verdict.became in ASKED and not self.spec.hearing.is_on  # since it was begun
        return replace(verdict, became=Became.NOT_ADDRESSED) if is_off else verdict

    async def _asked(self, remark: _OpenRemark, verdict: Verdict) -> tuple[Became, str]:
        """What it became in the end, and the id of its question or watch. Raises `UnknownSession`, `SessionEnded`."""
        if verdict.became not in ASKED:
            return verdict.became, ""
        try:
            return verdict.became, await ask(self._ports, self.spec.key, remark.id, verdict)
        except (UnknownSession, SessionEnded):
            raise
        except (InvalidSpec, StoreError) as error:
            log.warning("spoken request refused", request=verdict.became, reason=str(error), transcript=remark.id)
            return Became.REFUSED, ""

    def _transcript(
        self,
        remark: _OpenRemark,
        recognized: Recognized,
        end_us: int,
        became: Became | None = None,
        command: str = "",
        stable: int = 0,
    ) -> Transcript:
        return Transcript(
            key=self.spec.key,
            source_id=self.spec.source.id,
            id=remark.id,
            text=recognized.text,
            begin_us=remark.begin_us,
            end_us=end_us,
            confidence=recognized.confidence,
            language=recognized.language or self.spec.hearing.language,
            origin=remark.speaker.origin,
            engine=self._ports.recognizer.name,
            became=became,
            command=command,
            revision=remark.revision,
            stable_chars=stable,
        )

    async def _tell_it_was_none(self, remark: _OpenRemark, ended: Ended) -> None:
        """Nobody spoke to the session: what it was saying may go on."""
        if remark.is_told:
            await self._tell_activity(remark, VoiceState.FALSE_START, ended.end_us)

    async def _tell_activity(self, remark: _OpenRemark, state: VoiceState, time_us: int) -> None:
        key, speaker = self.spec.key, remark.speaker
        await tell_activity(self._ports, VoiceActivity(key, state, time_us, speaker.origin, speaker.stream))

    def _observe(self, remark: _OpenRemark) -> None:
        silence_s = length_us(remark.sound.length - remark.sound.voiced_bytes) / 1_000_000
        metrics.FINAL_SECONDS.observe(self._ports.now_s() - remark.ended_s + silence_s)
