"""The engine that the settings name."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from vigil.runtime.process.startup import StartupError
from vigil_asr.config import AsrSettings
from vigil_asr.recognizers.connection import Connection, http_session
from vigil_asr.recognizers.embedded import MODELS, open_embedded
from vigil_asr.recognizers.funasr_classic import ClassicRecognizer
from vigil_asr.recognizers.funasr_realtime import FunASRRealtimeRecognizer
from vigil_asr.recognizers.openai import OpenAIOptions, OpenAIRecognizer
from vigil_asr.recognizers.openai_realtime import RealtimeOptions, RealtimeRecognizer
from vigil_asr.recognizers.port import Recognizer

Made = Callable[[Connection, AsrSettings], Recognizer]

_REMOTE: dict[str, Made] = {
    "openai": lambda connection, settings: OpenAIRecognizer(
        connection, OpenAIOptions(settings.asr_model, settings.asr_partial_ms)
    ),
    "openai-realtime": lambda connection, settings: RealtimeRecognizer(
        connection, RealtimeOptions(settings.asr_model, settings.asr_rate_hz)
    ),
    "funasr": lambda connection, settings: ClassicRecognizer(connection),
    "funasr-realtime": lambda connection, settings: FunASRRealtimeRecognizer(connection),
}
_NAMED = frozenset({"openai", "openai-realtime"})


@asynccontextmanager
async def open_recognizer(settings: AsrSettings, trusted: ssl.SSLContext | None = None) -> AsyncIterator[Recognizer]:
    """The engine, for as long as the block runs. Raises `StartupError` when the settings do not make one."""
    if settings.asr_engine == "embedded":
        model = _embedded_model(settings)
        async with open_embedded(settings.asr_folder, model, settings.asr_threads, settings.asr_partial_ms) as embedded:
            yield embedded
        return
    if not settings.asr_url:
        raise StartupError(f"VIGIL_ASR_URL: the engine {settings.asr_engine!r} needs its address")
    if settings.asr_engine in _NAMED and not settings.asr_model:
        raise StartupError(f"VIGIL_ASR_MODEL: the engine {settings.asr_engine!r} needs the name of a model")
    async with http_session(trusted) as http:
        connection = Connection(http, settings.asr_url, settings.asr_key.get_secret_value())
        yield _REMOTE[settings.asr_engine](connection, settings)


def _embedded_model(settings: AsrSettings) -> str:
    model = settings.asr_model or MODELS[0]
    if model not in MODELS:
        raise StartupError(f"VIGIL_ASR_MODEL: the embedded engine has {' and '.join(MODELS)}, not {model!r}")
    return model
