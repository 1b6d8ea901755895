"""How often a client is told how much it may send.

aiortc tells it with each packet while the packets come late. They do when this process has too little time, and so the
answers would take more of it.
"""

from aiortc.rate import RemoteBitrateEstimator

LEAST_MS = 200

Estimate = tuple[int, list[int]]


class PacedEstimator(RemoteBitrateEstimator):
    """As aiortc's, and tells at most every `LEAST_MS`."""

    def __init__(self) -> None:
        super().__init__()
        self._told_ms = -LEAST_MS

    def add(self, arrival_time_ms: int, abs_send_time: int, payload_size: int, ssrc: int) -> Estimate | None:
        """Take a packet into account; the bits a second to tell the client, or None."""
        found = super().add(arrival_time_ms, abs_send_time, payload_size, ssrc)
        if found is None or 0 <= arrival_time_ms - self._told_ms < LEAST_MS:
            return None
        self._told_ms = arrival_time_ms
        return found
