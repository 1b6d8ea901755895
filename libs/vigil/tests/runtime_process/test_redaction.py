"""No credential is ever shown, however badly the address that holds it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.runtime.process.redaction import redacted, redacted_list, scrubbed


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://camera.local:554/stream1", "rtsp://camera.local:554/stream1"),
        ("rtsp://user:secret@camera.local/stream1", "rtsp://***@camera.local/stream1"),
        ("rtsp://user@camera.local/s?channel=1", "rtsp://***@camera.local/s?channel=1"),
        ("http://host/video?user=admin&pwd=secret&channel=2", "http://host/video?user=***&pwd=***&channel=2"),
        ("http://host/video?%70wd=secret;x&channel=2", "http://host/video?%70wd=***&channel=2"),
        ("http://host/video?channel=2;pwd=secret", "http://host/video?channel=2;pwd=***"),
        ("http://host/video?mail=a@b&pwd=secret#secret", "http://***@b&pwd=***"),
        ("rtsp://10.0.0.5/user=admin_password=secret_channel=1.sdp", "rtsp://10.0.0.5/user=***"),
        ("/data/clips/fire@night#2.mp4", "/data/clips/fire@night#2.mp4"),
        ("file:///data/clips/fire@night.mp4", "file:///data/clips/fire@night.mp4"),
        ("rtsp://admin:pa/ss@cam/1", "rtsp://***@cam/1"),
        ("rtsp://admin:pa#ss@cam/1", "rtsp://***@cam/1"),
        ("rtsp://admin:pa?ss@cam/1", "rtsp://***@cam/1"),
        ("rtsp://admin:12/ss@cam/1", "rtsp://***@cam/1"),
        ("rtsp://ad/min:pass@cam/1", "rtsp://***@cam/1"),
        ("nats://user:s3/cret@bus:4222", "nats://***@bus:4222"),
        ("rtsp://[bad", "rtsp://***"),
        ("rtsp://admin:secret", "rtsp://***"),
        ("admin:secret@cam/1", "***@cam/1"),
        ("", ""),
    ],
)
def test_what_is_shown_of_an_address(address: str, shown: str) -> None:
    assert redacted(address) == shown


awkward = st.text("abcXYZ0189:/@#?&=!.,;%[]- ~", min_size=1, max_size=20)


@given(awkward, awkward.map(lambda text: f"7Q{text}Q7"), st.sampled_from(["rtsp", "nats", "redis", "https"]))
def test_no_password_is_ever_shown(user: str, password: str, scheme: str) -> None:
    assert password not in redacted(f"{scheme}://{user}:{password}@camera.local:554/stream1")
    assert redacted(f"{scheme}://{user}:{password}@camera.local:554/1") == f"{scheme}://***@camera.local:554/1"


@given(st.text())
def test_anything_at_all_can_be_redacted_and_twice_is_once(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)
    assert redacted_list(text) is not None


def test_each_address_of_a_list_is_redacted() -> None:
    assert redacted_list("nats://a:x@one:1,nats://b:y@two:2") == "nats://***@one:1,nats://***@two:2"
    assert redacted_list("nats://one:1,nats://[two") == "nats://one:1,nats://***"
    assert redacted_list("redis://:pa,ss@store/0") == "redis://***@store/0"


def test_a_message_that_quotes_the_address_is_scrubbed() -> None:
    url = "rtsp://user:secret@camera.local/stream1"
    assert scrubbed(f"{url} answered 401", url) == "rtsp://***@camera.local/stream1 answered 401"
    assert scrubbed("nothing", "") == "nothing"
