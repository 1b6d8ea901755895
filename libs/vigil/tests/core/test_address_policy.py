"""Addresses that Vigil does and does not connect to for others."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.address_policy import is_address, why_refused


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "this host"),
        ("127.8.9.10", "this host"),
        ("0.0.0.0", "this host"),
        ("::1", "this host"),
        ("::", "this host"),
        ("::ffff:127.0.0.1", "this host"),
        ("64:ff9b::7f00:1", "this host"),
        ("64:ff9b:1::7f00:1", "this host"),
        ("64:ff9b:1:7f00:0:100::", "this host"),
        ("::7f00:1", "this host"),
        ("2002:7f00:1::", "this host"),
        ("2001:0:7f00:1::", "this host"),
        ("2001:0:c000:221:0:0:80ff:fffe", "this host"),  # Teredo: the client's address is inverted
        ("2001:0:c000:221:0:0:5601:5601", "metadata"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("64:ff9b:1::a9fe:a9fe", "metadata"),
        ("64:ff9b:1:a9fe:a9:fe00::", "metadata"),
        ("2002:a9fe:a9fe::1", "metadata"),
        ("64:ff9b::6464:64c8", "metadata"),
        ("64:ff9b::e000:1", "not the address of a single host"),
        ("2002:a9fe:101::", "link-local"),
        ("169.254.169.254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("168.63.129.16", "metadata"),
        ("169.254.1.1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("224.0.0.1", "not the address of a single host"),
        ("255.255.255.255", "not the address of a single host"),
        ("4000::1", "not the address of a single host"),
        ("ff02::1", "not the address of a single host"),
    ],
)
def test_what_is_near_this_host_is_forbidden(address: str, why: str) -> None:
    assert why in why_refused(address)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.7",
        "192.168.1.20",
        "172.16.3.4",
        "93.184.216.34",
        "2606:2800:220:1::1",
        "fd12:3456::7",
        "64:ff9b::c0a8:114",
        "64:ff9b:1::c0a8:114",
        "2002:c0a8:114::1",
        "::ffff:192.168.1.20",
        "64:ff9b:1:c0a8:1:1400::",
    ],
)
def test_others_are_allowed(address: str) -> None:
    assert why_refused(address) == ""


@given(st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_a_mapped_address_is_judged_as_the_one_it_stands_for(address: object) -> None:
    assert why_refused(f"::ffff:{address}") == why_refused(str(address)) != ""


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.9.10", "64:ff9b::7f00:1"])
def test_loopback_is_allowed_where_it_was_asked_for(address: str) -> None:
    assert why_refused(address, allow_local=True) == ""


@pytest.mark.parametrize("address", ["0.0.0.0", "169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1", "224.0.0.1"])
def test_nothing_else_is_allowed_with_it(address: str) -> None:
    assert why_refused(address, allow_local=True)


@given(st.ip_addresses(v=4))
def test_each_form_of_an_address_is_judged_as_the_address(address: IPv4Address) -> None:
    number = int(address)
    forms = [
        f"::ffff:{address}",
        str(IPv6Address((0x64FF9B << 96) | number)),
        str(IPv6Address((0x2002 << 112) | number << 80 | 1)),
        str(IPv6Address((0x20010000 << 96) | number << 64 | 0x3F57FFFF)),
        str(IPv6Address((0x20010000 << 96) | 0xC0000221 << 64 | number ^ 0xFFFFFFFF)),
    ]
    if why := why_refused(str(address)):
        assert [why_refused(form) for form in forms if number > 1] == [why] * (len(forms) if number > 1 else 0)


@pytest.mark.parametrize(("host", "expected"), [("10.0.0.1", True), ("fe80::1%2", True), ("pager.example", False)])
def test_a_name_is_no_address(host: str, expected: bool) -> None:
    assert is_address(host) is expected
