"""What an offer and a fragment must be, without anything behind it."""

import pytest

from vigil.contract.signalling import LONGEST_SDP
from vigil.testing.scripted_signalling import offer_sdp
from vigil_gateway.api.whip_errors import (
    FragmentWrong,
    IceRestartUnsupported,
    IfMatchFailed,
    IfMatchMissing,
    NoVideo,
    OfferWrong,
    SdpTooLarge,
)
from vigil_gateway.whip.precondition import check_precondition, etag_of
from vigil_gateway.whip.sdp import MAX_CANDIDATES, MAX_SECTIONS, checked_fragment, checked_offer

OFFER = offer_sdp()
VIDEO = OFFER[OFFER.index("m=video") :]
CANDIDATE = "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n"
FRAGMENT = f"a=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=ice-ufrag:EsAw\r\n{CANDIDATE}"


@pytest.mark.parametrize(
    "offer",
    [
        OFFER,
        offer_sdp("sendrecv"),
        OFFER.replace("\r\n", "\n"),
        OFFER.replace("a=sendonly\r\n", ""),  # the direction that counts where none is named is sendrecv
        OFFER.replace("m=video 9 ", "m=video 0 ").replace("a=sendonly", "a=bundle-only\r\na=sendonly"),
        OFFER + VIDEO.replace("m=video", "m=audio"),
        OFFER + VIDEO.replace("a=sendonly", "a=inactive"),
        OFFER.replace("s=-", "s= "),
    ],
)
def test_an_offer_with_one_video_is_passed_on_as_it_is(offer: str) -> None:
    assert checked_offer(offer.encode()) == offer


@pytest.mark.parametrize(
    "offer",
    [
        offer_sdp("recvonly"),
        offer_sdp("inactive"),
        offer_sdp(media="audio"),
        OFFER.replace("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", ""),
        OFFER.replace("m=video 9 ", "m=video 0 "),
        OFFER.replace("a=sendonly\r\n", "").replace("s=-\r\n", "s=-\r\na=recvonly\r\n"),
    ],
)
def test_an_offer_that_sends_no_video_is_refused_as_that(offer: str) -> None:
    with pytest.raises(NoVideo):
        checked_offer(offer.encode())


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        ("", "line 1"),
        ("{}", "line 1"),
        (OFFER.replace("v=0", "v=1", 1), "v=0"),
        ("v=0", "a=ice-ufrag"),
        (OFFER.replace("a=ice-ufrag", "a=ice-user"), "a=ice-ufrag"),
        (OFFER.replace("a=ice-pwd", "a=ice-word"), "a=ice-pwd"),
        (OFFER.replace("a=fingerprint", "a=finger"), "a=fingerprint"),
        (OFFER + "not a line", "is no line of SDP"),
        (OFFER + "m=audio 9\r\n", "not whole"),
        (OFFER + VIDEO, "2 videos"),
        (OFFER + VIDEO.replace("m=video", "m=audio") * MAX_SECTIONS, "m= sections"),
        ("\udcff", "UTF-8"),
    ],
)
def test_what_is_no_offer_is_refused_with_its_reason(offer: str, why: str) -> None:
    with pytest.raises(OfferWrong, match=why):
        checked_offer(offer.encode(errors="surrogateescape"))


def test_an_offer_and_a_fragment_are_bounded() -> None:
    longest = OFFER + "a=" + "x" * (LONGEST_SDP - len(OFFER) - 2)
    assert checked_offer(longest.encode()) == longest
    for check in (checked_offer, checked_fragment):
        with pytest.raises(SdpTooLarge, match="65,537 bytes"):
            check(longest.encode() + b"x")


@pytest.mark.parametrize("fragment", [FRAGMENT, "a=end-of-candidates\r\n", "a=ice-ufrag:u\na=ice-pwd:p\n"])
def test_a_fragment_is_passed_on_as_it_is(fragment: str) -> None:
    assert checked_fragment(fragment.encode()) == fragment


@pytest.mark.parametrize(
    ("fragment", "why"),
    [
        ("", "line 1"),
        ("a=mid:0", "neither"),
        ("a=candidate:nothing", "no ICE candidate"),
        (CANDIDATE.replace("61764", "port"), "no ICE candidate"),
        (CANDIDATE * (MAX_CANDIDATES + 1), "257 candidates"),
    ],
)
def test_what_is_no_fragment_is_refused_with_its_reason(fragment: str, why: str) -> None:
    with pytest.raises(FragmentWrong, match=why):
        checked_fragment(fragment.encode())


@pytest.mark.parametrize("if_match", [etag_of("r"), f'"other", {etag_of("r")}'])
def test_candidates_of_the_connection_are_taken(if_match: str) -> None:
    check_precondition(if_match, "r")


@pytest.mark.parametrize(
    ("if_match", "refused"),
    [
        (None, IfMatchMissing),
        (" ", IfMatchMissing),
        ('"other"', IfMatchFailed),
        ("r", IfMatchFailed),
        ('W/"r"', IfMatchFailed),  # a weak entity-tag never matches (RFC 9110 §13.1.1)
        ("*", IceRestartUnsupported),
        ('"*"', IceRestartUnsupported),
    ],
)
def test_other_candidates_are_refused(if_match: str | None, refused: type[Exception]) -> None:
    with pytest.raises(refused):
        check_precondition(if_match, "r")
