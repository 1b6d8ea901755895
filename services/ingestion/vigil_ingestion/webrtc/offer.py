"""What a client offers, checked before aiortc sees it, so that a wrong offer is refused by name. Pure.

Two kinds of lines are left out of an offer. Candidates at addresses that a client of a server cannot have: names (mDNS,
`….local`), which a server cannot resolve, loopback, link-local and multicast addresses; the client's own checks tell
where it is. And the end of candidates: without it aioice gives up only when
it is told to, so a client behind a NAT that sends no candidate at all is connected as well.
"""

import ipaddress
from dataclasses import dataclass

from aiortc.codecs import CODECS, is_rtx
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.sdp import MediaDescription, SessionDescription

from vigil.contract.signalling import LONGEST_SDP, Refusal
from vigil_ingestion.webrtc.refused import Refused

MOST_CANDIDATES = 64
SENDS = ("sendonly", "sendrecv", None)  # without a word about it a track is sent and received
_CANDIDATE, _END = "a=candidate:", "a=end-of-candidates"


@dataclass(frozen=True, slots=True)
class CheckedOffer:
    """An offer of one video track, and of at most one audio track. `username` names the client's ICE session."""

    sdp: str
    username: str


def checked(sdp: str) -> CheckedOffer:
    """The offer, without what is left out of it. Raises `Refused`."""
    size = len(sdp.encode())
    if size > LONGEST_SDP:
        raise wrong(f"the offer is {size} bytes long: at most {LONGEST_SDP} are taken")
    kept = "".join(f"{line}\r\n" for line in sdp.splitlines() if not is_left_out(line))
    if kept.count(_CANDIDATE) > MOST_CANDIDATES:
        raise wrong(f"the offer has more than {MOST_CANDIDATES} candidates")
    media = _parsed(kept).media
    _check_tracks(media)
    for track in media:
        _check_transport(track)
        _check_codecs(track)
    if len(media) > 1 and not _is_bundled(kept, media):
        raise wrong(
            "the offer's tracks are not in one group BUNDLE, in their order: offer with bundlePolicy max-bundle"
        )
    return CheckedOffer(kept, _username(media[0]))


def wrong(message: str) -> Refused:
    """An offer that cannot be taken."""
    return Refused(Refusal.WRONG_OFFER, message)


def is_left_out(line: str) -> bool:
    """Whether that line of an offer or a fragment is passed over."""
    if line.startswith(_CANDIDATE):
        parts = line.split()
        return len(parts) > 4 and not _is_reachable(parts[4])
    return line.startswith(_END)


def _is_reachable(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified)


def _parsed(sdp: str) -> SessionDescription:
    try:
        description = SessionDescription.parse(sdp)
    except Exception as error:  # noqa: BLE001  the parser asserts, and lets errors of every kind out
        raise wrong(f"the offer is no session description that can be read ({type(error).__name__})") from None
    if not description.media:
        raise wrong("the offer is no session description: it has no media")
    return description


def _check_tracks(media: list[MediaDescription]) -> None:
    if other := [track.kind for track in media if track.kind not in ("audio", "video")]:
        raise wrong(f"the offer has a section for {other[0][:32]!r}: only video and audio are taken, no data channel")
    for kind in ("video", "audio"):
        if sum(track.kind == kind for track in media) > 1:
            raise wrong(f"the offer has several {kind} tracks: offer one")
    videos = [track for track in media if track.kind == "video" and track.port and track.direction in SENDS]
    if not videos:
        raise Refused(Refusal.NO_VIDEO, "the offer sends no video: add a camera or a screen, as sendonly")


def _check_transport(track: MediaDescription) -> None:
    if not (_username(track) and track.ice and track.ice.password):
        raise wrong("the offer has no ICE user and password (a=ice-ufrag, a=ice-pwd)")
    if track.dtls is None or not track.dtls.fingerprints:
        raise wrong("the offer has no DTLS fingerprint (a=fingerprint, a=setup): only encrypted media are taken")
    if not track.rtcp_mux:
        raise wrong("the offer has no a=rtcp-mux")
    if not track.rtp.muxId:
        raise wrong("the offer has a track without a=mid")


def _username(track: MediaDescription) -> str:
    return (track.ice and track.ice.usernameFragment) or ""


def _check_codecs(track: MediaDescription) -> None:
    if all(is_rtx(codec) for codec in find_common_codecs(CODECS[track.kind], track.rtp.codecs)):
        known = "VP8 or H.264 (baseline, packetization-mode 1)" if track.kind == "video" else "Opus, G.722 or G.711"
        raise Refused(Refusal.UNSUPPORTED_CODEC, f"no {track.kind} codec of the offer can be decoded: offer {known}")


def _is_bundled(sdp: str, media: list[MediaDescription]) -> bool:
    groups = [line.split()[1:] for line in sdp.splitlines() if line.startswith("a=group:BUNDLE")]
    mids = [track.rtp.muxId for track in media]
    return any(group[:1] == mids[:1] and set(mids) <= set(group) for group in groups)
