"""A small worker for the process tests: it depends on an engine and does what VIGIL_BEHAVIOUR says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.contract.spans import SpanKind, SpanRow
from vigil.runtime.engine.client import Engine, EngineConfig
from vigil.runtime.process.config import WorkerSettings
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.startup import StartupError
from vigil.runtime.process.trace import span
from vigil.runtime.process.worker import Worker, run_worker

log = get_log()


class Settings(WorkerSettings):
    engine_url: str
    behaviour: str = "well"


_STEP = SpanRow("trial.step", ("trial",), SpanKind.CLIENT, "A step", ("",), ("trial.turns",))


@asynccontextmanager
async def build(worker: Worker[Settings]) -> AsyncIterator[None]:
    behaviour = worker.settings.behaviour
    if behaviour == "refuse":
        raise StartupError("the model is not served: start the engine with it")
    async with Engine(EngineConfig(worker.settings.engine_url, "scripted")) as engine:
        if behaviour == "wait":
            log.info("waiting for a dependency")
            await asyncio.Event().wait()
        if behaviour == "trace":
            with span(_STEP, {"trial.turns": 3}):
                log.info("traced")
        if behaviour == "crash":
            raise RuntimeError("a mistake in the build")
        worker.health.register("engine", engine.ping)
        worker.spawn("claims", claims(behaviour))
        try:
            yield
        finally:
            if behaviour == "stuck":
                await asyncio.sleep(60)
            log.info("released")


async def claims(behaviour: str) -> None:
    """Works until it is cancelled, unless it is to fail."""
    if behaviour == "fail":
        raise RuntimeError("the claims loop broke")
    try:
        await asyncio.Event().wait()
    finally:
        log.info("leases released")


if __name__ == "__main__":
    run_worker("trial", Settings, build)
