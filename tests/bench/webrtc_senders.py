"""Clients of WebRTC, each of which sends the recording into a session of its own, until this process is ended.

python -m bench.webrtc_senders NATS_URL RECORDING SESSION...
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.load_plan import TENANT
from vigil.contract import subjects
from vigil.contract.signalling import Offer, decode_reply, encode_request
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.errors import NoResponders
from vigil_ingestion.testing.sender import Recording, Replay, Sender, read

ANSWER_S = 20.0
_AGAIN_S = 0.2


async def send(bus: Bus, session: str, recording: Recording) -> Sender:
    """A client that sends. Raises `RuntimeError` when it is refused."""
    sender = Sender(Replay(recording))
    asked = encode_request(Offer(await sender.offer()))
    while True:
        try:
            reply = decode_reply(await bus.request(subjects.signalling(SessionKey(TENANT, session)), asked, ANSWER_S))
            break
        except NoResponders:
            await asyncio.sleep(_AGAIN_S)
    if reply.refusal is not None:
        raise RuntimeError(f"{session} was refused: {reply.message}")
    await sender.answered(reply.answer_sdp)
    return sender


async def run(nats_url: str, recording: Path, sessions: Sequence[str]) -> None:
    """Send for ever."""
    filmed = await asyncio.to_thread(read, recording)
    async with Bus.connect(BusConfig(nats_url, "bench senders")) as bus:
        await bus.connected()
        senders = [await send(bus, session, filmed) for session in sessions]
        await asyncio.Event().wait()
        del senders


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
