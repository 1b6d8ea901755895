"""What the gateway does for those who ask for past events, from a list, for tests of clients."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import nats
from nats.aio.msg import Msg


@dataclass(slots=True)
class ScriptedHistory:
    """Stored events of one tenant, answered by pages of `page` events; with `deaf` no request is answered."""

    events: list[bytes] = field(default_factory=list)
    page: int = 2
    deaf: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def served(self, nats_url: str, tenant: str = "demo") -> AsyncIterator["ScriptedHistory"]:
        """Answer while the block runs."""
        client = await nats.connect(nats_url, max_reconnect_attempts=-1, reconnect_time_wait=0)

        async def answer(message: Msg) -> None:
            asked = json.loads(message.data)
            self.asked.append(asked)
            if not self.deaf:
                where = f"vigil.v1.history.answer.{tenant}.{asked['asker']}"
                for payload, headers in self._answers(asked):
                    await client.publish(where, payload, headers=headers)

        await client.subscribe(f"vigil.v1.history.ask.{tenant}", cb=answer)
        await client.jetstream().account_info()  # an answer: the server knows the subscription
        yield self
        await client.close()

    def _answers(self, asked: dict[str, Any]) -> list[tuple[bytes, dict[str, str]]]:
        begin = int(asked.get("after", 0))
        page = self.events[begin : begin + self.page]
        answers = [
            (payload, {"Vigil-Sequence": str(begin + place + 1), "Nats-Msg-Id": json.loads(payload)["id"]})
            for place, payload in enumerate(page)
        ]
        end = "more" if begin + len(page) < len(self.events) else "done"
        return [*answers, (b"", {"Vigil-End": end})]
