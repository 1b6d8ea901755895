"""Addresses that a webhook may and may not go to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_webhook.address_policy import is_address, why_forbidden


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
        ("2002:7f00:1::", "this host"),
        ("169.254.169.254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("168.63.129.16", "metadata"),
        ("169.254.1.1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("224.0.0.1", "not the address of a single host"),
        ("255.255.255.255", "not the address of a single host"),
        ("ff02::1", "not the address of a single host"),
    ],
)
def test_what_is_near_this_host_is_forbidden(address: str, why: str) -> None:
    assert why in why_forbidden(address)


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.20", "172.16.3.4", "93.184.216.34", "2606:2800:220:1::1"])
def test_others_are_allowed(address: str) -> None:
    assert why_forbidden(address) == ""


@given(st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_a_mapped_address_is_judged_as_the_one_it_stands_for(address: object) -> None:
    assert why_forbidden(f"::ffff:{address}") == why_forbidden(str(address)) != ""


@pytest.mark.parametrize(("host", "expected"), [("10.0.0.1", True), ("fe80::1%2", True), ("pager.example", False)])
def test_a_name_is_no_address(host: str, expected: bool) -> None:
    assert is_address(host) is expected
