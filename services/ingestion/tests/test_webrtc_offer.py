"""What a client of WebRTC offers: taken, or refused by name."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.contract.signalling import LONGEST_SDP, Refusal
from vigil_ingestion.webrtc.answer import limited
from vigil_ingestion.webrtc.fragment import parsed
from vigil_ingestion.webrtc.offer import MOST_CANDIDATES, checked
from vigil_ingestion.webrtc.refused import Refused

HOST = "a=candidate:1 1 udp 2130706431 192.168.1.7 50000 typ host"
MDNS = "a=candidate:2 1 udp 2130706431 1f4712db-ea17-4bcf.local 50001 typ host"
ELSEWHERE = tuple(
    f"a=candidate:3 1 udp 2130706431 {host} 50001 typ host"
    for host in ("127.0.0.1", "169.254.169.254", "224.0.0.1", "::1", "fe80::1", "0.0.0.0", "vigil.example")
)
VIDEO = (
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
    "c=IN IP4 0.0.0.0",
    "a=rtcp-mux",
    "a=mid:0",
    "a=sendonly",
    "a=rtpmap:96 VP8/90000",
    "a=rtpmap:97 rtx/90000",
    "a=fmtp:97 apt=96",
    HOST,
    MDNS,
    "a=end-of-candidates",
)
AUDIO = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "c=IN IP4 0.0.0.0",
    "a=rtcp-mux",
    "a=mid:1",
    "a=sendonly",
    "a=rtpmap:111 opus/48000/2",
)
DATA = ("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=mid:2", "a=sctp-port:5000")
TRANSPORT = (
    "a=ice-ufrag:EsAw",
    "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
    "a=fingerprint:sha-256 D2:FA:0E",
    "a=setup:actpass",
)


def offer(*media: tuple[str, ...], group: str = "0 1", transport: tuple[str, ...] = TRANSPORT) -> str:
    head = ("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {group}", *transport)
    return "\r\n".join([*head, *(line for lines in media for line in lines)]) + "\r\n"


def without(lines: tuple[str, ...], *left: str) -> tuple[str, ...]:
    return tuple(line for line in lines if not line.startswith(left))


def test_what_a_server_cannot_resolve_is_left_out() -> None:
    found = checked(offer(VIDEO, AUDIO))
    assert found.username == "EsAw"
    assert found.sdp == offer(without(VIDEO, MDNS, "a=end"), AUDIO)
    assert checked(offer((*VIDEO, *ELSEWHERE), AUDIO)).sdp == found.sdp


@pytest.mark.parametrize("track", [VIDEO, without(VIDEO, "a=sendonly"), without(VIDEO, "a=candidate")])
def test_video_alone_is_taken(track: tuple[str, ...]) -> None:
    assert checked(offer(track, group="0")).username == "EsAw"


@pytest.mark.parametrize(
    ("sdp", "refusal", "message"),
    [
        ("", Refusal.WRONG_OFFER, "it has no media"),
        ("not an offer", Refusal.WRONG_OFFER, "it has no media"),
        ("m=video nine", Refusal.WRONG_OFFER, "no session description that can be read"),
        (offer(VIDEO) + "a=fmtp:7 x" + "\r\n", Refusal.WRONG_OFFER, "can be read"),
        ("x" * (LONGEST_SDP + 1), Refusal.WRONG_OFFER, "65537 bytes long: at most 65536"),
        (offer((*VIDEO, *[HOST] * MOST_CANDIDATES)), Refusal.WRONG_OFFER, "more than 64 candidates"),
        (offer(AUDIO, group="1"), Refusal.NO_VIDEO, "sends no video"),
        (offer((*without(VIDEO, "a=sendonly"), "a=recvonly")), Refusal.NO_VIDEO, "sends no video"),
        (offer(("m=video 0 UDP/TLS/RTP/SAVPF 96", *VIDEO[1:])), Refusal.NO_VIDEO, "sends no video"),
        (offer(VIDEO, VIDEO), Refusal.WRONG_OFFER, "several video tracks"),
        (offer(VIDEO, DATA), Refusal.WRONG_OFFER, "no data channel"),
        (offer(without(VIDEO, "a=rtcp-mux")), Refusal.WRONG_OFFER, "no a=rtcp-mux"),
        (offer(without(VIDEO, "a=mid")), Refusal.WRONG_OFFER, "without a=mid"),
        (offer(VIDEO, AUDIO, group="0"), Refusal.WRONG_OFFER, "not in one group BUNDLE"),
        (offer(VIDEO, AUDIO, group="1 0"), Refusal.WRONG_OFFER, "not in one group BUNDLE"),
        (offer(VIDEO, transport=TRANSPORT[2:]), Refusal.WRONG_OFFER, "no ICE user and password"),
        (offer(VIDEO, transport=TRANSPORT[:2]), Refusal.WRONG_OFFER, "no DTLS fingerprint"),
        (offer(without(VIDEO, "a=rtpmap:96", "a=rtpmap:97", "a=fmtp")), Refusal.UNSUPPORTED_CODEC, "video codec"),
        (offer((*VIDEO[:5], "a=rtpmap:96 AV1/90000")), Refusal.UNSUPPORTED_CODEC, "offer VP8 or H.264"),
        (offer(VIDEO, (*AUDIO[:5], "a=rtpmap:111 red/48000/2")), Refusal.UNSUPPORTED_CODEC, "offer Opus"),
    ],
)
def test_a_wrong_offer_is_refused_by_name(sdp: str, refusal: Refusal, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        checked(sdp)
    assert refused.value.refusal is refusal


def test_the_answer_bounds_what_the_client_sends_of_video() -> None:
    given, bounded = offer(VIDEO, AUDIO), limited(offer(VIDEO, AUDIO), 800)
    assert bounded == given.replace("c=IN IP4 0.0.0.0\r\n", "c=IN IP4 0.0.0.0\r\nb=AS:800\r\n", 1)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60), st.text(max_size=8)), max_size=6))
def test_whatever_is_changed_of_an_offer_it_is_taken_or_refused(changes: list[tuple[int, int, str]]) -> None:
    lines = offer((*VIDEO, "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f"), AUDIO).split("\r\n")
    for number, place, put in changes:
        line = lines[number % len(lines)]
        lines[number % len(lines)] = line[:place] + put + line[place + len(put) :]
    with suppress(Refused):
        assert checked("\r\n".join(lines)).username


@given(st.text() | st.text().map(lambda text: f"a=candidate:1 1 udp {text} typ host"))
def test_whatever_comes_as_candidates_is_taken_or_refused(text: str) -> None:
    with suppress(Refused):
        parsed(text, "EsAw")


def test_candidates_of_the_same_ice_session_are_read() -> None:
    found = parsed(
        "\r\n".join(["a=ice-ufrag:EsAw", "m=video 9 UDP 0", "a=mid:0", HOST, MDNS, "a=end-of-candidates"]), "EsAw"
    )
    assert [(candidate.ip, candidate.port) for candidate in found.candidates] == [("192.168.1.7", 50000)]
    assert parsed(HOST, "EsAw").candidates == found.candidates


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("a=ice-ufrag:Other\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1", Refusal.ICE_RESTART_UNSUPPORTED),
        ("a=candidate:nonsense", Refusal.WRONG_OFFER),
        ("\r\n".join([HOST] * (MOST_CANDIDATES + 1)), Refusal.WRONG_OFFER),
        ("x" * (LONGEST_SDP + 1), Refusal.WRONG_OFFER),
    ],
)
def test_other_candidates_are_refused(text: str, refusal: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        parsed(text, "EsAw")
    assert refused.value.refusal is refusal
