"""Checks whether a consumer is still as the bridge made it, and makes it again where it is not.

A consumer with another filter, paused, or with one try for each event is silent, and looks healthy: nothing is wrong
with NATS, and nothing comes. Nobody but the operator and the bridge may change it; this tells when somebody did.
"""

import asyncio
from typing import NoReturn

from vigil.runtime.bus.consumer import Consumer
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil_webhook import metrics

log = get_log()


class ConsumerCheck:
    """Checks one consumer while `run` runs. `changed` says in words what the last check found changed; else empty."""

    def __init__(self, consumer: Consumer, label: str, check_s: float) -> None:
        self.label = label
        self.changed = ""
        self._consumer = consumer
        self._check_s = check_s

    async def run(self) -> NoReturn:
        """Check every `check_s` seconds."""
        metrics.CONSUMER_CHANGES.labels(self.label)
        while True:
            await asyncio.sleep(self._check_s)
            try:
                self.changed = await self._look()
            except BusError as error:
                log.info("consumer not checked", endpoint=self.label, reason=str(error))

    async def _look(self) -> str:
        differences = "; ".join(await self._consumer.differences())
        if not differences:
            if self.changed:
                log.info("consumer restored", endpoint=self.label)
            return ""
        metrics.CONSUMER_CHANGES.labels(self.label).inc()
        log.error("consumer changed", endpoint=self.label, differences=differences)
        await self._renew()
        return f"somebody changed the consumer of {self.label}: {differences}"

    async def _renew(self) -> None:
        try:
            await self._consumer.renew()
        except BusError as error:
            log.error("consumer not renewed", endpoint=self.label, reason=str(error))
