"""One connection of a client, over which it sends its pictures and its sound and gets nothing."""

import asyncio
import secrets
from collections.abc import Callable

import av
from aiortc import (
    MediaStreamError,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)

from vigil.contract.signalling import Refusal
from vigil.runtime.process.cancellation import first_to_end, to_the_end
from vigil.runtime.process.logs import get_log
from vigil_ingestion.webrtc.answer import limited
from vigil_ingestion.webrtc.bounds import bound_connection, bound_receiver, is_crowded
from vigil_ingestion.webrtc.fragment import Fragment
from vigil_ingestion.webrtc.gathering import PortsTaken, gather
from vigil_ingestion.webrtc.network import Network
from vigil_ingestion.webrtc.offer import MOST_CANDIDATES, CheckedOffer, wrong
from vigil_ingestion.webrtc.refused import Refused

log = get_log()

CONNECT_S = 15.0  # from the answer until the client is connected
CLOSE_S = 3.0
LOOK_S = 1.0

Show = Callable[[av.VideoFrame, str], None]
Hear = Callable[[av.AudioFrame], None]


class Peer:
    """Answer one offer, then `run` until the client leaves. `show` gets each picture with the name of its codec."""

    def __init__(self, network: Network, show: Show, hear: Hear) -> None:
        self.resource = secrets.token_hex(16)
        self.username = ""  # of the client's ICE session
        self._candidates = 0
        self._network = network
        self._show = show
        self._hear = hear
        self._connected = asyncio.Event()
        self._over = asyncio.Event()
        servers = [RTCIceServer(list(server.urls), server.username, server.credential) for server in network.servers]
        self._connection = RTCPeerConnection(RTCConfiguration(servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._connection.on("connectionstatechange", self._changed)

    async def answer(self, offer: CheckedOffer) -> str:
        """The answer to the client's offer. Raises `Refused`; the peer is closed then."""
        try:
            return await self._answered(offer)
        except PortsTaken as error:
            await self.close()
            log.error("client refused", reason=f"{error}: widen VIGIL_WEBRTC_UDP_PORTS")
            raise Refused(Refusal.BUSY, "this worker has no free port: try again later") from None
        except Exception as error:  # noqa: BLE001  aiortc lets errors of every kind out
            await self.close()
            log.warning("offer not answered", error=type(error).__name__, reason=str(error)[:200])
            raise wrong("the offer cannot be answered: offer one video track, bundled, with VP8 or H.264") from None
        except asyncio.CancelledError:
            await to_the_end(self.close())
            raise

    async def add(self, fragment: Fragment) -> None:
        """Try these addresses of the client, too. Raises `Refused`."""
        self._candidates += len(fragment.candidates)
        if self._candidates > MOST_CANDIDATES:
            raise wrong(f"the client has named more than {MOST_CANDIDATES} candidates")
        for candidate in fragment.candidates:
            await self._connection.addIceCandidate(candidate)

    async def run(self) -> str:
        """Hand over what comes until the connection ends; returns why it ended. Then the peer is closed."""
        try:
            return await first_to_end(self._until_over(), self._pictures(), self._sound())
        finally:
            await to_the_end(self.close())

    async def close(self) -> None:
        """End the connection; the client is told. Idempotent."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._connection.close()
        except TimeoutError:
            log.warning("connection not closed", reason=f"it takes longer than {CLOSE_S:g} s")

    async def _answered(self, offer: CheckedOffer) -> str:
        connection = self._connection
        self.username = offer.username
        await connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        receivers = [receiver for receiver in connection.getReceivers() if receiver.track is not None]
        for receiver in receivers:
            bound_receiver(receiver)
        ice = receivers[0].transport.transport.iceGatherer._connection
        bound_connection(ice)
        await gather(ice, self._network)
        await connection.setLocalDescription()
        return limited(connection.localDescription.sdp, self._network.video_kbps)

    def _changed(self) -> None:
        match self._connection.connectionState:
            case "connected":
                self._connected.set()
            case "failed" | "closed":
                self._over.set()
                self._connected.set()

    async def _until_over(self) -> str:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._connected.wait()
        except TimeoutError:
            return f"it could not be connected in {CONNECT_S:g} s: check that UDP passes between the client and Vigil"
        while not self._over.is_set():
            if any(is_crowded(receiver) for receiver in self._connection.getReceivers()):
                return "it sends too many streams"
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._over.wait()
            except TimeoutError:
                continue
        return "its network failed, or it closed the connection"

    async def _pictures(self) -> str:
        receiver = self._receiver("video")
        if receiver is None:
            return "it sends no video"
        codec = self._codec()
        try:
            while True:
                picture = await receiver.track.recv()
                if isinstance(picture, av.VideoFrame):
                    self._show(picture, codec)
        except MediaStreamError:
            return "its video track ended"

    async def _sound(self) -> str:
        """Take the sound, or nobody would; it says nothing of whether the client is there."""
        if (receiver := self._receiver("audio")) is not None:
            try:
                while True:
                    sound = await receiver.track.recv()
                    if isinstance(sound, av.AudioFrame):
                        self._hear(sound)
            except MediaStreamError:
                log.debug("sound ended")
        await asyncio.Event().wait()
        return ""

    def _receiver(self, kind: str) -> RTCRtpReceiver | None:
        tracks = [receiver for receiver in self._connection.getReceivers() if receiver.track is not None]
        return next((receiver for receiver in tracks if receiver.track.kind == kind), None)

    def _codec(self) -> str:
        """The name of the codec that the client prefers of those that both know."""
        videos = [line for line in self._connection.getTransceivers() if line.kind == "video"]
        return videos[0]._codecs[0].name.lower()
