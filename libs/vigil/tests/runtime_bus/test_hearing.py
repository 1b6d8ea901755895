"""Hearing on real NATS: every subject, for ever, also after the server was away."""

import asyncio
from contextlib import suppress

from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.bus.hearing import hear
from vigil.testing.eventually import eventually
from vigil.testing.servers import NatsServer

SUBJECTS = ("vigil.v1.session.ended.>", "vigil.v1.task_cancelling.>")


async def test_each_subject_is_heard_and_again_once_the_server_is_back(bus: Bus, nats_server: NatsServer) -> None:
    heard: list[tuple[str, bytes]] = []

    def note(message: Message) -> None:
        heard.append((message.subject, message.payload))

    async def comes(subject: str, payload: bytes) -> None:
        """Say it until it is heard: what is said while nobody listens is missed."""

        async def has_come() -> bool:
            await bus.publish(subject, payload)
            return (subject, payload) in heard

        await eventually(has_come, what=f"{payload!r} is heard")

    hearing = asyncio.create_task(hear(bus, SUBJECTS, note, "endings"))
    try:
        await comes("vigil.v1.session.ended.demo.s-1", b"one")
        await comes("vigil.v1.task_cancelling.demo.s-1", b"two")
        await nats_server.kill()
        await nats_server.start()
        await bus.connected()
        await comes("vigil.v1.session.ended.demo.s-1", b"three")
    finally:
        hearing.cancel()
        with suppress(asyncio.CancelledError):
            await hearing
