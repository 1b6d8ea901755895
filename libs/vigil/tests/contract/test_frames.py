"""Frames survive the wire, and what is no frame is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.contract.errors import InvalidMessage
from vigil.contract.frames import (
    CodedFrame,
    CodedFrameGroup,
    Frame,
    FrameGroup,
    FrameKind,
    decode_coded_group,
    decode_group,
    encode_coded_group,
    encode_group,
    group_to_pb,
)
from vigil.core.ids import SessionKey
from vigil.v1 import frame_pb2 as pb

KEY = SessionKey("demo", "s-1")
pixels = st.integers(1, 10_000)
frames = st.builds(Frame, st.binary(min_size=1, max_size=200), pixels, pixels, st.integers(0, 2**60))
coded = st.builds(CodedFrame, frames, st.sampled_from(FrameKind), st.integers(0, 256))
times = st.integers(0, 2**40)


@given(st.builds(FrameGroup, st.just(KEY), times, times, st.tuples(frames), times))
def test_a_group_survives_the_wire(group: FrameGroup) -> None:
    assert decode_group(encode_group(group)) == group


@given(st.builds(CodedFrameGroup, st.just(KEY), times, times, st.tuples(coded, coded), times))
def test_a_coded_group_survives_the_wire(group: CodedFrameGroup) -> None:
    assert decode_coded_group(encode_coded_group(group)) == group


def _group() -> pb.FrameGroup:
    return group_to_pb(FrameGroup(KEY, 1_000, 1, (Frame(b"jpeg", 160, 96, 5),), fence=1))


def test_a_group_without_frames_is_refused() -> None:
    message = _group()
    del message.frames[:]
    with pytest.raises(InvalidMessage, match="no frames"):
        decode_group(message.SerializeToString())


def test_an_empty_picture_is_refused() -> None:
    message = _group()
    message.frames[0].jpeg = b""
    with pytest.raises(InvalidMessage, match="160x96 pixels and 0 bytes"):
        decode_group(message.SerializeToString())


def test_a_group_of_no_tenant_is_refused() -> None:
    message = _group()
    message.tenant = ""
    with pytest.raises(InvalidMessage, match="names no session"):
        decode_group(message.SerializeToString())


def test_a_frame_of_unknown_kind_is_refused() -> None:
    frame = pb.CodedFrame(frame=_group().frames[0])
    message = pb.CodedFrameGroup(tenant="demo", session="s-1", frames=[frame])
    with pytest.raises(InvalidMessage, match="unknown kind 0"):
        decode_coded_group(message.SerializeToString())


@pytest.mark.parametrize("decode", [decode_group, decode_coded_group])
def test_other_bytes_are_refused(decode: object) -> None:
    assert callable(decode)
    with pytest.raises(InvalidMessage, match="these bytes are not a"):
        decode(b"\xff\xff\xff")
