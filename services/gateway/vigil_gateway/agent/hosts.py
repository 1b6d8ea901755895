"""By which names agents may reach the gateway. Pure.

A page of another site can have a browser call this machine under the page's own name, once its DNS says so (DNS
rebinding). Such a request names the page's host. So a request must name this machine: by an address, which no DNS can
turn, as `localhost`, or by a name that the operator listed.
"""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from vigil_gateway.api.errors import HostRefused, OriginRefused

ANY = "*"


def check_host(host: str, names: Sequence[str]) -> None:
    """Return when a request may name this host. Raises `HostRefused`."""
    name = _name_of(f"//{host}")
    if not (_is_of_this_machine(name) or _is_address(name) or _is_listed(name, names)):
        raise HostRefused(host)


def check_origin(origin: str, host: str, names: Sequence[str]) -> None:
    """Return when a page of this origin may send requests to this host; one without an origin comes from no page.
    Raises `OriginRefused`."""
    name = _name_of(origin)
    if origin and not (_is_of_this_machine(name) or name == _name_of(f"//{host}") or _is_listed(name, names)):
        raise OriginRefused(origin)


def _name_of(url: str) -> str:
    """The host of a URL, without its port; empty for what is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_of_this_machine(name: str) -> bool:
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_listed(name: str, names: Sequence[str]) -> bool:
    return bool(name) and (name in names or ANY in names)
