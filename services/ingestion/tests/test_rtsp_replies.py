"""What a camera answers: by value, in pieces, and what must never go on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_ingestion.rtsp_replies import Redirected, Replies, Unreadable

OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE, SETUP\r\n\r\n"
SDP = b"v=0\r\no=- 1 1 IN IP4 10.0.0.7\r\n\r\na=control:*\r\n"
DESCRIBED = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s" % (
    len(SDP),
    SDP,
)
MEDIA = b"$\x00\x00\x05RTSP/" + b"$\x01\x00\x00" + b"$\x00\x00\x02\r\n"
REQUEST = b"OPTIONS rtsp://cam/1 RTSP/1.0\r\nCSeq: 9\r\n\r\n"


def passed(data: bytes, host: str = "10.0.0.7") -> bytes:
    return Replies(host).feed(data)


def test_answers_requests_and_media_go_on() -> None:
    assert passed(OK) == OK
    assert passed(MEDIA) == MEDIA
    assert passed(REQUEST) == REQUEST
    assert passed(DESCRIBED).endswith(b"Content-Length: %d\r\n\r\n%s" % (len(SDP), SDP))


@given(st.lists(st.sampled_from([OK, DESCRIBED, MEDIA, REQUEST]), max_size=6), st.data())
def test_however_it_is_cut_the_same_goes_on(messages: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    replies, found = Replies("10.0.0.7"), b""
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += replies.feed(whole[begin:end])
    assert found == passed(whole)


@pytest.mark.parametrize("code", [300, 301, 302, 303, 305, 307, 399])
@pytest.mark.parametrize(
    "written",
    [
        b"RTSP/1.0 %d Moved\r\nLocation: rtsp://10.0.0.8/\r\n\r\n",
        b"RTSP/1.0 %d\nLocation: rtsp://10.0.0.8/\n\n",
        b"R\rTSP/1.0 %d Moved\r\nLoc\ration: rtsp://10.0.0.8/\r\n\r\n",
        b"RTSP/1.0 %d Moved\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nxRTSP/1.0 %d Moved\r\n\r\n",
        b"\r\n\r\nRTSP/1.0 %d Moved\r\n\r\n",
        b"$\x00\x00\x01xRTSP/1.0 %d Moved\r\n\r\n",
        b"noise RTSP/1.0 %d Moved\r\n\r\n",
    ],
)
def test_no_redirect_goes_on(written: bytes, code: int) -> None:
    with pytest.raises(Redirected):
        passed(written % code)


@pytest.mark.parametrize(
    "written",
    [
        b"RTSP/1.0 +302 Moved\r\n\r\n",
        b"RTSP/1.0 0302 Moved\r\n\r\n",
        b"RTSP/1.0\t302 Moved\r\n\r\n",
        b"RTSP/1.0 302Moved\r\n\r\n",
        b"RTSP/ 302 Moved\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"RTSP/1.0 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 20_000,
    ],
)
def test_what_could_be_read_in_two_ways_does_not_go_on(written: bytes) -> None:
    with pytest.raises(Unreadable):
        passed(written)


def test_a_location_is_dropped_and_media_by_udp_comes_from_the_camera() -> None:
    answer = (
        b"RTSP/1.0 200 OK\r\nLocation: rtsp://10.0.0.8/\r\n"
        b"Transport: RTP/AVP;unicast;client_port=5000-5001;source=169.254.169.254;server_port=6000-6001\r\n\r\n"
    )
    assert passed(answer) == (
        b"RTSP/1.0 200 OK\r\n"
        b"Transport: RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001;source=10.0.0.7\r\n\r\n"
    )
    over_tcp = b"RTSP/1.0 200 OK\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
    assert passed(over_tcp) == over_tcp


@given(st.binary(max_size=400))
def test_nothing_that_is_sent_breaks_it(data: bytes) -> None:
    try:
        found = passed(data)
    except (Redirected, Unreadable):
        return
    assert b"RTSP/1.0 3" not in found or b"$" in found
