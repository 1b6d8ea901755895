import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_gateway.source_url import redacted, scrubbed, source_id


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://camera.local:554/stream1", "rtsp://camera.local:554/stream1"),
        ("rtsp://user:secret@camera.local/stream1", "rtsp://***@camera.local/stream1"),
        ("rtsp://user@camera.local/s?channel=1", "rtsp://***@camera.local/s?channel=1"),
        ("http://host/video?user=admin&pwd=secret&channel=2", "http://host/video?user=***&pwd=***&channel=2"),
        ("/data/clips/fire.mp4", "/data/clips/fire.mp4"),
        ("file:///data/clips/fire.mp4", "file:///data/clips/fire.mp4"),
        ("rtsp://user:pa/ss@camera.local/stream1", "rtsp://***@camera.local/stream1"),
        ("rtsp://user:pa#ss@camera.local/stream1", "rtsp://***@camera.local/stream1"),
        ("rtsp://[bad", "rtsp://***"),
    ],
)
def test_what_is_shown_of_a_url(url: str, shown: str) -> None:
    assert redacted(url) == shown


@given(st.text("abcdefghijklmnopXYZ0189:/@#?&=!.-", min_size=6, max_size=20).map(lambda text: f"Q7{text}7Q"))
def test_no_password_is_ever_shown(password: str) -> None:
    assert password not in redacted(f"rtsp://someone:{password}@camera.local:554/stream1")


def test_a_camera_keeps_its_id_when_its_password_changes() -> None:
    first = source_id("rtsp://user:old@camera.local/stream1")
    assert first == source_id("rtsp://user:new@camera.local/stream1") == source_id("rtsp://camera.local/stream1")
    assert first != source_id("rtsp://camera.local/stream2")
    assert first.startswith("cam-")
    assert len(first) == len("cam-") + 8


def test_a_message_that_quotes_the_url_is_scrubbed() -> None:
    url = "rtsp://user:secret@camera.local/stream1"
    assert scrubbed(f"{url} answered 401", url) == "rtsp://***@camera.local/stream1 answered 401"
