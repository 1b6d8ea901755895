"""When may a worker claim sessions? Once an engine serves the model, it knows its control words, and it is warm.

A cold engine takes seconds for its first picture, and on some machines again for the first prompt of each new order of
length (kernels are chosen, graphs captured, memory taken): no session should pay for that.
"""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from importlib import resources
from itertools import count, takewhile

from vigil.core import control
from vigil.core.decide import Completion
from vigil.core.profile import PromptProfile
from vigil.core.prompt import prompt
from vigil.core.session import Chunk
from vigil.core.turn import FrameRef, Turn
from vigil.runtime.engine.client import Engine, EngineRequest
from vigil.runtime.engine.errors import ControlTokensMissing, EngineError, EngineUnreachable
from vigil.runtime.engine.pool import EnginePool, Prepare
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.startup import StartupError

log = get_log()

RETRY_S = 1.0
FIRST_TICK_S = 120.0
_GREY = FrameRef("warm-up", 160, 96)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How far to warm an engine: prompts of 1, 4, 16 … turns, up to `turns`, for at most `limit_s` after the first.

    With `turns` of 1 there is only the first tick.
    """

    turns: int
    limit_s: float

    @property
    def sizes(self) -> tuple[int, ...]:
        """Turns of each prompt after the first tick."""
        powers = takewhile(lambda size: size < self.turns, (4**power for power in count(1)))
        return (*powers, self.turns) if self.turns > 1 else ()


async def wait_for_model(engines: EnginePool, model: str, profile: PromptProfile, warm_up: WarmUp) -> None:
    """Ask until an engine serves the model and every engine that is up has been warmed.

    Raises `StartupError` for a model that lacks the control tokens: waiting would not help.
    """
    told = ""
    while True:
        try:
            await engines.check_model(model, profile)
            await _warm(engines, model, profile, warm_up)
        except ControlTokensMissing as error:
            raise StartupError(str(error)) from None
        except EngineError as error:
            if str(error) != told:
                log.warning("model check failed", reason=str(error))
            told = str(error)
            await asyncio.sleep(RETRY_S)  # the engine offers nothing to wait on
        else:
            return


def preparing(model: str, profile: PromptProfile, warm_up: WarmUp) -> Prepare:
    """How to warm an engine that joins, or comes back, while sessions run: it may be as cold as at the start."""

    async def prepare(engine: Engine, models: Collection[str]) -> None:
        if model in models:
            await _warm_one(engine, model, profile, warm_up)

    return prepare


async def _warm(engines: EnginePool, model: str, profile: PromptProfile, warm_up: WarmUp) -> None:
    """Warm every engine that is up. When none ran its first tick, raises what the last engine raised.

    An engine that has just answered may not count as up yet, since its health is checked only now and then.
    """
    serving = engines.serving(model)
    if not serving:
        raise EngineUnreachable("any address of this model", "none is known to be up yet")
    outcomes = await asyncio.gather(
        *(_warm_one(engine, model, profile, warm_up) for engine in serving), return_exceptions=True
    )
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    if failed and len(failed) == len(outcomes):
        raise failed[-1]


async def _warm_one(engine: Engine, model: str, profile: PromptProfile, warm_up: WarmUp) -> None:
    """The first tick, which must succeed, then longer and longer prompts until the time is over."""
    first = await _tick(engine, model, profile, 1, FIRST_TICK_S)
    began, size = time.monotonic(), 1
    try:
        async with asyncio.timeout(warm_up.limit_s):
            for size in warm_up.sizes:
                await _tick(engine, model, profile, size, warm_up.limit_s)
    except (TimeoutError, EngineError) as error:
        log.warning("warm-up cut short", engine=engine.config.address, turns=size, reason=str(error))
    log.info(
        "engine warmed up",
        engine=engine.config.address,
        engine_ms=round(first.engine_ms),
        turns=size,
        warm_up_s=round(time.monotonic() - began, 2),
    )


async def _tick(engine: Engine, model: str, profile: PromptProfile, turns: int, deadline_s: float) -> Completion:
    """A prompt of that many turns on a grey picture, whose answer does not matter."""
    grey = (resources.files("vigil_interaction") / "warm_up.jpg").read_bytes()
    past = tuple(Turn(number, number * 1000, (_GREY,), control.SILENCE) for number in range(turns - 1))
    messages = prompt(profile, Chunk(turns=past), Turn(turns - 1, (turns - 1) * 1000, (_GREY,), reply=""))
    fresh = {_GREY.uuid: grey} if turns == 1 else {}

    async def resend(_: set[str]) -> dict[str, bytes]:
        return {_GREY.uuid: grey}

    return await engine.complete(EngineRequest(messages, fresh, 1, deadline_s, model=model), resend)
