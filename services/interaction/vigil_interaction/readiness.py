"""When may a worker claim sessions? Once an engine serves the model, it knows its control words, and one tick ran.

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
from vigil.runtime.engine_pool import EnginePool
from vigil.runtime.startup import StartupError

_log = structlog.get_logger(__name__)

RETRY_S = 1.0
WARM_UP_DEADLINE_S = 120.0


async def wait_for_model(engines: EnginePool, model: str, profile: PromptProfile) -> None:
    """Ask until an engine serves the model and every one that is up has run one tick.

    Raises `StartupError` for a model that will never do: it lacks the control tokens.
    """
    told = ""
    while True:
        try:
            await engines.check_model(model, profile)
            await _warm(engines, model, profile)
        except ControlTokensMissing as error:
            raise StartupError(str(error)) from None
        except EngineError as error:
            if str(error) != told:
                _log.warning("waiting for the model", reason=str(error))
            told = str(error)
            await asyncio.sleep(RETRY_S)  # the engine offers nothing to wait on
        else:
            return


async def _warm(engines: EnginePool, model: str, profile: PromptProfile) -> None:
    """A tick on every engine that is up. Raises what the last one raised when none ran it."""
    serving = engines.serving(model)
    outcomes = await asyncio.gather(*(_warm_tick(one, model, profile) for one in serving), return_exceptions=True)
    failed = [one for one in outcomes if one is not None]
    if failed and len(failed) == len(outcomes):
        raise failed[-1]


async def _warm_tick(engine: Engine, model: str, profile: PromptProfile) -> None:
    """One turn on a grey picture, whose answer does not matter."""
    grey = (resources.files("vigil_interaction") / "warm_up.jpg").read_bytes()
    frame = FrameRef("warm-up", 160, 96)
    messages = prompt(profile, Chunk(), Turn(0, 0, (frame,), reply=""))
    request = EngineRequest(messages, {frame.uuid: grey}, 1, WARM_UP_DEADLINE_S, model=model)

    async def resend(_: set[str]) -> dict[str, bytes]:
        return {frame.uuid: grey}

    completion = await engine.complete(request, resend)
    _log.info("the engine is warm", engine=engine.config.address, engine_ms=round(completion.engine_ms))
