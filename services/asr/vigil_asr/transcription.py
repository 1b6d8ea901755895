"""One remark through an engine: in time, and once more when the engine was away for a moment."""

import asyncio

from vigil_asr.recognizers.port import Recognized, Recognizer, RecognizerError, Told
from vigil_asr.sound import RemarkSound


async def transcribed(
    recognizer: Recognizer, sound: RemarkSound, language: str, told: Told, timeout_s: float
) -> Recognized:
    """What was said in `sound`, at most `timeout_s` after it is over. Raises `RecognizerError`.

    An engine that fails in a way that may pass is given the whole remark again when it is over: nothing of it is
    lost.
    """
    try:
        return await _attempt(recognizer, sound, language, told, timeout_s)
    except RecognizerError as error:
        if not error.is_transient:
            raise
    await sound.over()
    return await _attempt(recognizer, sound, language, told, timeout_s)


async def _attempt(
    recognizer: Recognizer, sound: RemarkSound, language: str, told: Told, timeout_s: float
) -> Recognized:
    recognizing = asyncio.create_task(recognizer.recognize(sound, language, told))
    over = asyncio.create_task(sound.over())
    try:
        await asyncio.wait({recognizing, over}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({recognizing}, timeout=timeout_s)
        if not recognizing.done():
            raise RecognizerError(f"the recognizer gave no transcript within {timeout_s:g} s", reason="timeout")
        return recognizing.result()
    finally:
        recognizing.cancel()
        over.cancel()
        await asyncio.gather(recognizing, over, return_exceptions=True)
