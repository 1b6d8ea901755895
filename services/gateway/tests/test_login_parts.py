"""What a login is made of, by value: the cookie, what a browser says of where a request comes from, the attempts."""

import pytest
from starlette.datastructures import Headers
from starlette.responses import Response

from vigil_gateway.api.errors import TooManyLogins
from vigil_gateway.login import attempts, cookie
from vigil_gateway.login.attempts import LoginAttempts
from vigil_gateway.login.origin import is_from_another_site, is_from_this_site

TOKEN = "T" * 43  # a token in its form, and the same in every process that collects these tests
HOST = ("host", "vigil.example:8443")


def headers(*pairs: tuple[str, str]) -> Headers:
    return Headers(raw=[(name.encode(), value.encode()) for name, value in (HOST, *pairs)])


@pytest.mark.parametrize(
    ("sent", "token"),
    [
        ((), ""),
        ((("cookie", f"vigil_login={TOKEN}"),), TOKEN),
        ((("cookie", f"theme=dark; vigil_login={TOKEN}; other=1"),), TOKEN),
        ((("cookie", "theme=dark"), ("cookie", f'vigil_login="{TOKEN}"')), TOKEN),
        ((("cookie", f"vigil_login={TOKEN}; vigil_login={TOKEN}"),), ""),  # one of the two is a stranger's
        ((("cookie", f"my_vigil_login={TOKEN}"),), ""),
        ((("cookie", f"vigil_login={TOKEN}x"),), ""),
        ((("cookie", "vigil_login="),), ""),
        ((("cookie", "vigil_login=é"),), ""),
    ],
)
def test_the_token_is_read_out_of_the_cookies(sent: tuple[tuple[str, str], ...], token: str) -> None:
    assert cookie.token_of(headers(*sent)) == token
    assert cookie.has_cookie(headers(*sent)) == any("; vigil_login=" in f"; {value}" for _, value in sent)


def test_tokens_are_random_and_only_their_digests_are_kept() -> None:
    tokens = {cookie.new_token() for _ in range(100)}
    assert len(tokens) == 100
    for token in tokens:
        told = {cookie.digest_of(token), cookie.csrf_of(token)}
        assert len(told) == 2
        assert not any(token in text for text in told)


@pytest.mark.parametrize("given", ["", "x", cookie.csrf_of("U" * 43), TOKEN, "é", "\ud800"])
def test_only_the_own_csrf_token_is_taken(given: str) -> None:
    assert not cookie.is_csrf_of(TOKEN, given)
    assert cookie.is_csrf_of(TOKEN, cookie.csrf_of(TOKEN))


@pytest.mark.parametrize("is_secure", [True, False])
def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(is_secure: bool) -> None:
    response = Response()
    cookie.set_cookie(response, TOKEN, 60, is_secure=is_secure)
    first, *attributes = response.headers["set-cookie"].split("; ")
    assert first == f"vigil_login={TOKEN}"
    wanted = {"httponly", "max-age=60", "path=/", "samesite=strict"} | ({"secure"} if is_secure else set())
    assert {attribute.lower() for attribute in attributes} == wanted


@pytest.mark.parametrize(
    ("said", "another", "this"),
    [
        ((), False, False),
        ((("sec-fetch-site", "same-origin"),), False, True),
        ((("sec-fetch-site", "none"),), False, True),
        ((("sec-fetch-site", "same-site"),), True, False),
        ((("sec-fetch-site", "cross-site"),), True, False),
        ((("sec-fetch-site", "cross-site"), ("origin", "https://vigil.example:8443")), True, False),
        ((("sec-fetch-site", "same-origin"), ("origin", "https://before.the.proxy")), False, True),
        ((("origin", "https://vigil.example:8443"),), False, True),
        ((("origin", "https://VIGIL.example:8443"),), False, True),
        ((("origin", "https://vigil.example"),), True, False),
        ((("origin", "https://vigil.example:8443.evil.example"),), True, False),
        ((("origin", "null"),), True, False),
        ((("origin", ""),), True, False),
        ((("origin", "https://[::1"),), True, False),
    ],
)
def test_what_a_browser_says_of_where_a_request_comes_from(
    said: tuple[tuple[str, str], ...], another: bool, this: bool
) -> None:
    assert is_from_another_site(headers(*said)) is another
    assert is_from_this_site(headers(*said)) is this


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_an_address_has_its_attempts_and_gets_more_with_time() -> None:
    clock = Clock()
    bound = LoginAttempts(6, clock)
    for _ in range(6):
        bound.count("192.0.2.1")
    with pytest.raises(TooManyLogins, match="more than 6 times a minute") as refused:
        bound.count("192.0.2.1")
    assert refused.value.retry_after_s == pytest.approx(10.0)
    bound.count("192.0.2.2")
    clock.now_s = 10.0
    bound.count("192.0.2.1")


def test_one_household_of_ipv6_is_one_address() -> None:
    bound = LoginAttempts(1, Clock())
    bound.count("2001:db8:1:2::1")
    with pytest.raises(TooManyLogins):
        bound.count("2001:db8:1:2:ffff::1")
    bound.count("2001:db8:1:3::1")


def test_addresses_without_end_share_one_bound() -> None:
    clock = Clock()
    bound = LoginAttempts(1, clock)
    for number in range(attempts.MAX_ADDRESSES):
        bound.count(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    bound.count("192.0.2.1")
    with pytest.raises(TooManyLogins):
        bound.count("192.0.2.2")
    clock.now_s = 61.0
    bound.count("192.0.2.2")
