from vigil_gateway.sessions.source_id import source_id


def test_a_camera_keeps_its_id_when_its_password_changes() -> None:
    first = source_id("rtsp://user:old@camera.local/stream1")
    assert first == source_id("rtsp://user:new@camera.local/stream1") == source_id("rtsp://camera.local/stream1")
    assert first != source_id("rtsp://camera.local/stream2")
    assert first.startswith("cam-")
    assert len(first) == len("cam-") + 8


def test_a_password_in_the_query_is_no_part_of_the_id() -> None:
    first = source_id("http://camera.local/v?channel=1&pwd=old")
    assert first == source_id("http://camera.local/v?channel=1&pwd=new")
    assert first != source_id("http://camera.local/v?channel=2&pwd=old")


def test_an_at_sign_in_a_path_tells_cameras_apart() -> None:
    assert source_id("rtsp://one/live@1") != source_id("rtsp://two/live@1")


def test_an_address_that_cannot_be_read_has_an_id() -> None:
    assert source_id("rtsp://user:pa/ss@camera.local/1") == source_id("rtsp://user:o#ld@camera.local/1")
