"""The other gateways, and what they use of each tenant's quotas: told once a second, so that no request asks for it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from vigil.runtime.errors import StoreError
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.tally import LIFE_S, Tally, Used

log = get_log()

EXCHANGE_S = 1.0

Uses = Mapping[str, Callable[[], Mapping[str, float]]]


class Replicas:
    """What the others said. While they cannot be heard each gateway counts for itself."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._others: Sequence[Used] = ()
        self._heard_s = 0.0

    @property
    def count(self) -> int:
        """How many gateways there are, this one among them."""
        return 1 + len(self._living())

    def used(self, quota: str, tenant: str) -> float:
        """How much of the tenant's quota the others use together."""
        return sum(said.get(quota, {}).get(tenant, 0.0) for said in self._living())

    def hear(self, others: Sequence[Used]) -> None:
        """Take what the others said just now."""
        self._others, self._heard_s = others, self._monotonic()

    async def exchange(self, tally: Tally, uses: Uses) -> None:
        """Say what this gateway uses of each quota and hear the others, once a second, for ever."""
        is_away = False
        while True:
            try:
                self.hear(await tally.exchange({quota: dict(used()) for quota, used in uses.items()}))
                is_away = False
            except StoreError as error:
                if not is_away:  # once for each time that Redis is away
                    log.warning("quotas not shared", reason=str(error))
                is_away = True
            await asyncio.sleep(EXCHANGE_S)

    def _living(self) -> Sequence[Used]:
        return self._others if self._monotonic() - self._heard_s < LIFE_S else ()
