"""Signalling of WebRTC as bytes and back."""

import pytest

from vigil.contract.errors import InvalidMessage
from vigil.contract.signalling import (
    Candidates,
    Close,
    Offer,
    Refusal,
    Reply,
    Request,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)
from vigil.v1 import webrtc_pb2 as pb

REQUESTS = [
    Offer("v=0"),
    Offer("v=0", replaces=True),
    Offer("v=0", brings_session=True),
    Candidates("r", "a=x"),
    Close("r"),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_comes_back(request_: Request) -> None:
    assert decode_request(encode_request(request_)) == request_


@pytest.mark.parametrize("refusal", [None, *Refusal])
def test_a_reply_comes_back(refusal: Refusal | None) -> None:
    reply = Reply("r", "v=0", refusal, "why")
    assert decode_reply(encode_reply(reply)) == reply


def test_every_refusal_has_its_number() -> None:
    assert [f"REFUSAL_{refusal.name}" for refusal in Refusal] == pb.Refusal.keys()[1:]


@pytest.mark.parametrize("data", [b"", b"\xff\xff"])
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidMessage, match="SignallingRequest"):
        decode_request(data)


def test_a_refusal_of_a_newer_release_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="SignallingReply"):
        decode_reply(b"\x18\x63")
