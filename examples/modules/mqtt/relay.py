"""From messages to observations: what a rule tells goes to the sessions that are there."""

import asyncio
import time
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass

from kept import Kept

from mqtt.hearing import Hearing, hear
from mqtt.rule import Rule
from vigil_client.modules import Module

SESSION_S = 30.0  # a session without a picture for so long is not told: it has ended, or sees nothing
SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a sensor."""

    topic: str
    payload: bytes


class Sessions:
    """The sessions of the tenant that see something, known by their pictures: news of sessions begin only now."""

    def __init__(self) -> None:
        self._seen_s = Kept[float](most=256)

    async def follow(self, module: Module) -> None:
        """Take note of pictures, for ever. Not one is looked at."""
        async for frame in module.frames():
            self._seen_s.put(frame.session, time.monotonic())

    def of(self, rule: Rule) -> Sequence[str]:
        """The sessions that a rule tells."""
        if rule.session:
            return (rule.session,)
        since_s = time.monotonic() - SESSION_S
        return [session for session, seen_s in self._seen_s.items() if seen_s >= since_s]


async def relay(module: Module, rules: Sequence[Rule], messages: AsyncIterable[Message]) -> None:
    """Tell what the rules find in the messages, until these end. A rule whose sessions are not there waits for them."""
    sessions, hearing = Sessions(), Hearing()
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(sessions.follow(module))
        async for message in messages:
            at_us = time.time_ns() // 1_000
            followed = [rule for rule in rules if sessions.of(rule)]
            hearing, findings = hear(hearing, followed, message.topic, message.payload, at_us)
            for found in findings:
                for session in sessions.of(found.rule):
                    await module.tell(
                        session, kind=found.rule.kind, text=found.text, capture_time_us=at_us, ttl_s=found.rule.ttl_s
                    )
        following.cancel()
