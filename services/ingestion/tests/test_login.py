"""Passwords that hold the characters which end them in a URL: understood, or named; never half of one as a host."""

import contextlib
import ipaddress
import string
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vigil_ingestion.address import resolve
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.login import is_ambiguous


class Names:
    """A resolver that knows every name and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: object) -> Sequence[tuple[Any, ...]]:
        self.asked.append(host)
        return [(0, 0, 0, "", ("192.0.2.7", port))]


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://admin:p#ss@192.0.2.7/c",
        "rtsp://admin:p?ss@192.0.2.7/c",
        "rtsp://admin:p/ss@192.0.2.7/c",
        "rtsp://admin:12#34@192.0.2.7/c",
        "rtsp://admin:12/34@192.0.2.7/c",
        "rtsp://admin:12/34@camera.local:554/c",
        "rtsp://admin:p@ss/w@192.0.2.7/c",
        "rtsp://admin:p@ss/w@camera/c",
        "rtsp://admin:p@ss?w@camera/c",
        "rtsp://admin:p/ss@camera/c",
        "rtsp://tok#en@192.0.2.7/c",
        "rtsp://tok/en@192.0.2.7/c",
        "https://user:a/b@camera.example/live",
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_named(url: str) -> None:
    names = Names()
    with pytest.raises(SourceError, match="%40 %23 %3F %2F") as caught:
        resolve(url, None, names)
    assert caught.value.fault is Fault.WRONG_CREDENTIALS
    assert names.asked == []
    secrets = ("ss", "34", "tok", "en@", "a/b")
    assert not any(secret in caught.value.message.split(": write")[0].replace("password", "") for secret in secrets)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("rtsp://admin:p@ss@192.0.2.7/c", "192.0.2.7"),
        ("rtsp://192.0.2.7/live@1", "192.0.2.7"),
        ("rtsp://camera:554/live@1", "camera"),
        ("rtsp://camera/live@1", "camera"),
        ("rtsp://admin:pw@192.0.2.7:554/live@1", "192.0.2.7"),
        ("rtsp://admin:pw@[2001:db8::7]:554/live@1", "2001:db8::7"),
        ("rtsp://192.0.2.7:554/user=admin&password=p@ss&channel=1", "192.0.2.7"),
        ("http://camera.local:8080/v?user=a&password=p@ss", "camera.local"),
    ],
)
def test_an_at_sign_elsewhere_is_understood(url: str, host: str) -> None:
    names = Names()
    assert resolve(url, None, names).url == url
    assert names.asked == [host]


@settings(max_examples=60, deadline=None)
@given(st.text(string.ascii_letters + string.digits + "@#?/:%&=!$.", min_size=1, max_size=12))
@example("p@10.0.0.1/x")
@example("12/34")
def test_no_password_becomes_a_host(password: str) -> None:
    names = Names()
    resolve(f"rtsp://admin:{quote(password, safe='')}@192.0.2.7/c", None, names)
    with contextlib.suppress(SourceError):
        resolve(f"rtsp://admin:{password}@192.0.2.7/c", None, names)
    assert set(names.asked) == {"192.0.2.7"}


@settings(max_examples=60, deadline=None)
@given(st.ip_addresses(v=4), st.text(string.ascii_lowercase + "@/?=&", max_size=20))
def test_a_plain_host_is_never_in_doubt(host: ipaddress.IPv4Address, path: str) -> None:
    assert not is_ambiguous(f"rtsp://{host}:554/{path}")


PIECES = (
    "rtsp://",
    "https://",
    "file:///",
    "user",
    ":",
    "@",
    "/",
    "?",
    "#",
    "%40",
    "%",
    "[",
    "]",
    "::1",
    "cam",
    "99999",
    "é",
    " ",
    "\n",
    "①",
    "\\",
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    with contextlib.suppress(SourceError):
        resolve(text, None, Names())
