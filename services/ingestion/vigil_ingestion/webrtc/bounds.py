"""Bounds what aiortc and aioice keep: their own queues have no end.

A client that sends faster than this process decodes, or pictures that nobody takes, would fill the memory. Here the
newest wins, and what is let go is counted (`vigil_ingestion_webrtc_dropped_total`).
"""

import asyncio
import queue
import threading
import time
from collections.abc import Coroutine
from typing import Any

from aioice import Connection
from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterFrame

from vigil_ingestion import metrics
from vigil_ingestion.webrtc.feedback import PacedEstimator
from vigil_ingestion.webrtc.key_pictures import is_key

MOST_DATAGRAMS = 1_024
MOST_PACKED = 60  # coded pictures that wait for the decoder: so many at most, and so many bytes
MOST_PACKED_BYTES = 8 << 20
MOST_SHOWN = 2
MOST_HEARD = 25  # of sound, half a second: a gap in it is a word less
MOST_COMING = 4  # decoded pictures of one track that the event loop has not taken yet
MOST_STREAMS = 32  # a client that sends more of them is no camera
KEY_AGAIN_S = 1.0

Packed = tuple[Any, JitterFrame] | None  # codec and coded picture; None at the end


class Datagrams(asyncio.Queue[Any]):
    """What came from the network and was not read yet. When it is full, what comes is dropped, as by a network."""

    def put_nowait(self, item: Any) -> None:
        if item is not None and self.qsize() >= MOST_DATAGRAMS:
            metrics.WEBRTC_DROPPED.labels("datagram").inc()
            return
        super().put_nowait(item)


class Shown(asyncio.Queue[Any]):
    """Decoded pictures or sound: the newest ones.

    The decoder, a thread, calls `put` and hands the coroutine to the event loop. While the loop is busy the decoder
    waits there once it is `MOST_COMING` ahead: pictures are large, and a decoder keeps the memory of as many as it ever
    had at once.
    """

    def __init__(self, most: int = MOST_SHOWN) -> None:
        super().__init__()
        self._most = most
        self._room = threading.Semaphore(MOST_COMING)
        self._is_over = False

    def put(self, item: Any) -> Coroutine[Any, Any, None]:
        """Wait, in the decoder's thread, until the loop has kept up; then what the loop is to do."""
        is_counted = item is not None and not self._is_over
        if is_counted:
            self._room.acquire()
        return self._take(item, is_counted)

    def end(self) -> None:
        """Let the decoder end: nobody takes what it decodes any more."""
        self._is_over = True
        self._room.release()

    async def _take(self, item: Any, is_counted: bool) -> None:
        if is_counted:
            self._room.release()
        while self.qsize() >= self._most:
            self.get_nowait()
            metrics.WEBRTC_DROPPED.labels("decoded").inc()
        self.put_nowait(item)


class PackedPictures(queue.Queue[Packed]):
    """Coded pictures that wait for their decoder, a thread.

    When there are too many, none of them is decoded, nor what follows up to a key picture: without it the pictures
    would be broken. The client is asked for a key picture, again each second until it comes.
    """

    def __init__(self, receiver: RTCRtpReceiver, shown: Shown) -> None:
        super().__init__()
        self._receiver = receiver
        self._shown = shown
        self._bytes = 0
        self._skipping = False
        self._asked_s = 0.0

    def put(self, item: Packed, block: bool = True, timeout: float | None = None) -> None:
        """Never blocks. At the end (None) nothing that waits is decoded any more."""
        if item is None:
            self._clear()
            super().put(None)
            self._shown.end()
            return
        codec, picture = item
        if self.qsize() >= MOST_PACKED or self._bytes + len(picture.data) > MOST_PACKED_BYTES:
            metrics.WEBRTC_DROPPED.labels("coded").inc(self._clear())
            self._skipping = True
        if self._skipping and not is_key(codec.name, picture.data):
            metrics.WEBRTC_DROPPED.labels("coded").inc()
            self._ask()
            return
        self._skipping = False
        with self.mutex:
            self._bytes += len(picture.data)
        super().put(item)

    def _get(self) -> Packed:
        item: Packed = super()._get()
        if item is not None:
            self._bytes -= len(item[1].data)
        return item

    def _clear(self) -> int:
        with self.mutex:
            count = len(self.queue)
            self.queue.clear()
            self._bytes = 0
        return count

    def _ask(self) -> None:
        now_s = time.monotonic()
        if now_s - self._asked_s >= KEY_AGAIN_S:
            self._asked_s = now_s
            self._receiver._RTCRtpReceiver__decoder_error.set()  # type: ignore[attr-defined]


class PackedSound(queue.Queue[Packed]):
    """Coded sound that waits for its decoder: the newest."""

    def __init__(self, shown: Shown) -> None:
        super().__init__()
        self._shown = shown

    def put(self, item: Packed, block: bool = True, timeout: float | None = None) -> None:
        """Never blocks. At the end (None) nothing that waits is decoded any more."""
        with self.mutex:
            if item is None:
                self.queue.clear()
            elif len(self.queue) >= MOST_PACKED:
                self.queue.popleft()
                metrics.WEBRTC_DROPPED.labels("coded").inc()
        super().put(item)
        if item is None:
            self._shown.end()


def bound_receiver(receiver: RTCRtpReceiver) -> None:
    """Before the receiver starts: give it queues that end, and of video an estimator that tells the client of its bits
    now and then."""
    track = receiver.track
    track._queue = shown = Shown(MOST_SHOWN if track.kind == "video" else MOST_HEARD)  # type: ignore[attr-defined]
    packed = PackedPictures(receiver, shown) if track.kind == "video" else PackedSound(shown)
    receiver._RTCRtpReceiver__decoder_queue = packed  # type: ignore[attr-defined]
    if track.kind == "video":
        receiver._RTCRtpReceiver__remote_bitrate_estimator = PacedEstimator()  # type: ignore[attr-defined]


def bound_connection(connection: Connection) -> None:
    """Before the connection opens its sockets: give it a queue that ends."""
    connection._queue = Datagrams()


def is_crowded(receiver: RTCRtpReceiver) -> bool:
    """Whether the client sends so many streams that what is noted of each would fill the memory."""
    return len(receiver.transport._rtp_router.ssrc_table) > MOST_STREAMS
