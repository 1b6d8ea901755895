"""Answers to signalling while a worker comes and goes."""

import asyncio

from vigil.contract import subjects
from vigil.contract.signalling import Offer, Refusal, Reply, Request, decode_reply, encode_request
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.testing.eventually import eventually
from vigil_ingestion.webrtc.signalling import LET_GO, answer_all

KEY = SessionKey("demo", "s-1")


async def test_a_worker_that_lets_its_session_go_answers_whoever_waits(bus: Bus) -> None:
    asked = asyncio.Event()

    async def never(_: Request) -> Reply:
        asked.set()
        await asyncio.Event().wait()
        return Reply()

    answering = asyncio.create_task(answer_all(bus, KEY, never))
    await eventually(lambda: bus.is_heard(subjects.signalling(KEY)), what="the worker listens")
    waiting = asyncio.create_task(bus.request(subjects.signalling(KEY), encode_request(Offer("v=0")), timeout_s=30))
    await asked.wait()
    answering.cancel()
    assert decode_reply(await waiting) == Reply(refusal=Refusal.BUSY, message=LET_GO)
    await asyncio.wait({answering})
    assert answering.cancelled()
