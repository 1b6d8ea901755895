"""Candidates that a client sends after its offer (`application/trickle-ice-sdpfrag`, RFC 8840). Pure."""

from dataclasses import dataclass, replace

from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp

from vigil.contract.signalling import LONGEST_SDP, Refusal
from vigil_ingestion.webrtc.offer import MOST_CANDIDATES, is_left_out, wrong
from vigil_ingestion.webrtc.refused import Refused


@dataclass(frozen=True, slots=True)
class Fragment:
    """`username` names the ICE session that the candidates belong to; empty when the fragment does not say."""

    username: str
    candidates: tuple[RTCIceCandidate, ...]


def parsed(text: str, username: str) -> Fragment:
    """The candidates for the ICE session of `username`.

    All belong to one transport, because all tracks are bundled. Raises `Refused`, also for an ICE restart: a fragment
    of another ICE session.
    """
    if len(text) > LONGEST_SDP:
        raise wrong(f"the candidates are longer than {LONGEST_SDP} bytes")
    lines = [line.strip() for line in text.splitlines()]
    named = {line.partition(":")[2] for line in lines if line.startswith("a=ice-ufrag:")}
    if named - {username}:
        raise Refused(
            Refusal.ICE_RESTART_UNSUPPORTED, "ICE is not restarted here: end this connection and offer a new one"
        )
    found = [line.removeprefix("a=candidate:") for line in lines if line.startswith("a=candidate:")]
    if len(found) > MOST_CANDIDATES:
        raise wrong(f"more than {MOST_CANDIDATES} candidates at once")
    kept = [line for line in found if not is_left_out(f"a=candidate:{line}")]
    return Fragment(next(iter(named), ""), tuple(_candidate(line) for line in kept))


def _candidate(line: str) -> RTCIceCandidate:
    try:
        return replace(candidate_from_sdp(line), sdpMLineIndex=0)
    except (AssertionError, ValueError, IndexError):
        raise wrong(f"a candidate cannot be read: {line[:100]!r}") from None
