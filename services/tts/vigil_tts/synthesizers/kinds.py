"""Opens the speech engine that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc

from vigil.contract.audio import SPOKEN_RATES_HZ
from vigil.runtime.process.startup import StartupError
from vigil.runtime.process.tls import trusted_by
from vigil_tts.config import TtsSettings
from vigil_tts.synthesizers.checked import CheckedSynthesizer
from vigil_tts.synthesizers.cosyvoice_grpc import GRPC_OPTIONS, CosyVoiceGrpc
from vigil_tts.synthesizers.cosyvoice_http import (
    DESCRIBED,
    OWN_SPEAKERS,
    CosyVoiceHttp,
    CosyVoiceMode,
    CosyVoiceOptions,
)
from vigil_tts.synthesizers.embedded import open_embedded
from vigil_tts.synthesizers.http_client import HttpClient, http_session
from vigil_tts.synthesizers.openai_speech import OpenAIOptions, OpenAISynthesizer
from vigil_tts.synthesizers.port import Synthesizer
from vigil_tts.synthesizers.sample import Sample, read_sample


@asynccontextmanager
async def open_synthesizer(settings: TtsSettings) -> AsyncIterator[CheckedSynthesizer]:
    """The engine. It need not be up: each text is tried for itself. Raises `StartupError`."""
    if settings.tts_rate_hz not in SPOKEN_RATES_HZ:
        allowed = ", ".join(map(str, SPOKEN_RATES_HZ))
        raise StartupError(f"VIGIL_TTS_RATE_HZ: {settings.tts_rate_hz} samples a second: give one of {allowed}")
    async with _open(settings) as engine:
        yield CheckedSynthesizer(engine, settings.patience, settings.tts_concurrency)


@asynccontextmanager
async def _open(settings: TtsSettings) -> AsyncIterator[Synthesizer]:
    kind = settings.tts_engine
    if kind == "cosyvoice-grpc":
        options = cosyvoice_options(settings)
        if options.mode is CosyVoiceMode.INSTRUCT2:
            raise StartupError("VIGIL_TTS_MODE: CosyVoice's gRPC server knows no instruct2: use cosyvoice-http")
        target = required(settings, "tts_url").removeprefix("http://")
        async with grpc.aio.insecure_channel(target, options=GRPC_OPTIONS) as channel:
            yield CosyVoiceGrpc(channel, options)
        return
    async with http_session(trusted_by(settings.ca_file)) as http:
        if kind == "embedded":
            async with open_embedded(http, settings.tts_folder, settings.tts_threads) as embedded:
                yield embedded
            return
        client = HttpClient(http, required(settings, "tts_url"), settings.tts_key.get_secret_value())
        if kind == "cosyvoice-http":
            yield CosyVoiceHttp(client, cosyvoice_options(settings))
        else:
            yield OpenAISynthesizer(client, _openai_options(settings))


def cosyvoice_options(settings: TtsSettings) -> CosyVoiceOptions:
    """How CosyVoice is asked. Raises `StartupError` for what its mode lacks."""
    mode, sample = settings.tts_mode, sample_of(settings)
    if mode in OWN_SPEAKERS:
        required(settings, "tts_voice")
    else:
        required(settings, "tts_sample_file")
    if mode is CosyVoiceMode.ZERO_SHOT:
        required(settings, "tts_sample_text")
    if mode in DESCRIBED:
        required(settings, "tts_manner")
    return CosyVoiceOptions(mode, settings.tts_rate_hz, settings.tts_voice, sample, settings.tts_manner)


def required(settings: TtsSettings, name: str) -> str:
    """The value of a setting that the chosen engine needs. Raises `StartupError` when it is empty."""
    value = str(getattr(settings, name))
    if not value:
        raise StartupError(f"VIGIL_{name.upper()}: it is empty: VIGIL_TTS_ENGINE={settings.tts_engine} needs it")
    return value


def sample_of(settings: TtsSettings) -> Sample | None:
    """The recording whose voice is imitated; None when there is none. Raises `StartupError`."""
    if not settings.tts_sample_file:
        return None
    return read_sample(Path(settings.tts_sample_file), settings.tts_sample_text)


def _openai_options(settings: TtsSettings) -> OpenAIOptions:
    return OpenAIOptions(
        required(settings, "tts_model"),
        settings.tts_voice,
        settings.tts_rate_hz,
        is_vllm_omni=settings.tts_engine == "vllm-omni",
        sample=sample_of(settings),
    )
