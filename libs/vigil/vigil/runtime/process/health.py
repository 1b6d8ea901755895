"""Readiness: every port registers a ping; a process is ready when it serves and all of them answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from vigil.runtime.process import metrics

Ping = Callable[[], Awaitable[object]]

PING_TIMEOUT_S = 1.0
OK = "ok"


class Phase(StrEnum):
    """Where a process is in its life."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What `/readyz` answers. `checks` maps a port's name to `ok` or to what is wrong with it."""

    phase: Phase
    checks: dict[str, str]

    @property
    def ready(self) -> bool:
        return self.phase is Phase.SERVING and all(state == OK for state in self.checks.values())

    def as_json(self) -> dict[str, object]:
        return {"ready": self.ready, "phase": self.phase.value, "checks": self.checks}


class Health:
    """The phase of a process and the pings of its ports."""

    def __init__(self) -> None:
        self.phase = Phase.STARTING
        self._pings: dict[str, Ping] = {}

    def register(self, name: str, ping: Ping) -> None:
        """Let readiness depend on `ping`, which returns when the port works and raises when it does not."""
        if name in self._pings:
            raise ValueError(f"a ping named {name!r} is registered already")
        self._pings[name] = ping

    async def check(self) -> Readiness:
        """Ping every port at once, each for at most `PING_TIMEOUT_S`. Never raises."""
        pings = dict(self._pings)  # a port may register meanwhile: it is of the next check
        states = await asyncio.gather(*(_state(ping) for ping in pings.values()))
        readiness = Readiness(self.phase, dict(zip(pings, states, strict=True)))
        metrics.READY.set(readiness.ready)
        for name, state in readiness.checks.items():
            metrics.PORT_UP.labels(name).set(state == OK)
        return readiness


async def _state(ping: Ping) -> str:
    try:
        async with asyncio.timeout(PING_TIMEOUT_S):
            await ping()
    except TimeoutError:
        return f"no answer within {PING_TIMEOUT_S:g} s"
    except Exception as error:  # noqa: BLE001  a broken port must show up in the report, whatever it raises
        return f"{type(error).__name__}: {error}"
    return OK
