"""A WHIP client that publishes one colour: aiortc over plain HTTP, as a program of somebody else would do it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urljoin

import aiohttp
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from av import VideoFrame

SDP = {"Content-Type": "application/sdp"}


class Colour(VideoStreamTrack):
    """Pictures of one colour, 30 a second; `rgb` may be changed at any time."""

    def __init__(self, rgb: tuple[int, int, int]) -> None:
        super().__init__()
        self.rgb = rgb

    async def recv(self) -> VideoFrame:
        """The next picture, when it is due."""
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame.from_ndarray(np.full((240, 320, 3), self.rgb, dtype=np.uint8), format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


@dataclass(frozen=True, slots=True)
class Published:
    """A connection that is open: where it is, its entity-tag, and the client's end of it."""

    location: str
    etag: str
    peer: RTCPeerConnection


@asynccontextmanager
async def publishing(
    http: aiohttp.ClientSession,
    url: str,
    track: MediaStreamTrack,
    servers: Sequence[RTCIceServer] = (),
    candidates: str = "",
) -> AsyncIterator[Published]:
    """Publish to `url`, with these STUN and TURN servers. With `candidates` both sides are told only addresses of that
    type (`host`, `srflx`, `relay`). On leaving the client is gone without a word, as a tab that is closed."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=list(servers)))
    try:
        peer.addTransceiver(track, direction="sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        async with http.post(url, data=_only(peer.localDescription.sdp, candidates), headers=SDP) as answer:
            assert answer.status == 201, await answer.text()
            sdp = _only(await answer.text(), candidates)
            await peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
            location = urljoin(str(answer.url), answer.headers["Location"])
        yield Published(location, answer.headers["ETag"], peer)
    finally:
        await peer.close()


def _only(sdp: str, candidates: str) -> str:
    """The description without the addresses of other types."""
    lines = sdp.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("a=candidate") or f"typ {candidates}" in line)
