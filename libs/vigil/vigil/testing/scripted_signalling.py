"""An ingestion worker that holds every WebRTC session, as far as signalling goes: no media flows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.contract.signalling import (
    Candidates,
    Close,
    Offer,
    Refusal,
    Reply,
    Request,
    decode_request,
    encode_reply,
)
from vigil.contract.subject_tokens import PREFIX
from vigil.runtime.bus.client import Bus, Message

ANSWER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\n"


def offer_sdp(direction: str = "sendonly", media: str = "video") -> str:
    """An offer with one section, as a browser writes it."""
    lines = (
        "v=0",
        "o=- 5228595038118931041 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        f"m={media} 9 UDP/TLS/RTP/SAVPF 96",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:EsAw",
        "a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y",
        "a=fingerprint:sha-256 DA:7B:57:DC:28:CE:04:4F:31:79:85:C4:31:67:EB:27:58:29:ED:77:2A:0D:24:AE",
        "a=setup:actpass",
        "a=mid:0",
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtpmap:96 VP8/90000",
    )
    return "".join(f"{line}\r\n" for line in lines)


class ScriptedSignalling:
    """Answers offers, one connection a session at a time, and remembers what it was asked.

    It refuses every offer as `refusal` while that is set, and answers nothing while `is_silent`.
    """

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.open: dict[str, str] = {}
        self.refusal: Refusal | None = None
        self.is_silent = False

    @asynccontextmanager
    async def serve(self, bus: Bus) -> AsyncIterator["ScriptedSignalling"]:
        """Hold the sessions for as long as the block runs."""
        async with bus.subscribe(f"{PREFIX}.signalling.>", 64) as requests:
            answering = asyncio.create_task(self._answer_all(bus, requests))
            try:
                yield self
            finally:
                answering.cancel()
                await asyncio.wait({answering})

    async def _answer_all(self, bus: Bus, requests: AsyncIterator[Message]) -> None:
        async for message in requests:
            request = decode_request(message.payload)
            self.asked.append(request)
            if not self.is_silent:
                await bus.answer(message, encode_reply(self._reply(message.subject, request)))

    def _reply(self, session: str, request: Request) -> Reply:
        match request:
            case Offer() if self.refusal is not None:
                return Reply(refusal=self.refusal, message=f"refused as {self.refusal}")
            case Offer(replaces=replaces):
                return self._opened(session, replaces)
            case Candidates(resource) | Close(resource) if self.open.get(session) != resource:
                return Reply(refusal=Refusal.UNKNOWN_RESOURCE, message="there is no such connection")
            case Close():
                del self.open[session]
        return Reply()

    def _opened(self, session: str, replaces: bool) -> Reply:
        if session in self.open and not replaces:
            return Reply(refusal=Refusal.ALREADY_SENDING, message="another client sends")
        self.open[session] = f"r{len(self.asked):031}"
        return Reply(self.open[session], ANSWER)
