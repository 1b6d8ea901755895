"""By which names agents may reach the gateway: pages whose DNS was turned to it are kept out."""

import pytest

from vigil_gateway.agent.hosts import check_host, check_origin
from vigil_gateway.api.errors import HostRefused, OriginRefused


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("localhost", ()),
        ("localhost:8080", ()),
        ("127.0.0.1:8080", ()),
        ("[::1]:8080", ()),
        ("192.0.2.7", ()),
        ("[2001:db8::7]:443", ()),
        ("vigil.example", ("vigil.example",)),
        ("VIGIL.example:8443", ("vigil.example",)),
        ("anything.example", ("*",)),
    ],
)
def test_addresses_and_listed_names_are_taken(host: str, names: tuple[str, ...]) -> None:
    check_host(host, names)


@pytest.mark.parametrize(
    "host", ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::1", "*", "vigil.example.evil"]
)
def test_any_other_name_is_refused(host: str) -> None:
    with pytest.raises(HostRefused):
        check_host(host, ("vigil.example",))


@pytest.mark.parametrize(
    "origin", ["", "http://localhost:3000", "http://127.0.0.1", "https://vigil.example", "http://192.0.2.7:8080"]
)
def test_pages_of_this_machine_and_of_the_gateway_are_taken(origin: str) -> None:
    check_origin(origin, "192.0.2.7:8080", ("vigil.example",))


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "http://192.0.2.8", "https://vigil.example.evil", "//"]
)
def test_any_other_page_is_refused(origin: str) -> None:
    with pytest.raises(OriginRefused):
        check_origin(origin, "192.0.2.7:8080", ("vigil.example",))
