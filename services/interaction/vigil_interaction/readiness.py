"""When may a worker claim sessions? Once the engine serves the model, it knows its control words, and one tick ran.

A cold engine takes seconds for its first picture; no session should pay for that.
"""

import asyncio
from importlib import resources

import structlog

from vigil.core.profile import PromptProfile
from vigil.core.prompt import prompt
from vigil.core.session import Chunk
from vigil.core.turn import FrameRef, Turn
from vigil.runtime.engine import Engine, EngineRequest
from vigil.runtime.engine_errors import ControlTokensMissing, EngineError
from vigil.runtime.startup import StartupError

_log = structlog.get_logger(__name__)

RETRY_S = 1.0
WARM_UP_DEADLINE_S = 120.0


async def wait_for_model(engine: Engine, profile: PromptProfile) -> dict[str, int]:
    """Ask until the engine serves the model and has run one tick; the token ids of the profile's action words.

    Raises `StartupError` for a model that will never do: it lacks the control tokens.
    """
    told = ""
    while True:
        try:
            ids = await engine.check_model(profile)
            await _warm_tick(engine, profile)
        except ControlTokensMissing as error:
            raise StartupError(str(error)) from None
        except EngineError as error:
            if str(error) != told:
                _log.warning("waiting for the model", reason=str(error))
            told = str(error)
            await asyncio.sleep(RETRY_S)  # the engine offers nothing to wait on
        else:
            return ids


async def _warm_tick(engine: Engine, profile: PromptProfile) -> None:
    """One turn on a grey picture, whose answer does not matter."""
    grey = (resources.files("vigil_interaction") / "warm_up.jpg").read_bytes()
    frame = FrameRef("warm-up", 160, 96)
    messages = prompt(profile, Chunk(), Turn(0, 0, (frame,), reply=""))
    request = EngineRequest(messages, {frame.uuid: grey}, max_tokens=1, deadline_s=WARM_UP_DEADLINE_S)

    async def resend(_: set[str]) -> dict[str, bytes]:
        return {frame.uuid: grey}

    completion = await engine.complete(request, resend)
    _log.info("the engine is warm", engine_ms=round(completion.engine_ms))
