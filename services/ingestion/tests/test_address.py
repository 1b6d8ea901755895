"""Which addresses may be opened, and that no credential is ever shown."""

import socket
from pathlib import Path

import pytest

from vigil.core.source import SourceKind
from vigil_ingestion.address import Address, LookUp, resolve
from vigil_ingestion.faults import Fault, SourceError


def fault(url: str, root: Path | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        resolve(url, root)
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://admin:s3cret@169.254.169.254/a?token=s3cret#s3cret",
        "rtsp://admin:s3/cret@cam/1",
        "rtsp://admin:12/s3cret@cam/1",
        "rtsp://admin:s3#cret@cam/1",
        "rtsp://admin:s3?cret@cam/1",
        "http://[s3cret",
        "ftp://admin:s3cret@cam/1",
    ],
)
def test_no_refusal_holds_a_credential(url: str) -> None:
    message = fault(url).message
    assert "cret" not in message
    assert "admin" not in message


@pytest.mark.parametrize(
    "url", ["ftp://host/a.mp4", "concat:/etc/passwd", "gopher://x/", "/videos/a.mp4", "", "tcp://h:1"]
)
def test_other_schemes_are_forbidden(url: str) -> None:
    error = fault(url)
    assert error.fault is Fault.FORBIDDEN
    assert not error.retryable
    assert "rtsp://" in error.message


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "100.100.100.200",
        "0.0.0.0",
        "224.0.0.1",
        "2852039166",  # 169.254.169.254 as one number
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a9fe:a9fe]",
        "[64:ff9b:1:a9fe:a9:fe00::]",
        "[2002:a9fe:a9fe::1]",
        "[2001:0:a9fe:a9fe::1]",
    ],
)
@pytest.mark.parametrize("scheme", ["rtsp", "http", "https"])
def test_addresses_of_no_camera_are_forbidden(scheme: str, host: str) -> None:
    assert fault(f"{scheme}://user:s3cret@{host}/latest").fault is Fault.FORBIDDEN
    assert "s3cret" not in fault(f"{scheme}://user:s3cret@{host}/latest").message


def test_a_name_may_lead_astray_for_a_while() -> None:
    def leading_to(address: str) -> LookUp:
        return lambda *_, **__: [(0, 0, 0, "", (address, 554))]

    with pytest.raises(SourceError) as refused:
        resolve("rtsp://camera.local/stream", None, leading_to("169.254.7.7"))
    assert (refused.value.fault, refused.value.retryable) == (Fault.FORBIDDEN, True)
    assert resolve("rtsp://camera.local/stream", None, leading_to("192.168.1.20")).kind is SourceKind.RTSP
    assert not fault("rtsp://2852039166/stream").retryable, "a number is no name"


def test_a_camera_on_the_local_network_is_allowed() -> None:
    url = "rtsp://user:s3cret@192.168.1.20:8554/stream"
    shown = "rtsp://***@192.168.1.20:8554/stream"
    assert resolve(url, None) == Address(SourceKind.RTSP, url, shown, ("192.168.1.20",), 8_554)
    assert resolve(url, None, allow_local=False) == resolve(url, None)
    assert resolve("rtsps://192.168.1.20/a", None).port == 322


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "127.9.9.9", "[::ffff:127.0.0.1]", "2130706433", "127.1"]
)
@pytest.mark.parametrize("url", ["rtsp://{}:6379/", "http://{}:4222/a.mp4", "https://{}/", "rtsps://{}/cam"])
def test_this_host_is_refused_unless_it_is_allowed(url: str, host: str) -> None:
    with pytest.raises(SourceError) as caught:
        resolve(url.format(host), None, allow_local=False)
    assert caught.value.fault is Fault.FORBIDDEN
    assert "it is this host itself, and this tenant may not watch what is on it" in caught.value.message
    assert "VIGIL_LOCAL_SOURCE_TENANTS" in caught.value.message
    assert "host.docker.internal" in caught.value.message
    assert resolve(url.format(host), None, allow_local=True).hosts


def test_an_own_address_of_this_machine_is_this_host() -> None:
    own = own_address()
    with pytest.raises(SourceError, match="this host itself"):
        resolve(f"rtsp://{own}:6379/", None, allow_local=False)
    assert resolve(f"rtsp://{own}:6379/", None, allow_local=True).hosts == (own,)


def own_address() -> str:
    """An address of this machine that is not loopback, where it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only chooses an interface
        except OSError:
            pytest.skip("this machine has no network")
        address = str(probe.getsockname()[0])
    if address.startswith("127."):
        pytest.skip("this machine has no network")
    return address


def test_files_are_refused_unless_they_are_allowed(tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"video")
    for name in (str(video), f"{tmp_path}/none.mp4", "/etc/passwd"):  # the same words, whether it is there or not
        with pytest.raises(SourceError, match="VIGIL_LOCAL_SOURCE_TENANTS") as caught:
            resolve(f"file://{name}", None, allow_local=False)
        assert caught.value.fault is Fault.FORBIDDEN
    assert resolve(f"file://{video}", tmp_path, allow_local=False).kind is SourceKind.FILE


@pytest.mark.parametrize(
    "url", ["rtsp://cam/\0", "file:///a\0.mp4", "rtsp://cam/a\r\nDESCRIBE", "http://cam/\x7f", "rtsp://cam/\ud800"]
)
def test_control_characters_are_refused_in_words(url: str) -> None:
    assert fault(url).fault is Fault.FORBIDDEN
    assert "control characters" in fault(url).message


def test_a_nul_behind_a_percent_sign_is_no_file() -> None:
    assert fault("file:///a%00.mp4").fault is Fault.NOT_FOUND


def test_unreadable_urls_are_forbidden() -> None:
    assert fault("rtsp://host:99999999/a").fault is Fault.FORBIDDEN
    assert fault("rtsp:///only/a/path").fault is Fault.FORBIDDEN


def test_a_host_without_an_address_is_unreachable() -> None:
    error = fault("rtsp://no-such-camera.invalid/cam")
    assert error.fault is Fault.UNREACHABLE
    assert error.retryable


def test_files_only_below_the_root(tmp_path: Path) -> None:
    root, outside = tmp_path / "videos", tmp_path / "secret.mp4"
    (root / "deep").mkdir(parents=True)
    inside = root / "deep" / "my video.mp4"
    for path in (inside, outside):
        path.write_bytes(b"video")
    (root / "link.mp4").symlink_to(outside)
    assert resolve(f"file://{root}/deep/my%20video.mp4", root).url == f"file:{inside}"
    for url in (f"file://{outside}", f"file://{root}/../secret.mp4", f"file://{root}/link.mp4", "file:///etc/passwd"):
        assert fault(url, root).fault is Fault.FORBIDDEN


def test_files_that_cannot_be_played(tmp_path: Path) -> None:
    (tmp_path / "zero.mp4").touch()
    assert fault(f"file://{tmp_path}/none.mp4").fault is Fault.NOT_FOUND
    assert fault(f"file://{tmp_path}/zero.mp4").fault is Fault.EMPTY
    assert fault(f"file://{tmp_path}").fault is Fault.NOT_A_VIDEO
    assert fault("file:///dev/zero").fault is Fault.NOT_A_VIDEO
